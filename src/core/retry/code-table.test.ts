import { describe, expect, it } from "vitest";
import type { PspAnswer, ResponseCode } from "./answer.ts";
import { classifyAnswer, describeClass } from "./classify.ts";
import { codeTableOf, houseTable } from "./code-table.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";

const nowMs = Date.UTC(2026, 10, 16, 12);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const nothing: PspAnswer = {
  psp: "alpha",
  scheme: undefined,
  code: undefined,
  pspCode: undefined,
  adviceCode: undefined,
  failure: undefined,
  threeDs: undefined,
  inScaZone: false,
};

function classify(answer: Partial<PspAnswer>, table = houseTable, atMs = nowMs) {
  return classifyAnswer(table, { ...nothing, ...answer }, atMs);
}

/** The codes of `DOMAIN.md` 1.2, row by row: class, whom it is held against, and what else follows. */
const domain: readonly (readonly [
  codes: string,
  outcomeClass: OutcomeClass,
  attribution?: ResponseCode["attribution"],
  more?: Partial<ResponseCode>,
])[] = [
  ["00 11", "APPROVED"],
  ["10", "PARTIAL"],
  ["01 02 05 59", "GENERIC", "ISSUER"],
  ["03 30 58 Z6", "TECH_NOT_PROCESSED", "CONFIG", { alert: true }],
  ["06 19 88 92 96", "TECH_NOT_PROCESSED", "PSP"],
  ["04 07 33 34 41 43 45 46", "HARD", "ISSUER", { block: { what: "card", forMs: undefined } }],
  ["12 39 52 53 62 93 Q1", "HARD", "ISSUER"],
  ["14", "HARD", "PLAYER", { block: { what: "card", forMs: undefined } }],
  ["15", "HARD", "PLAYER", { block: { what: "card", forMs: 30 * dayMs } }],
  ["57", "HARD", "ISSUER", { block: { what: "card", forMs: 7 * dayMs } }],
  ["5C", "HARD", "ISSUER", { block: { what: "bin", forMs: dayMs } }],
  ["9G", "HARD", "ISSUER", { block: { what: "card", forMs: 3 * dayMs } }],
  ["R0 R1 R3", "HARD", "ISSUER", { block: { what: "agreement", forMs: undefined } }],
  ["13 N8 Z5", "DATA", "PLAYER", { fields: ["amount"] }],
  ["54", "DATA", "PLAYER", { fields: ["expiry"] }],
  ["55", "DATA", "PLAYER", { fields: ["pin"] }],
  ["63", "DATA", "ISSUER"],
  ["6P", "DATA", "PLAYER", { fields: ["identity"] }],
  ["N7", "DATA", "PLAYER", { fields: ["cvv"] }],
  ["51 61 65 78 N0 N3 N4", "WAIT", "ISSUER", { waitMs: dayMs }],
  ["75", "WAIT", "PLAYER", { waitMs: dayMs }],
  ["1A", "SCA"],
  ["91", "ISSUER_DOWN", "ISSUER", { waitMs: 30_000 }],
  ["68", "UNKNOWN", "PSP"],
  ["94", "UNKNOWN"],
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

/** The advice codes of `DOMAIN.md` 1.5, beside a decline that says nothing. */
const advised: readonly (readonly [string, OutcomeClass, Partial<ResponseCode>])[] = [
  ["01", "DATA", { fields: ["card"] }],
  ["02", "WAIT", { waitMs: 72 * hourMs }],
  ["03", "HARD", { block: { what: "card_amount", forMs: 30 * dayMs } }],
  ["04", "DATA", { fields: ["credential"] }],
  ["05", "DATA", { fields: ["amount"] }],
  ["21", "HARD", { block: { what: "agreement", forMs: 30 * dayMs } }],
  ["22", "HARD", { attribution: "CONFIG", alert: true }],
  ["24", "WAIT", { waitMs: hourMs }],
  ["25", "WAIT", { waitMs: 24 * hourMs }],
  ["26", "WAIT", { waitMs: 2 * dayMs }],
  ["27", "WAIT", { waitMs: 4 * dayMs }],
  ["28", "WAIT", { waitMs: 6 * dayMs }],
  ["29", "WAIT", { waitMs: 8 * dayMs }],
  ["30", "WAIT", { waitMs: 10 * dayMs }],
  ["42", "HARD", { alert: true }],
];
const informing = ["40", "41", "43"];

const matrix: readonly (readonly [string, string, OutcomeClass])[] = [
  ["79", "01", "DATA"],
  ["79", "02", "WAIT"],
  ["79", "03", "HARD"],
  ["82", "01", "DATA"],
  ["82", "02", "WAIT"],
  ["82", "03", "HARD"],
  ["83", "01", "SCA"],
  ["83", "02", "WAIT"],
  ["83", "03", "HARD"],
];

const spelled = [
  ["checkout", "20154"],
  ["mangopay", "101305"],
  ["payu", "SSD"],
  ["peach", "300.100.100"],
] as const;

describe("a code of the network", () => {
  const rows = domain.flatMap(([codes, outcomeClass, attribution, more]) =>
    codes.split(" ").map((code) => [code, { outcomeClass, attribution, ...more }] as const),
  );
  it.each(rows)("%s means the same whatever the scheme", (code, want) => {
    const rest = { waitMs: 0, fields: [], block: undefined, alert: false };
    for (const scheme of [undefined, "visa", "jcb"])
      expect(classify({ scheme, code })).toMatchObject({ ...rest, ...want });
  });

  it.each(byScheme)("of %s: %s is %s", (scheme, code, want) => {
    expect(classify({ scheme, code }).outcomeClass).toBe(want);
  });

  it("Mastercard's 65 is SCA only inside the SCA zone, Visa's never", () => {
    const of65 = (scheme: string | undefined, inScaZone: boolean) =>
      classify({ scheme, code: "65", inScaZone }).outcomeClass;
    expect(of65("mastercard", true)).toBe("SCA");
    expect(of65("mastercard", false)).toBe("WAIT");
    expect(of65("visa", true)).toBe("WAIT");
    expect(of65(undefined, true)).toBe("WAIT");
    expect(
      classify({ scheme: "mastercard", code: "65", adviceCode: "01", inScaZone: true }).outcomeClass,
    ).toBe("SCA");
  });

  it("counts from the day on which the networks use it", () => {
    for (const code of ["5C", "9G"]) {
      expect(classify({ code }, houseTable, Date.UTC(2025, 3) - 1).outcomeClass).toBe("GENERIC");
      expect(classify({ code }, houseTable, Date.UTC(2025, 3)).outcomeClass).toBe("HARD");
    }
  });

  it.each(["99", "5", "051", "1a", "79", "70", "toString"])("%j is not listed, so GENERIC", (code) => {
    expect(classify({ code })).toMatchObject({ outcomeClass: "GENERIC", attribution: undefined });
    expect(classify({ pspCode: code }).outcomeClass).toBe("GENERIC");
  });

  it("that is missing is UNKNOWN", () => {
    expect(classify({ scheme: "visa" })).toMatchObject({ outcomeClass: "UNKNOWN", attribution: undefined });
    expect(classify({ code: "", adviceCode: "" }).outcomeClass).toBe("UNKNOWN");
  });
});

describe("an advice code", () => {
  it.each(advised)("%s counts before the code: %s", (adviceCode, outcomeClass, more) => {
    for (const code of ["05", "51", undefined]) {
      const meaning = classify({ scheme: "mastercard", code, adviceCode });
      expect(meaning).toMatchObject({ outcomeClass, ...more });
    }
  });

  it.each(advised)(
    "%s of another scheme says nothing; of no scheme it is Mastercard's",
    (adviceCode, want) => {
      expect(classify({ scheme: "visa", code: "51", adviceCode }).outcomeClass).toBe("WAIT");
      expect(classify({ code: "05", adviceCode }).outcomeClass).toBe(want);
    },
  );

  it.each(matrix)("beside %s: %s is %s", (code, adviceCode, want) => {
    expect(classify({ scheme: "mastercard", code, adviceCode }).outcomeClass).toBe(want);
  });

  it.each(["79", "82", "83"])("03 beside %s blocks card and amount for 30 days", (code) => {
    const { block } = classify({ scheme: "mastercard", code, adviceCode: "03" });
    expect(block).toEqual({ what: "card_amount", forMs: 30 * dayMs });
  });

  it.each([...informing, ...advised.map(([adviceCode]) => adviceCode)])(
    "%s on an approval is no decline",
    (adviceCode) => {
      expect(classify({ scheme: "mastercard", code: "00", adviceCode }).outcomeClass).toBe("APPROVED");
      expect(classify({ scheme: "mastercard", code: "10", adviceCode }).outcomeClass).toBe("PARTIAL");
    },
  );

  it.each(informing)("%s leaves a decline to its code", (adviceCode) => {
    const of = (code: string | undefined) =>
      classify({ scheme: "mastercard", code, adviceCode }).outcomeClass;
    expect(of("51")).toBe("WAIT");
    expect(of("41")).toBe("HARD");
    expect(of(undefined)).toBe("GENERIC");
  });

  it("makes no lost card and no revoked agreement good", () => {
    for (const code of ["04", "41", "43", "R1"])
      for (const [adviceCode] of advised)
        expect(classify({ scheme: "mastercard", code, adviceCode })).toMatchObject({
          outcomeClass: "HARD",
          block: { forMs: undefined },
        });
  });
});

describe("a PSP's own code", () => {
  it.each(spelled)("of %s: %s asks for authentication", (psp, pspCode) => {
    expect(classify({ psp, pspCode, code: "05" }).outcomeClass).toBe("SCA");
    expect(classify({ psp: "alpha", pspCode, code: "05" }).outcomeClass).toBe("GENERIC");
  });
});

describe("a failure", () => {
  it.each([
    ["CONNECT", "TECH_NOT_PROCESSED", "PSP"],
    ["THROTTLED", "TECH_NOT_PROCESSED", "PSP"],
    ["NOT_PROCESSED", "TECH_NOT_PROCESSED", "PSP"],
    ["SERVER", "UNKNOWN", "PSP"],
    ["TIMEOUT", "UNKNOWN", "PSP"],
    ["THREE_DS", "TECH_NOT_PROCESSED", "THREE_DS"],
  ] as const)("%s is %s, held against %s", (failure, outcomeClass, attribution) => {
    expect(classify({ failure })).toMatchObject({ outcomeClass, attribution });
    expect(classify({ failure, code: "ZZ" })).toMatchObject({ outcomeClass, attribution });
    expect(classify({ failure, code: "51" }).outcomeClass).toBe("WAIT");
  });

  it("of 3DS that says who failed is a failed authentication, held against the 3DS server", () => {
    const threeDs = { transStatus: "N", host: "PSP", hasCryptogram: false } as const;
    expect(classify({ failure: "THREE_DS", threeDs })).toMatchObject({
      outcomeClass: "AUTH_FAILED",
      attribution: "THREE_DS",
    });
  });
});

describe("what 3DS came to", () => {
  it.each([
    ["N", "AUTH_FAILED", "PLAYER"],
    ["R", "AUTH_FAILED", "ISSUER"],
    ["U", "TECH_NOT_PROCESSED", "THREE_DS"],
    ["C", "PENDING", undefined],
    ["D", "PENDING", undefined],
    ["Y", "UNKNOWN", undefined],
    ["A", "UNKNOWN", undefined],
    ["I", "UNKNOWN", undefined],
  ] as const)("%s alone is %s", (transStatus, outcomeClass, attribution) => {
    const threeDs = { transStatus, host: "PSP", hasCryptogram: false } as const;
    expect(classify({ threeDs })).toMatchObject({ outcomeClass, attribution });
    expect(classify({ threeDs, code: "51" }).outcomeClass).toBe("WAIT");
  });

  it("lets no generic decline lead on to another PSP where it failed", () => {
    for (const transStatus of ["N", "R"] as const) {
      const threeDs = { transStatus, host: "PSP", hasCryptogram: false } as const;
      expect(classify({ threeDs, code: "05" }).outcomeClass).toBe("AUTH_FAILED");
    }
  });
});

describe("entries of a rule set", () => {
  const entry = (more: Partial<ResponseCode>): ResponseCode => ({
    outcomeClass: "WAIT",
    attribution: "ISSUER",
    waitMs: hourMs,
    fields: [],
    block: undefined,
    alert: false,
    meaning: "",
    origin: "",
    ...more,
  });

  it("come before the house's that are as specific, and leave more specific ones alone", () => {
    const table = codeTableOf([entry({ code: "05" })]);
    expect(classify({ code: "05" }, table).outcomeClass).toBe("WAIT");
    expect(classify({ code: "05", scheme: "mastercard", adviceCode: "03" }, table).outcomeClass).toBe("HARD");
    expect(classify({ code: "51" }, table).waitMs).toBe(dayMs);
  });

  it("are the more specific the more they name: PSP and its code, PSP, advice, code, scheme", () => {
    const table = codeTableOf([
      entry({ code: "05", waitMs: 1 }),
      entry({ code: "05", scheme: "visa", waitMs: 2 }),
      entry({ code: "05", psp: "alpha", waitMs: 3 }),
      entry({ code: "05", psp: "alpha", scheme: "visa", waitMs: 4 }),
      entry({ pspCode: "x", psp: "alpha", waitMs: 5 }),
      entry({ adviceCode: "99", scheme: "visa", waitMs: 6 }),
    ]);
    const waitOf = (more: Partial<PspAnswer>) =>
      classify({ code: "05", psp: "bravo", ...more }, table).waitMs;
    expect(waitOf({})).toBe(1);
    expect(waitOf({ scheme: "visa" })).toBe(2);
    expect(waitOf({ psp: "alpha" })).toBe(3);
    expect(waitOf({ psp: "alpha", scheme: "visa", adviceCode: "99" })).toBe(4);
    expect(waitOf({ scheme: "visa", adviceCode: "99" })).toBe(6);
    expect(waitOf({ psp: "alpha", scheme: "visa", pspCode: "x" })).toBe(5);
  });

  it("count from their first instant to before their last, the younger first", () => {
    const table = codeTableOf([
      entry({ code: "05", fromMs: 1_000, waitMs: 1 }),
      entry({ code: "05", fromMs: 2_000, untilMs: 3_000, waitMs: 2 }),
    ]);
    const at = (atMs: number) => classify({ code: "05" }, table, atMs).waitMs;
    expect([999, 1_000, 1_999, 2_000, 2_999, 3_000].map(at)).toEqual([0, 1, 1, 2, 2, 1]);
  });

  it("are part of the version of the table, which is opened once", () => {
    const own = [entry({ code: "05" })];
    const table = codeTableOf(own);
    expect(codeTableOf(own)).toBe(table);
    expect(table.version).toMatch(new RegExp(`^${houseTable.version}\\+[0-9a-f]{12}$`));
    expect(codeTableOf([entry({ code: "05", waitMs: 2 })]).version).not.toBe(table.version);
    expect(codeTableOf([])).toBe(houseTable);
    expect(table.entries).toEqual([...own, ...houseTable.entries]);
  });
});

describe("the table of the house", () => {
  const { entries } = houseTable;

  it("holds each code that the domain page lists, and no other", () => {
    const listed = domain.flatMap(([codes]) => codes.split(" "));
    const scoped = byScheme.map(([, code]) => code);
    const alone = entries.filter(({ code, adviceCode }) => code !== undefined && adviceCode === undefined);
    expect(new Set(alone.map(({ code }) => code))).toEqual(new Set([...listed, ...scoped]));
    const advice = entries.filter(({ code, adviceCode }) => code === undefined && adviceCode !== undefined);
    expect(advice.map(({ adviceCode }) => adviceCode)).toEqual(
      [...advised.map(([adviceCode]) => adviceCode), ...informing].sort(),
    );
    expect(entries.filter(({ pspCode }) => pspCode !== undefined)).toHaveLength(spelled.length);
    const both = entries.filter(({ code, adviceCode }) => code !== undefined && adviceCode !== undefined);
    expect(both).toHaveLength(matrix.length + 1);
  });

  it("has no two entries for the same answer at the same time", () => {
    const keys = entries.map((entry) =>
      JSON.stringify([
        entry.psp,
        entry.pspCode,
        entry.scheme,
        entry.code,
        entry.adviceCode,
        entry.scaZoneOnly,
      ]),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(entries.filter(({ untilMs }) => untilMs !== undefined)).toEqual([]);
  });

  it("falls back to another entry where one has a condition", () => {
    const conditional = entries.filter(({ scaZoneOnly }) => scaZoneOnly === true);
    expect(conditional.map(({ code }) => code)).toEqual(["65", "65"]);
    for (const { code } of conditional) {
      expect(entries.some((entry) => entry.code === code && entry.scheme === undefined)).toBe(true);
    }
  });

  it.each(
    entries.map(
      (entry) =>
        [
          [entry.psp, entry.pspCode, entry.scheme, entry.code, entry.adviceCode].filter(Boolean).join(" "),
          entry,
        ] as const,
    ),
  )("is well formed at %s", (_, entry) => {
    if (entry.code !== undefined) expect(entry.code).toMatch(/^[0-9A-Z]{2}$/);
    if (entry.adviceCode !== undefined) {
      expect(entry.adviceCode).toMatch(/^\d{2}$/);
      expect(entry.scheme).toBe("mastercard");
    }
    expect(entry.pspCode === undefined).toBe(entry.psp === undefined);
    expect(outcomeClasses).toContain(entry.outcomeClass);
    expect(entry.meaning).not.toBe("");
    expect(entry.origin).toMatch(/^(gk|[A-D]\d)/);
    if (entry.scheme !== undefined) expect(entry.scheme).toMatch(/^[a-z]+$/);
    if (entry.waitMs > 0) expect(["WAIT", "ISSUER_DOWN"]).toContain(entry.outcomeClass);
    if (entry.fields.length > 0) expect(entry.outcomeClass).toBe("DATA");
    if (entry.block !== undefined) expect(entry.outcomeClass).toBe("HARD");
  });

  it("never says by a code what only the caller can know", () => {
    const classes = new Set(entries.map((entry) => entry.outcomeClass));
    const withoutCode = outcomeClasses.filter((outcomeClass) => !classes.has(outcomeClass));
    expect(withoutCode).toEqual(["PENDING", "AUTH_FAILED", "ABANDONED"]);
  });

  it("has a version of day and hash, which changes with its content", () => {
    // A new content needs a new version here: gateways may hold a copy of the table by its version.
    expect(houseTable.version).toBe("2026-11-22-ef17a0c5f762");
  });
});

it.each([
  ["TECH_NOT_PROCESSED", "PSP"],
  ["ISSUER_DOWN", "ISSUER"],
  ["HARD", "ISSUER"],
  ["WAIT", "ISSUER"],
  ["GENERIC", "ISSUER"],
  ["DATA", "PLAYER"],
  ["AUTH_FAILED", "PLAYER"],
  ["ABANDONED", "PLAYER"],
  ["SCA", undefined],
  ["APPROVED", undefined],
  ["PARTIAL", undefined],
  ["PENDING", undefined],
  ["UNKNOWN", undefined],
] as const)("a class of %s that the caller names is held against %s", (outcomeClass, attribution) => {
  expect(describeClass(outcomeClass, undefined)).toMatchObject({ outcomeClass, attribution });
  expect(describeClass(outcomeClass, "THREE_DS").attribution).toBe("THREE_DS");
});
