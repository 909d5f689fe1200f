import { binLists, type CorpusPayment } from "../corpus/payments.ts";
import { names } from "../corpus/rules.ts";

/** A payment as one flat record of plain values, null where unknown: the form that engines over JSON read fastest. */
export type FlatPayment = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** A CEL name as a key of the flat record. */
export function flattenName(name: string): string {
  return name.replace(/\W+/g, "_").replace(/_$/, "");
}

/** The BIN lists that hold a card. Peers get the answer with the payment and spend no time on it. */
export function findLists(payment: CorpusPayment): readonly string[] {
  const bin = payment.card?.bin ?? "";
  const found = [6, 7, 8].flatMap((length) => listsByPrefix.get(bin.slice(0, length)) ?? []);
  return [...new Set(found)];
}

const listsByPrefix = new Map<string, string[]>();
for (const [id, prefixes] of binLists) {
  for (const prefix of prefixes) {
    listsByPrefix.set(prefix, [...(listsByPrefix.get(prefix) ?? []), id]);
  }
}

export function flattenPayment(payment: CorpusPayment): FlatPayment {
  return {
    [flattenName(names.currency)]: payment.currency,
    [flattenName(names.method)]: payment.method,
    [flattenName(names.country)]: payment.playerCountry,
    [flattenName(names.amount)]: payment.amountEurMinor,
    [flattenName(names.bin)]: payment.card?.bin ?? null,
    [flattenName(names.scheme)]: payment.card?.scheme ?? null,
    [flattenName(names.funding)]: payment.card?.funding ?? null,
    [flattenName(names.issuerCountry)]: payment.card?.issuerCountry ?? null,
    ...Object.fromEntries(
      Object.entries(payment.player).map(([name, value]) => [flattenName(`player.${name}`), value]),
    ),
    segments: payment.segments,
    lists: findLists(payment),
  };
}
