import { Environment, type ParseResult } from "@marcbachmann/cel-js";
import type { CorpusPayment } from "../corpus/payments.ts";
import type { CorpusRule } from "../corpus/rules.ts";
import { type CelInput, makeCelInput } from "./cel-input.ts";
import { type Contender, runSync } from "./contender.ts";

/** @marcbachmann/cel-js over the same texts, parsed once. What a condition cannot evaluate is unknown. */
export function compileCelJs(rules: readonly CorpusRule[], payments: readonly CorpusPayment[]): Contender {
  const inputs = payments.map((payment) => {
    const input = makeCelInput(payment);
    const context = { payment: input.payment, card: input.card, player: input.player };
    return { context, segments: input.segments, lists: input.lists };
  });
  let current = inputs[0]!;
  const environment = new Environment()
    .registerVariable("payment", "map")
    .registerVariable("card", "map")
    .registerVariable("player", "map")
    .registerFunction("map.amount_in(string): int", (payment: CelInput["payment"]) => payment.amount_eur)
    .registerFunction("segment(string): bool", (id: string) => current.segments.has(id))
    .registerFunction("in_list(dyn, string): bool", (_bin: string, id: string) => current.lists.has(id));
  const parsed = rules.map((rule) => environment.parse(rule.when));
  const match = (payment: number): readonly number[] => {
    current = inputs[payment]!;
    const found: number[] = [];
    for (let i = 0; i < parsed.length; i++) {
      if (evaluate(parsed[i]!, current.context) ?? rules[i]!.matchUnknown) {
        found.push(i);
      }
    }
    return found;
  };
  const form = "the same CEL, parsed once";
  return { name: "@marcbachmann/cel-js", form, match, run: runSync(match, payments.length) };
}

function evaluate(expression: ParseResult, context: Record<string, unknown>): boolean | undefined {
  try {
    return expression(context) === true;
  } catch {
    return undefined;
  }
}
