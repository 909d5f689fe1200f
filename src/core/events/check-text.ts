import { findCardNumber } from "../card-number.ts";
import type { FieldFault } from "../field-fault.ts";

/** In ids they hide in logs and mislead readers, and a NUL joins the fields of a hash. Half of a surrogate pair is no text at all. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
/** A card number has at least 13 digits. */
const cardNumberMin = 13;

/** Whether a text of one line is fine whatever field it stands in: nearly every one is, and one loop tells. */
export function isPlainText(text: string, max: number): boolean {
  if (text.length > max) return false;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) return false;
    if (unit >= 0x30 && unit <= 0x39) digits++;
  }
  return digits < cardNumberMin;
}

/** What is wrong with a text of one line; undefined where nothing is. `isExempt`: the merchant allows what looks like a card number there. */
export function findTextFault(
  field: string,
  text: string,
  { max, isExempt }: { readonly max: number; readonly isExempt: boolean },
): FieldFault | undefined {
  if (text.length > max) {
    const message = `${field} has ${text.length} characters, at most ${max} are allowed`;
    return { field, rule: "too-long", message };
  }
  if (!isPlainAscii(text) && unprintable.test(text)) {
    const message = `${field} holds a control character, a line separator or half of a surrogate pair`;
    return { field, rule: "malformed", message };
  }
  if (text.length < cardNumberMin || isExempt || findCardNumber(text) === undefined) return undefined;
  const message = `${field} holds what looks like a card number, which must never be sent`;
  return { field, rule: "no-card-number", message };
}

/** Nearly every id is, and a loop is cheaper than a regular expression over Unicode. */
function isPlainAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}
