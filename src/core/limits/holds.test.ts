import { describe, expect, it, test } from "vitest";
import {
  dayMs,
  hourMs,
  makeBook,
  makeHold,
  makeSpec,
  makeTerms,
  minuteMs,
  noonMs,
} from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory, type PlainFact } from "../../../test/helpers/limit-history.ts";
import {
  countsUntil,
  decideHold,
  type HoldFact,
  hearOutcome,
  isUnresolved,
  moveHold,
  type Word,
} from "./holds.ts";
import type { Hold } from "./limit.ts";
import { readUsage } from "./usage.ts";

const validUntilMs = noonMs + 15 * minuteMs;
const terms = makeTerms({ paymentId: "pay", amountMinor: 1_000, converted: new Map([["SEK", 11_501]]) });

function wish(
  verdict: "APPROVE_ROUTE" | "REVIEW" = "APPROVE_ROUTE",
  revision = 0,
): Parameters<typeof decideHold>[1] {
  return { terms: { ...terms, revision }, verdict, authorisations: 2, validUntilMs };
}

function makeWord(part: Partial<Word>): Word {
  return {
    attemptId: "a1",
    became: "APPROVED",
    amountMinor: undefined,
    atMs: noonMs + minuteMs,
    heardAtMs: noonMs + minuteMs,
    open: "NONE",
    stepsLeft: 0,
    validUntilMs,
    ...part,
  };
}

describe("a decision", () => {
  it("holds what is routed for 30 minutes and beyond the last answer that its plan may get", () => {
    const hold = decideHold(undefined, wish(), noonMs)!;
    expect(hold).toEqual({
      ...terms,
      state: "HELD",
      lastWordMs: noonMs,
      authorisations: 2,
      releasesAtMs: noonMs + 30 * minuteMs,
    });
    const long = decideHold(undefined, { ...wish()!, validUntilMs: noonMs + hourMs }, noonMs)!;
    expect(long.releasesAtMs).toBe(noonMs + hourMs + 5 * minuteMs + 1);
  });

  it("holds a review for 24 hours, and lets go of it under all limits then", () => {
    const hold = decideHold(undefined, wish("REVIEW"), noonMs)!;
    expect(hold).toMatchObject({ state: "REVIEW", releasesAtMs: noonMs + dayMs });
    expect(countsUntil(hold, true)).toBe(noonMs + dayMs);
  });

  it("lets silence go under limits of classes 4 to 7 only", () => {
    const hold = makeHold();
    expect(countsUntil(hold, false)).toBe(noonMs + 30 * minuteMs);
    expect(countsUntil(hold, true)).toBe(Infinity);
  });

  it("made again for the same revision moves nothing; a higher one takes its place; a denied one lets go", () => {
    const hold = decideHold(undefined, wish(), noonMs);
    expect(decideHold(hold, wish("APPROVE_ROUTE", 0), noonMs + minuteMs)).toBe(hold);
    expect(decideHold(hold, wish("REVIEW", 1), noonMs + minuteMs)).toMatchObject({
      state: "REVIEW",
      revision: 1,
    });
    expect(decideHold(hold, undefined, noonMs + minuteMs)).toBeUndefined();
  });

  it.each(["UNKNOWN", "PENDING"] as const)(
    "that is denied leaves what is held while an outcome is %s",
    (state) => {
      const hold = makeHold({ state });
      expect(decideHold(hold, undefined, noonMs)).toBe(hold);
    },
  );

  it("made while an outcome is unknown holds the greater of the two amounts, in every currency", () => {
    const hold = makeHold({
      state: "UNKNOWN",
      amountMinor: 5000,
      currency: "EUR",
      converted: new Map([["GBP", 4300]]),
    });
    const next = (amountMinor: number, currency: string, converted: [string, number][]) => {
      const asked = wish("APPROVE_ROUTE", 1)!;
      return { ...asked, terms: { ...asked.terms, amountMinor, currency, converted: new Map(converted) } };
    };
    expect(decideHold(hold, next(9000, "EUR", [["GBP", 7800]]), noonMs)).toEqual({
      ...hold,
      amountMinor: 9000,
      converted: new Map([["GBP", 7800]]),
    });
    expect(decideHold(hold, next(1000, "EUR", [["GBP", 860]]), noonMs)).toEqual(hold);
    expect(decideHold(hold, next(7800, "GBP", [["EUR", 9000]]), noonMs)).toEqual({
      ...hold,
      amountMinor: 9000,
      converted: new Map([["GBP", 7800]]),
    });
  });
});

