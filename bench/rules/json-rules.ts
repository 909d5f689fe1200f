import { Engine, type NestedCondition } from "json-rules-engine";
import type { CorpusPayment } from "../corpus/payments.ts";
import type { Atom, CorpusRule } from "../corpus/rules.ts";
import { type Contender, runAsync } from "./contender.ts";
import { flattenName, flattenPayment } from "./flat.ts";

/** json-rules-engine with flat facts, so that it resolves no paths; the ordinal is the event. */
export function compileJsonRules(
  rules: readonly CorpusRule[],
  payments: readonly CorpusPayment[],
): Contender {
  const engine = new Engine(
    rules.map((rule, ordinal) => ({
      conditions: { all: rule.atoms.map((atom) => writeAtom(atom, rule.matchUnknown)) },
      event: { type: "match", params: { ordinal } },
    })),
  );
  const inputs = payments.map(flattenPayment);
  const match = async (payment: number): Promise<readonly number[]> => {
    const { events } = await engine.run(inputs[payment]);
    return events.map(({ params }) => (params as { readonly ordinal: number }).ordinal);
  };
  return {
    name: "json-rules-engine",
    form: "one engine, flat facts",
    match,
    run: runAsync(match, payments.length),
  };
}

function writeAtom(atom: Atom, matchUnknown: boolean): NestedCondition {
  switch (atom.kind) {
    case "oneOf": {
      const fact = flattenName(atom.name);
      const [value, second] = atom.values;
      const holds =
        second === undefined
          ? { fact, operator: "equal", value }
          : { fact, operator: "in", value: atom.values };
      return matchUnknown ? { any: [{ fact, operator: "equal", value: null }, holds] } : holds;
    }
    case "notEqual":
      return { fact: flattenName(atom.name), operator: "notEqual", value: atom.value };
    case "atLeast":
      return { fact: flattenName(atom.name), operator: "greaterThanInclusive", value: atom.bound };
    case "below":
      return { fact: flattenName(atom.name), operator: "lessThan", value: atom.bound };
    case "flag":
      return { fact: flattenName(atom.name), operator: "equal", value: true };
    case "segment":
      return { fact: "segments", operator: atom.wanted ? "contains" : "doesNotContain", value: atom.id };
    case "inList":
      return { fact: "lists", operator: "contains", value: atom.list };
    case "any":
      return {
        any: atom.choices.map((choice) => ({ all: choice.map((part) => writeAtom(part, matchUnknown)) })),
      };
  }
}
