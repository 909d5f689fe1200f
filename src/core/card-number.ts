/**
 * The guard that keeps card numbers out: it looks at every string of every call, so it first rules out what cannot hold one.
 *
 * A card number is a run of 13 to 19 digits, single spaces or hyphens between digits aside, that touches no letter or digit, passes the Luhn
 * check and has a brand's prefix and length. A value that is a UUID is exempt. Digits are the ASCII ones, letters those of Unicode. The
 * whole run counts: a number with further digits behind it (an expiry date after one space) is a longer run, hence none.
 *
 * Source: `SEMANTICS.md` 1.9.
 */

const digitsMin = 13;
const digitsMax = 19;

/**
 * Where the first card number stands, `[start, end)` in UTF-16 units; undefined where there is none. Allocates nothing unless it finds one.
 */
export function findCardNumber(text: string): { readonly start: number; readonly end: number } | undefined {
  // A run spans at least 13 characters, so it covers one of any 13th.
  let at = digitsMin - 1;
  while (at < text.length) {
    if (!isInRun(text, at)) {
      at += digitsMin;
      continue;
    }
    const start = findRunStart(text, at);
    const end = findRunEnd(text, at);
    if (isCardNumber(text, start, end)) return isUuid(text) ? undefined : { start, end };
    at = end + digitsMin;
  }
  return undefined;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function isUuid(text: string): boolean {
  return text.length === 36 && uuidPattern.test(text);
}

function findRunStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && isInRun(text, start - 1)) start--;
  return start;
}

function findRunEnd(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && isInRun(text, end)) end++;
  return end;
}

/** Whether the character is a digit, or a space or hyphen between two digits. */
function isInRun(text: string, at: number): boolean {
  if (isDigit(text, at)) return true;
  const unit = text.charCodeAt(at);
  return (unit === 0x20 || unit === 0x2d) && at > 0 && isDigit(text, at - 1) && isDigit(text, at + 1);
}

/** Behind the end of the text `charCodeAt` is NaN, which is no digit. */
function isDigit(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0x30 && unit <= 0x39;
}

function isCardNumber(text: string, start: number, end: number): boolean {
  let digits = 0;
  let prefix = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(text, at)) continue;
    digits++;
    if (digits <= 6) prefix = prefix * 10 + text.charCodeAt(at) - 0x30;
    if (digits > digitsMax) return false;
  }
  if (digits < digitsMin) return false;
  if (isLetterBefore(text, start) || isLetterAt(text, end)) return false;
  return hasBrand(prefix, digits) && passesLuhn(text, start, end);
}

function passesLuhn(text: string, start: number, end: number): boolean {
  let sum = 0;
  let doubled = false;
  for (let at = end - 1; at >= start; at--) {
    if (!isDigit(text, at)) continue;
    const digit = text.charCodeAt(at) - 0x30;
    sum += doubled ? (digit < 5 ? digit * 2 : digit * 2 - 9) : digit;
    doubled = !doubled;
  }
  return sum % 10 === 0;
}

function isLetterBefore(text: string, at: number): boolean {
  if (at === 0) return false;
  const low = text.charCodeAt(at - 1);
  const isPair = low >= 0xdc00 && low <= 0xdfff && at > 1;
  return isLetterAt(text, isPair ? at - 2 : at - 1);
}

const letterPattern = /^\p{L}/u;

function isLetterAt(text: string, at: number): boolean {
  if (at >= text.length) return false;
  const point = text.codePointAt(at)!;
  if (point < 0x80) return (point >= 0x41 && point <= 0x5a) || (point >= 0x61 && point <= 0x7a);
  return letterPattern.test(String.fromCodePoint(point));
}

/**
 * Prefix ranges and lengths of the brands, both inclusive.
 *
 * Visa's 13 digits are historic, yet such a number is a card number all the same. UnionPay and Maestro stand with the whole of 62, 81 and 6; the
 * sets of Elo, Hipercard, Verve and Naranja lie inside Visa's, Discover's or Maestro's but for those named here.
 * Source: `DOMAIN.md` 5, read 2026-11-22; the own sets as published by the brands.
 */
const brandRanges: readonly (readonly [
  brand: string,
  low: string,
  high: string,
  lengths: readonly number[],
])[] = [
  ["JCB", "1800", "1800", [16, 17, 18, 19]],
  ["JCB", "2131", "2131", [16, 17, 18, 19]],
  ["Mir", "2200", "2204", [16, 17, 18, 19]],
  ["Mastercard", "2221", "2720", [16]],
  ["Diners", "300", "305", [14, 16, 19]],
  ["Amex", "34", "34", [15]],
  ["JCB", "3528", "3589", [16, 17, 18, 19]],
  ["Diners", "36", "36", [14, 16, 19]],
  ["Amex", "37", "37", [15]],
  ["Diners", "38", "39", [14, 16, 19]],
  ["Visa", "4", "4", [13, 16, 18, 19]],
  ["Maestro", "493698", "493698", [13, 14, 15, 16, 17, 18, 19]],
  ["Maestro", "500000", "504174", [13, 14, 15, 16, 17, 18, 19]],
  ["Elo", "504175", "504175", [16]],
  ["Maestro", "504176", "506698", [13, 14, 15, 16, 17, 18, 19]],
  ["Elo", "506699", "506778", [16]],
  ["Maestro", "506779", "508999", [13, 14, 15, 16, 17, 18, 19]],
  ["Elo", "509000", "509999", [16]],
  ["Mastercard", "51", "55", [16]],
  ["Maestro", "56", "59", [13, 14, 15, 16, 17, 18, 19]],
  ["Maestro, Discover, UnionPay", "6", "6", [13, 14, 15, 16, 17, 18, 19]],
  ["UnionPay", "81", "81", [14, 15, 16, 17, 18, 19]],
  ["Troy", "9792", "9792", [16]],
];

/** The ranges at six digits; bit n of `lengths` stands for n digits. */
const compiledRanges = brandRanges.map(([, low, high, lengths]) => ({
  low: Number(low.padEnd(6, "0")),
  high: Number(high.padEnd(6, "9")),
  lengths: lengths.reduce((bits, length) => bits | (1 << length), 0),
}));

function hasBrand(prefix: number, digits: number): boolean {
  for (const { low, high, lengths } of compiledRanges) {
    if (prefix >= low && prefix <= high && (lengths & (1 << digits)) !== 0) return true;
  }
  return false;
}
