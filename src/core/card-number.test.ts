import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCardNumber } from "./card-number.ts";

/** The law read word by word: no care for speed, brands as patterns of their own. */
function findNaively(text: string): boolean {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return false;
  const joined = text.replace(/(?<=[0-9])[ -](?=[0-9])/g, "");
  const runs = joined.match(/(?<![\p{L}0-9])[0-9]{13,19}(?![\p{L}0-9])/gu) ?? [];
  return runs.some((run) => luhnSum(run) % 10 === 0 && brands.some((brand) => brand.test(run)));
}

function luhnSum(digits: string): number {
  return Array.from(digits)
    .reverse()
    .map((digit, i) => Number(digit) * (i % 2 === 0 ? 1 : 2))
    .reduce((sum, n) => sum + Math.floor(n / 10) + (n % 10), 0);
}

const brands = [
  /^4(\d{12}|\d{15}|\d{17,18})$/,
  /^(5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d+$(?<=^\d{16})/,
  /^3[47]\d{13}$/,
  /^(30[0-5]|36|38|39)\d+$(?<=^(\d{14}|\d{16}|\d{19}))/,
  /^(352[89]|35[3-8]\d|2131|1800)\d{12,15}$/,
  /^220[0-4]\d{12,15}$/,
  /^81\d{12,17}$/,
  /^(493698|5[6-9]|6)\d+$/,
  /^50(?!4175|6699|67[0-7]|9)\d+$/,
  /^50\d{14}$/,
  /^9792\d{12}$/,
];

/** Completes digits with their Luhn digit. */
function withLuhn(digits: string): string {
  return digits + String((10 - (luhnSum(`${digits}0`) % 10)) % 10);
}

describe("findCardNumber", () => {
  it.each([
    ["Visa", "4111111111111111"],
    ["Visa of 13 digits", "4222222222222"],
    ["Visa of 19 digits", withLuhn("411111111111111111")],
    ["Mastercard", "5555555555554444"],
    ["Mastercard of the 2 series", "2223003122003222"],
    ["Amex", "378282246310005"],
    ["Diners", "30569309025904"],
    ["Discover", "6011111111111117"],
    ["JCB", "3530111333300000"],
    ["UnionPay", "6200000000000005"],
    ["Maestro", "6759649826438453"],
    ["Mir", "2200000000000004"],
    ["Troy", withLuhn("979200000000000")],
    ["with spaces", "4111 1111 1111 1111"],
    ["with hyphens", "4111-1111-1111-1111"],
    ["with a space between all digits", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"],
    ["after an underscore", "card_4111111111111111"],
    ["behind a colon, before a full stop", "pan:4111111111111111."],
    ["behind two spaces", "12  4111111111111111"],
    ["before a hyphen and a word", "4111111111111111-paid"],
    ["behind an emoji", "💳4111111111111111"],
    ["after another long number", "1234567890123456 / 4111111111111111"],
  ])("finds a number of %s", (_, text) => {
    expect(findCardNumber(text)).toBeDefined();
    expect(findNaively(text)).toBe(true);
  });

  it.each([
    ["empty text", ""],
    ["twelve digits", "411111111111"],
    ["a wrong check digit", "4111111111111112"],
    ["a length that the brand does not have", withLuhn("41111111111111")],
    ["a prefix that no brand has", withLuhn("123456789012345")],
    ["20 digits", withLuhn("4111111111111111111")],
    ["a letter before it", "x4111111111111111"],
    ["a letter behind it", "4111111111111111x"],
    ["a letter with an accent behind it", "4111111111111111é"],
    ["a letter beyond the basic plane before it", "𝔘4111111111111111"],
    ["a letter beyond the basic plane behind it", "4111111111111111𝔘"],
    ["two spaces inside", "4111 1111  1111 1111"],
    ["other separators inside", "4111.1111.1111.1111"],
    ["more digits behind one space", "4111111111111111 12"],
    ["an instant in ms", "1795348800000"],
    ["digits of another script", "４１１１１１１１１１１１１１１１"],
  ])("lets %s pass", (_, text) => {
    expect(findCardNumber(text)).toBeUndefined();
    expect(findNaively(text)).toBe(false);
  });

  it("tells where the number stands", () => {
    expect(findCardNumber("order 17 / 4111 1111 1111 1111.")).toEqual({ start: 11, end: 30 });
    expect(findCardNumber("4111111111111111")).toEqual({ start: 0, end: 16 });
  });

  it("finds the shortest number wherever it stands, behind anything or a shorter run", () => {
    for (let before = 0; before <= 40; before++) {
      expect(findCardNumber(`${"/".repeat(before)}4222222222222`)?.start).toBe(before);
      expect(findCardNumber(`${"7".repeat(before)}/4222222222222`)?.start).toBe(before + 1);
    }
  });

  it("exempts a whole UUID, though not a number beside one", () => {
    const digits = withLuhn("400000000000400");
    const uuid = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12)}-a000-00000000000a`;
    expect(findCardNumber(uuid)).toBeUndefined();
    expect(findCardNumber(uuid.toUpperCase())).toBeUndefined();
    expect(findCardNumber(`${uuid} `)?.start).toBe(0);
    expect(findCardNumber(`${uuid}, ${digits}`)?.start).toBe(0);
  });

  const prefix = fc.constantFrom(
    "4",
    "5105",
    "2221",
    "2720",
    "2721",
    "34",
    "305",
    "306",
    "39",
    "3528",
    "3589",
    "1800",
    "2131",
  );
  const odd = fc.constantFrom(
    "2204",
    "2205",
    "493698",
    "504175",
    "506699",
    "509000",
    "5061",
    "62",
    "65",
    "81",
    "82",
    "9792",
    "7",
  );
  const separator = fc.constantFrom("", "", "", " ", "-", "  ");
  const length = fc.oneof(fc.constantFrom(14, 15, 16, 16, 19), fc.integer({ min: 11, max: 21 }));
  const numberText = fc
    .record({
      start: fc.oneof(prefix, odd),
      digits: fc.array(fc.nat(9), { minLength: 20, maxLength: 20 }),
      length,
      between: separator,
      valid: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ start, digits, length, between, valid }) => {
      const body = (start + digits.join("")).slice(0, length - 1);
      const whole = valid > 0 ? withLuhn(body) : `${body}0`;
      return whole.replace(/(.{4})(?=.)/g, `$1${between}`);
    });
  const filler = fc.oneof(
    fc.string({
      unit: fc.constantFrom("0", "4", "9", " ", "-", "a", "é", "𝔘", "💳", "/", "_"),
      maxLength: 16,
    }),
    fc.uuid(),
  );
  const text = fc
    .array(fc.oneof(numberText, filler), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join(""));

  it("agrees with the law read word by word", () => {
    let found = 0;
    fc.assert(
      fc.property(text, (value) => {
        const want = findNaively(value);
        if (want) found++;
        expect(findCardNumber(value) !== undefined).toBe(want);
      }),
      { numRuns: 3000 },
    );
    expect(found).toBeGreaterThan(100);
  });
});
