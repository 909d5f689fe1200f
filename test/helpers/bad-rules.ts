import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DocumentFormat } from "../../src/core/rules/compilation.ts";

/** A document with one fault. */
export type BadRules = {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: DocumentFormat;
  /** `[WARNING ]rule path line:column`, with `-` for the document as a whole. */
  readonly want: string;
};

const folder = fileURLToPath(new URL("../cases/bad-rules/", import.meta.url));

/** Reads them all. What is wanted stands in the first line of a YAML file and in want.json for the others. */
export function readBadRules(): readonly BadRules[] {
  const wantedElsewhere = JSON.parse(readFileSync(`${folder}want.json`, "utf8")) as Readonly<
    Record<string, string>
  >;
  const names = readdirSync(folder).filter((name) => name !== "want.json");
  return names.map((name) => {
    const bytes = readFileSync(folder + name);
    const header = /^# want: (.*)/.exec(bytes.toString("latin1"))?.[1];
    return { name, bytes, format: formatOf(name), want: header ?? wantedElsewhere[name] ?? "" };
  });
}

function formatOf(name: string): DocumentFormat {
  if (name.endsWith(".bin")) return "PROTOBUF";
  return name.endsWith(".json") ? "JSON" : "YAML";
}