describe("an outcome", () => {
  const held = decideHold(undefined, wish(), noonMs)!;

  it("that is pending holds for 7 days, one that is unknown for 30 minutes from then on", () => {
    const heardAtMs = noonMs + hourMs;
    const pending = hearOutcome(
      held,
      terms,
      makeWord({ became: "PENDING", open: "PENDING", heardAtMs }),
    ).hold;
    expect(pending).toMatchObject({ state: "PENDING", releasesAtMs: heardAtMs + 7 * dayMs });
    const unknown = hearOutcome(
      held,
      terms,
      makeWord({ became: "UNKNOWN", open: "UNKNOWN", heardAtMs }),
    ).hold;
    expect(unknown).toMatchObject({
      state: "UNKNOWN",
      lastWordMs: heardAtMs,
      releasesAtMs: heardAtMs + 30 * minuteMs,
    });
  });

  it("that approves a part commits that part, in other currencies half up", () => {
    const { hold, facts } = hearOutcome(held, terms, makeWord({ became: "PARTIAL", amountMinor: 333 }));
    expect(hold).toBeUndefined();
    expect(facts.map(({ type }) => type)).toEqual(["payment_attempted", "payment_approved"]);
    // 11501 * 333 / 1000 = 3829.833
    expect(facts[1]).toMatchObject({
      amountMinor: 333,
      countedAtMs: noonMs,
      converted: new Map([["SEK", 3_830]]),
    });
  });

  it("of a withdrawal is a paid one, and its refund a returned one", () => {
    const payout = { ...terms, kind: "withdrawal" } as const;
    const types = (became: Word["became"]): readonly string[] =>
      hearOutcome(undefined, payout, makeWord({ became })).facts.map(({ type }) => type);
    expect(types("APPROVED")).toEqual(["payment_attempted", "withdrawal_paid"]);
    expect(types("REFUNDED")).toEqual(["withdrawal_returned"]);
  });

  it("of an earlier attempt leaves a review as it is, unless it approves or nobody knows", () => {
    const review = decideHold(undefined, wish("REVIEW", 1), noonMs)!;
    expect(hearOutcome(review, terms, makeWord({ became: "GENERIC" })).hold).toBe(review);
    expect(hearOutcome(review, terms, makeWord({ became: "UNKNOWN", open: "UNKNOWN" })).hold?.state).toBe(
      "UNKNOWN",
    );
    expect(hearOutcome(review, terms, makeWord({ became: "APPROVED" })).hold).toBeUndefined();
  });

  it("that comes after everything was let go is a fact all the same", () => {
    const { hold, facts } = hearOutcome(undefined, terms, makeWord({ heardAtMs: noonMs + 90 * dayMs }));
    expect(hold).toBeUndefined();
    expect(facts[1]).toMatchObject({ type: "payment_approved", amountMinor: 1_000, countedAtMs: noonMs });
  });

  it("names the class of a decline", () => {
    const { facts } = hearOutcome(held, terms, makeWord({ became: "WAIT", stepsLeft: 1 }));
    expect(facts.map(({ type, outcome }) => [type, outcome])).toEqual([
      ["payment_attempted", ""],
      ["payment_declined", "WAIT"],
    ]);
  });
});

test("a hold moves with the step to the next PSP", () => {
  const subjects = [
    { kind: "player", id: "p" },
    { kind: "psp", id: "one" },
    { kind: "mid", id: "m1" },
  ] as const;
  const moved = moveHold(
    makeHold({
      subjects,
      values: new Map([
        ["psp", "one"],
        ["mid", "m1"],
      ]),
    }),
    { psp: "two", mid: "" },
  );
  expect(moved.subjects).toEqual([
    { kind: "player", id: "p" },
    { kind: "psp", id: "two" },
  ]);
  expect([...moved.values]).toEqual([["psp", "two"]]);
});

test("what nobody knows is listed after 24 hours, a pending one when its time is up, a review never", () => {
  const unknown = makeHold({ state: "UNKNOWN", lastWordMs: noonMs });
  expect([dayMs - 1, dayMs].map((age) => isUnresolved(unknown, noonMs + age))).toEqual([false, true]);
  const pending = makeHold({ state: "PENDING", releasesAtMs: noonMs + 7 * dayMs });
  expect([7 * dayMs - 1, 7 * dayMs].map((age) => isUnresolved(pending, noonMs + age))).toEqual([false, true]);
  expect(isUnresolved(makeHold({ state: "REVIEW" }), noonMs + 30 * dayMs)).toBe(false);
});

type Status = "unsent" | "DECLINED" | "UNKNOWN" | "PENDING" | "APPROVED" | "VOIDED";

