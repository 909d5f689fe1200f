import type { Environment, SlotSource, Variable } from "../../src/core/cel/environment.ts";
import type { ExprType } from "../../src/core/cel/expr.ts";

/** The variables that tests of conditions may use; each has its own path as source. */
export const testVariables: Readonly<Record<string, { readonly type: ExprType } & Partial<Variable>>> = {
  "payment.currency": { type: "string" },
  "payment.amount_minor": { type: "int", min: 1 },
  "payment.kind": { type: "string", domain: ["deposit", "withdrawal"] },
  "payment.method": { type: "string" },
  "payment.tags": { type: { list: "string" } },
  "card.bin": { type: "string" },
  "card.country": { type: "string", domain: ["DE", "DK", "MT"] },
  "card.issuer_country": { type: "string", domain: ["GB", "US"] },
  "player.created_at": { type: "timestamp" },
  "player.vip": { type: "bool" },
  "player.jurisdictions": { type: { list: "string" }, domain: ["DE", "DK", "MT"] },
  "context.hour": { type: "int", min: 0, max: 23 },
  "context.ip": { type: "string" },
  "attr.score": { type: "double" },
  "attr.stakes": { type: { list: "int" } },
  "feature.ratio": { type: "double" },
  "feature.deposits_7d": { type: "int" },
  "feature.last_deposit_at": { type: "timestamp" },
  "feature.idle": { type: "duration" },
};

const lists = new Map([
  ["bins", { ordinal: 0, kind: "BIN" as const }],
  ["blocked", { ordinal: 1, kind: "STRING" as const }],
]);

const segments = new Map([
  ["vip", 0],
  ["new", 1],
]);

/** An environment of the variables above; `slots` are the sources allotted so far, by slot. */
export function createTestEnvironment(): Environment & { readonly slots: readonly SlotSource[] } {
  const slots: SlotSource[] = [];
  const keys = new Map<string, number>();
  const variables = new Map(
    Object.entries(testVariables).map(([path, variable]): [string, Variable] => [
      path,
      { ...variable, source: { kind: "field", path } },
    ]),
  );
  return {
    slots,
    variable: (path) => variables.get(path),
    names: (root) => {
      if (root === "list") return [...lists.keys()];
      if (root === "segment") return [...segments.keys()];
      return [...variables.keys()].flatMap((path) =>
        path.startsWith(`${root}.`) ? path.slice(root.length + 1) : [],
      );
    },
    list: (id) => lists.get(id),
    segment: (id) => segments.get(id),
    isCurrency: (code) => code !== "XXX",
    slot: (source) => {
      const key = JSON.stringify(source);
      const known = keys.get(key);
      if (known !== undefined) return known;
      keys.set(key, slots.length);
      return slots.push(source) - 1;
    },
  };
}
