/** Spellings of the schemes, in small letters and digits only. */
const canonicalNames: ReadonlyMap<string, string> = new Map([
  ["visaelectron", "visa"],
  ["vpay", "visa"],
  ["mc", "mastercard"],
  ["americanexpress", "amex"],
  ["dinersclub", "diners"],
  ["dinersclubinternational", "diners"],
  ["chinaunionpay", "unionpay"],
  ["cup", "unionpay"],
  ["unionpayinternational", "unionpay"],
  ["mastercardmaestro", "maestro"],
  ["cartebancaire", "cb"],
  ["cartesbancaires", "cb"],
]);

/**
 * The one name of a card scheme: `visa`, `mastercard`, `amex`, `diners`, `discover`, `jcb`, `unionpay`, `maestro`, `mir`, `elo`, ...
 *
 * Case, blanks and punctuation do not count, and common other spellings become the one name. A scheme that is not known keeps its name in this
 * form; undefined where nothing is left.
 */
export function normaliseScheme(name: string): string | undefined {
  const plain = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  return canonicalNames.get(plain) ?? (plain === "" ? undefined : plain);
}