/** Where an attempt may go (`SEMANTICS.md` 4.4). */
const moves: Readonly<Record<Status, readonly Status[]>> = {
  unsent: ["APPROVED", "DECLINED", "UNKNOWN", "PENDING"],
  UNKNOWN: ["APPROVED", "DECLINED", "VOIDED", "PENDING"],
  PENDING: ["APPROVED", "DECLINED", "VOIDED", "UNKNOWN"],
  DECLINED: ["APPROVED"],
  APPROVED: ["VOIDED"],
  VOIDED: [],
};

type Place = {
  readonly attempts: readonly Status[];
  readonly hold: Hold | undefined;
  readonly facts: readonly HoldFact[];
};

function* step({ attempts, hold, facts }: Place): Generator<Place> {
  for (const [at, status] of attempts.entries()) {
    const isOpen = attempts.some((each) => each === "UNKNOWN" || each === "PENDING");
    const isDone = attempts.some((each) => each === "APPROVED");
    // A step is sent after those before it have failed, and not while nobody knows.
    if (status === "unsent" && (isOpen || isDone || attempts.slice(0, at).includes("unsent"))) continue;
    for (const next of moves[status]) {
      const after = attempts.with(at, next);
      const heard = hearOutcome(
        hold,
        terms,
        makeWord({
          attemptId: `a${at}`,
          became: next === "DECLINED" ? "GENERIC" : (next as Word["became"]),
          open: after.includes("UNKNOWN") ? "UNKNOWN" : after.includes("PENDING") ? "PENDING" : "NONE",
          stepsLeft: after.filter((each) => each === "unsent").length,
        }),
      );
      yield { attempts: after, hold: heard.hold, facts: [...facts, ...heard.facts] };
    }
  }
}

function readUsed(
  facts: readonly HoldFact[],
  hold: Hold | undefined,
  counted: "PAYMENTS" | "AUTHORISATIONS",
): number {
  const spec = makeSpec({
    ruleClass: "REGULATORY",
    counted,
    measure: counted === "PAYMENTS" ? "GROSS" : "COUNT",
  });
  // What a history does with facts: one row per natural key.
  const rows = new Map<string, PlainFact>();
  for (const { type, paymentId, attemptId, amountMinor, atMs, countedAtMs } of facts) {
    const key = `${attemptId} ${type}`;
    if (!rows.has(key))
      rows.set(key, {
        type,
        payment: paymentId,
        attempt: attemptId,
        amountMinor,
        atMs,
        countedAtMs: countedAtMs!,
      });
  }
  const book = makeBook([spec]);
  const usage = readUsage(
    { limit: book.limits[0]!, threshold: 10_000, asked: 0, askedKey: NaN },
    { history: makeLimitHistory([...rows.values()]), holds: hold === undefined ? [] : [hold] },
    { nowMs: noonMs + hourMs, latestMs: noonMs + hourMs, paymentId: "", payment: NaN, fx: book.fx },
  );
  return usage!.used;
}

/** Two attempts can settle, be approved late and be voided within so many words. */
const depthMax = 6;

test("every way that two attempts can go counts what was taken or may still be, once, and nothing else", () => {
  let places: readonly Place[] = [
    { attempts: ["unsent", "unsent"], hold: decideHold(undefined, wish(), noonMs), facts: [] },
  ];
  let seen = 0;
  for (let depth = 0; depth <= depthMax; depth++) {
    for (const { attempts, hold, facts } of places) {
      seen++;
      const approved = attempts.filter((each) => each === "APPROVED").length;
      const wasApproved = facts.some(({ type }) => type === "payment_approved");
      const isOpen = attempts.some((each) => each === "UNKNOWN" || each === "PENDING");
      const mayStillBe = isOpen || (attempts.includes("unsent") && !wasApproved);
      const used = readUsed(facts, hold, "PAYMENTS");
      const label = attempts.join();
      if (!wasApproved) {
        expect(used, label).toBe(mayStillBe ? 1_000 : 0);
        const state = attempts.includes("UNKNOWN")
          ? "UNKNOWN"
          : attempts.includes("PENDING")
            ? "PENDING"
            : "HELD";
        expect(hold?.state, label).toBe(mayStillBe ? state : undefined);
      } else {
        // Two approvals are both counted until one is voided; an attempt still open adds nothing to one approval.
        expect(used, label).toBeGreaterThanOrEqual(approved * 1_000);
        expect(used, label).toBeLessThanOrEqual(Math.max(approved, isOpen ? 1 : 0) * 1_000);
      }
      const sent = attempts.filter((each) => each !== "unsent").length;
      const toSend = hold === undefined ? 0 : attempts.length - sent;
      expect(readUsed(facts, hold, "AUTHORISATIONS"), label).toBe(sent + toSend);
    }
    places = places.flatMap((place) => [...step(place)]);
  }
  expect(seen).toBeGreaterThan(500);
});
