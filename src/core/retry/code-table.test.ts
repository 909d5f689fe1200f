import { describe, expect, it } from "vitest";
import { classifyCode, codeTable, codeTableVersion } from "./code-table.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";

/** The codes of `DOMAIN.md` 1.2, row by row, with the class that each row names. */
const domain: readonly (readonly [codes: string, outcomeClass: OutcomeClass])[] = [
  ["00 11", "APPROVED"],
  ["10", "PARTIAL"],
  ["01 02 05 59", "GENERIC"],
  ["03 06 19 30 58 88 92 96 Z6", "TECH_NOT_PROCESSED"],
  ["04 07 12 14 15 33 34 39 52 53 41 43 45 46 57 62 93 5C 9G Q1 R0 R1 R3", "HARD"],
  ["13 54 55 63 6P N7 N8 Z5", "DATA"],
  ["51 61 65 75 78 N0 N3 N4", "WAIT"],
  ["1A", "SCA"],
  ["91", "ISSUER_DOWN"],
  ["68 94", "UNKNOWN"],
];

const byScheme: readonly (readonly [string, string, OutcomeClass])[] = [
  ["mastercard", "79", "HARD"],
  ["mastercard", "82", "HARD"],
  ["mastercard", "83", "HARD"],
  ["visa", "82", "DATA"],
  ["visa", "70", "SCA"],
  ["mastercard", "65", "WAIT"],
  ["visa", "65", "WAIT"],
];

describe("classifyCode", () => {
  it.each(domain)("reads %s as %s, whatever the scheme", (codes, want) => {
    for (const code of codes.split(" ")) {
      expect([code, classifyCode({ scheme: undefined, code })]).toEqual([code, want]);
      expect([code, classifyCode({ scheme: "visa", code })]).toEqual([code, want]);
      expect([code, classifyCode({ scheme: "jcb", code })]).toEqual([code, want]);
    }
  });

  it.each(byScheme)("reads %s %s as %s", (scheme, code, want) => {
    expect(classifyCode({ scheme, code })).toBe(want);
  });

  it("reads Mastercard's 65 as SCA only inside the SCA zone, Visa's never", () => {
    expect(classifyCode({ scheme: "mastercard", code: "65", inScaZone: true })).toBe("SCA");
    expect(classifyCode({ scheme: "mastercard", code: "65", inScaZone: false })).toBe("WAIT");
    expect(classifyCode({ scheme: "visa", code: "65", inScaZone: true })).toBe("WAIT");
    expect(classifyCode({ scheme: undefined, code: "65", inScaZone: true })).toBe("WAIT");
  });

  it.each(["99", "5", "051", "1a", "79", "70", "toString"])(
    "takes %j, which is not listed, for GENERIC",
    (code) => {
      expect(classifyCode({ scheme: undefined, code })).toBe("GENERIC");
    },
  );

  it("takes no answer for UNKNOWN", () => {
    expect(classifyCode({ scheme: "visa", code: undefined })).toBe("UNKNOWN");
    expect(classifyCode({ scheme: "visa", code: "" })).toBe("UNKNOWN");
  });
});

describe("the table", () => {
  it("holds each code that the domain page lists, and no other", () => {
    const listed = domain.flatMap(([codes]) => codes.split(" "));
    const scoped = byScheme.map(([, code]) => code);
    expect(new Set(codeTable.map((entry) => entry.code))).toEqual(new Set([...listed, ...scoped]));
  });

  it("has one row for each code and scheme, in order", () => {
    const keys = codeTable.map((entry) => `${entry.scheme ?? ""}/${entry.code}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toEqual([...keys].sort());
  });

  it("falls back to a row for all schemes where a row has a condition", () => {
    const conditional = codeTable.filter((entry) => entry.scaZoneOnly === true);
    expect(conditional).toHaveLength(1);
    for (const { code } of conditional) {
      expect(codeTable.some((entry) => entry.code === code && entry.scheme === undefined)).toBe(true);
    }
  });

  it.each(codeTable)("is well formed at $code", (entry) => {
    expect(entry.code).toMatch(/^[0-9A-Z]{2}$/);
    expect(outcomeClasses).toContain(entry.outcomeClass);
    expect(entry.meaning).not.toBe("");
    expect(entry.source).toMatch(/^(gk|[A-D]\d)/);
    if (entry.scheme !== undefined) expect(entry.scheme).toMatch(/^[a-z]+$/);
    if (entry.from !== undefined) expect(entry.from).toMatch(/^\d{4}-\d{2}(-\d{2})?$/);
  });

  it("never says by a code what only the caller can know", () => {
    const classes = new Set(codeTable.map((entry) => entry.outcomeClass));
    const withoutCode = outcomeClasses.filter((outcomeClass) => !classes.has(outcomeClass));
    expect(withoutCode).toEqual(["PENDING", "AUTH_FAILED", "ABANDONED"]);
  });

  it("has a version of day and hash, which changes with its content", () => {
    // A new content needs a new version here: gateways may hold a copy of the table by its version.
    expect(codeTableVersion).toBe("2026-11-22-37675f1c42fe");
  });
});
