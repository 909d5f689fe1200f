import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");

/** A folder of golden cases, with the BIN table that they are told with. */
export type CaseFolder = { readonly title: string; readonly folder: string; readonly binFile: string };

/** Every folder of golden cases: each runs on the core, in memory and against a live server. */
export const caseFolders: readonly CaseFolder[] = [
  {
    title: "SEMANTICS.md",
    folder: join(root, "test/cases/semantics"),
    binFile: join(root, "test/cases/semantics/bins.csv"),
  },
  {
    title: "DOMAIN.md 6",
    folder: join(root, "test/cases/domain"),
    binFile: join(root, "test/cases/domain/bins.csv"),
  },
  {
    title: "stories of samples/igaming.yaml",
    folder: join(root, "test/cases/stories"),
    binFile: join(root, "samples/bin-ranges.csv"),
  },
];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** State of the world, each entry as the admin RPCs take it: Player, Override and SetPspStateRequest in protobuf JSON. */
export type CaseState = {
  readonly players?: readonly JsonObject[];
  readonly overrides?: readonly JsonObject[];
  readonly pspStates?: readonly { readonly psp: string; readonly state: string }[];
};

/** What a call must give: a part of the response (protobuf JSON with defaults written out), or how it is refused. */
export type Want =
  | { readonly response: JsonObject }
  | { readonly refused: { readonly kind: string; readonly [key: string]: Json } };

export type CaseCall = {
  /** What is being shown, where it is not plain. */
  readonly note?: string;
  /** The instant of this call and the next; the case's `now` where absent. */
  readonly at?: string;
  readonly door?: "gateway" | "admin";
  /** Rules to activate before this call, instead of those of the case. */
  readonly rules?: readonly JsonObject[];
  /** State to set before this call, beside what is set already. */
  readonly state?: CaseState;
  /** Which RPC is called; Decide where absent. */
  readonly rpc?: "ReportOutcome";
  /** Its request as by curl. A text `$2.plan.steps.0.attemptId` stands for what the call of that index gave; so in `want`. */
  readonly request: JsonObject;
  readonly want: Want;
};

export type GoldenCase = {
  readonly file: string;
  readonly description: string;
  /** Number of the paragraph in SEMANTICS.md that it shows; a story may show several and name none. */
  readonly paragraph?: string;
  /** Whether the answers hang on the hash of the merchant's name, so that the case must run under just that name. */
  readonly hashed?: boolean;
  /** The rule set, as a JSON document. */
  readonly ruleSet: JsonObject;
  /** Merchants beside `default` that are served by the same rule set, with their clocks. */
  readonly merchants: { readonly [id: string]: "server" | "request" };
  readonly state: CaseState;
  readonly now: string;
  readonly calls: readonly CaseCall[];
};

/** Reads the cases of a folder, in order of their names. `ruleSet` is the path of a YAML file from there; `add` holds sections to add to it. */
export function readCases(folder: string): readonly GoldenCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      const read = JSON.parse(text) as Omit<GoldenCase, "file" | "ruleSet"> & {
        readonly ruleSet: string;
        readonly add?: JsonObject;
      };
      return {
        ...read,
        file,
        ruleSet: buildRuleSet(join(folder, read.ruleSet), read.add ?? {}),
        merchants: read.merchants ?? {},
        state: read.state ?? {},
      };
    });
}

/** The YAML document at the path, with sections added to its own. */
export function buildRuleSet(path: string, add: JsonObject): JsonObject {
  const base = parse(readFileSync(path, "utf8")) as Record<string, Json>;
  for (const [section, entries] of Object.entries(add)) {
    const known = base[section];
    base[section] = Array.isArray(known) ? [...known, ...(entries as readonly Json[])] : entries;
  }
  return base;
}

/** Replaces texts such as `$0.decisionId` by what an earlier call gave. */
export function fillReferences(value: Json, responses: readonly Json[]): Json {
  if (typeof value === "string" && /^\$\d+\./.test(value)) {
    const [index, ...path] = value.slice(1).split(".");
    let found: Json | undefined = responses[Number(index)];
    for (const key of path) found = (found as Record<string, Json> | undefined)?.[key];
    if (found === undefined) throw new Error(`${value} is not in the answers so far`);
    return found;
  }
  if (Array.isArray(value)) return value.map((each: Json) => fillReferences(each, responses));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, fillReferences(each, responses)]),
  );
}

/** Cuts a response down to what a case wants of it, so that the two can be compared as a whole. Arrays are wanted whole. */
export function pickWanted(actual: Json | undefined, wanted: Json): Json | undefined {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual)) return actual;
    return actual.map((each: Json, at) =>
      at < wanted.length ? (pickWanted(each, wanted[at]!) as Json) : each,
    );
  }
  if (typeof wanted !== "object" || wanted === null) return actual ?? null;
  if (typeof actual !== "object" || actual === null || Array.isArray(actual)) return actual;
  const entries = Object.keys(wanted).map((key) => [
    key,
    pickWanted((actual as JsonObject)[key], (wanted as JsonObject)[key]!) ?? null,
  ]);
  return Object.fromEntries(entries) as Json;
}
