import { LogicEngine } from "json-logic-engine";
import type { CorpusPayment } from "../corpus/payments.ts";
import type { Atom, CorpusRule } from "../corpus/rules.ts";
import { type Contender, runSync } from "./contender.ts";
import { flattenName, flattenPayment } from "./flat.ts";

/** JSON Logic, every rule built to a function once. */
export function compileJsonLogic(
  rules: readonly CorpusRule[],
  payments: readonly CorpusPayment[],
): Contender {
  const engine = new LogicEngine();
  const built = rules.map((rule) => engine.build(writeAll(rule.atoms, rule.matchUnknown)));
  const inputs = payments.map(flattenPayment);
  const match = (payment: number): readonly number[] => {
    const input = inputs[payment]!;
    const found: number[] = [];
    for (let i = 0; i < built.length; i++) {
      if (built[i]!(input) === true) {
        found.push(i);
      }
    }
    return found;
  };
  return {
    name: "json-logic-engine",
    form: "one built function per rule",
    match,
    run: runSync(match, payments.length),
  };
}

function writeAll(atoms: readonly Atom[], matchUnknown: boolean): object {
  const parts = atoms.map((atom) => writeAtom(atom, matchUnknown));
  return parts.length === 1 ? parts[0]! : { and: parts };
}

function writeAtom(atom: Atom, matchUnknown: boolean): object {
  switch (atom.kind) {
    case "oneOf": {
      const at = { var: flattenName(atom.name) };
      const holds = atom.values.length === 1 ? { "===": [at, atom.values[0]] } : { in: [at, atom.values] };
      return matchUnknown ? { or: [{ "===": [at, null] }, holds] } : holds;
    }
    case "notEqual":
      return { "!==": [{ var: flattenName(atom.name) }, atom.value] };
    case "atLeast":
      return { ">=": [{ var: flattenName(atom.name) }, atom.bound] };
    case "below":
      return { "<": [{ var: flattenName(atom.name) }, atom.bound] };
    case "flag":
      return { "===": [{ var: flattenName(atom.name) }, true] };
    case "segment": {
      const holds = { in: [atom.id, { var: "segments" }] };
      return atom.wanted ? holds : { "!": [holds] };
    }
    case "inList":
      return { in: [atom.list, { var: "lists" }] };
    case "any":
      return { or: atom.choices.map((choice) => writeAll(choice, matchUnknown)) };
  }
}
