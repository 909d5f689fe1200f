import {
  CelScalar,
  celEnv,
  celFunc,
  celMap,
  celMethod,
  isCelError,
  mapType,
  parse,
  plan,
} from "@bufbuild/cel";
import type { CorpusPayment } from "../corpus/payments.ts";
import type { CorpusRule } from "../corpus/rules.ts";
import { makeCelInput } from "./cel-input.ts";
import { type Contender, runSync } from "./contender.ts";

/** @bufbuild/cel over the same texts, planned once. An error is unknown. */
export function compileBufCel(rules: readonly CorpusRule[], payments: readonly CorpusPayment[]): Contender {
  const { BOOL, DYN, INT, STRING } = CelScalar;
  const fields = mapType(STRING, DYN);
  const inputs = payments.map((payment) => {
    const input = makeCelInput(payment);
    const context = {
      payment: celMap(new Map(Object.entries(input.payment))),
      card: celMap(new Map(Object.entries(input.card))),
      player: celMap(new Map(Object.entries(input.player))),
    };
    return { context, segments: input.segments, lists: input.lists };
  });
  let current = inputs[0]!;
  const environment = celEnv({
    variables: { payment: fields, card: fields, player: fields },
    funcs: [
      celMethod("amount_in", fields, [STRING], INT, function () {
        return this.get("amount_eur") as bigint;
      }),
      celFunc("segment", [STRING], BOOL, (id) => current.segments.has(id)),
      celFunc("in_list", [DYN, STRING], BOOL, (_bin, id) => current.lists.has(id)),
    ],
  });
  const planned = rules.map((rule) => plan(environment, parse(rule.when)));
  const match = (payment: number): readonly number[] => {
    current = inputs[payment]!;
    const found: number[] = [];
    for (let i = 0; i < planned.length; i++) {
      const result = planned[i]!(current.context);
      if (isCelError(result) ? rules[i]!.matchUnknown : result === true) {
        found.push(i);
      }
    }
    return found;
  };
  const form = "the same CEL, planned once";
  return { name: "@bufbuild/cel", form, match, run: runSync(match, payments.length) };
}
