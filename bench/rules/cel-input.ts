import type { CorpusPayment } from "../corpus/payments.ts";
import { findLists } from "./flat.ts";

type CelFields = Readonly<Record<string, string | number | boolean | bigint>>;

/** A payment as CEL evaluators in JavaScript take it: maps without what is unknown, ints as bigints. */
export type CelInput = {
  readonly payment: CelFields & { readonly amount_eur: bigint };
  readonly card: CelFields;
  readonly player: CelFields;
  /** What `segment` and `in_list` are true for; peers spend no time on finding it. */
  readonly segments: ReadonlySet<string>;
  readonly lists: ReadonlySet<string>;
};

export function makeCelInput(payment: CorpusPayment): CelInput {
  const { currency, method, playerCountry, amountEurMinor, card, player, segments } = payment;
  return {
    payment: { currency, method, player_country: playerCountry, amount_eur: BigInt(amountEurMinor) },
    card: {
      ...(card && { bin: card.bin, scheme: card.scheme, issuer_country: card.issuerCountry }),
      ...(card?.funding === undefined ? {} : { funding: card.funding }),
    },
    player: Object.fromEntries(
      Object.entries(player).map(([name, value]) => [name, makeNumber(name, value)]),
    ),
    segments: new Set(segments),
    lists: new Set(findLists(payment)),
  };
}

function makeNumber(name: string, value: string | number | boolean): string | number | boolean | bigint {
  const isInt = typeof value === "number" && name !== "trust" && name !== "churn";
  return isInt ? BigInt(value) : value;
}
