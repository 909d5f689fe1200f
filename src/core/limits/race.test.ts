import fc from "fast-check";
import { expect, test } from "vitest";
import {
  hourMs,
  makeBook,
  makeInquiry,
  makePayment,
  makeSpec,
  minuteMs,
  noonMs,
} from "../../../test/helpers/limit-cases.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { LabelBook } from "../events/label-book.ts";
import { FactRowMaker, noAnswer } from "../events/payment-fact.ts";
import { factRowId } from "../events/row-id.ts";
import type { Subject } from "../history/history.ts";
import { HistoryTable } from "../history/history-table.ts";
import type { PaymentKind } from "../payment.ts";
import { askLimits, convertForLimits } from "./ask.ts";
import type { LimitBook } from "./build-limits.ts";
import { decideHold, type HoldFact, type HoldTerms, hearOutcome, type Word } from "./holds.ts";
import { judgeLimits } from "./judge.ts";
import type { Hold, LimitSpec } from "./limit.ts";
import type { SubjectState } from "./usage.ts";

const player: Subject = { kind: "player", id: "p" };

/** What a store keeps of one player: rows as the service makes and keeps them, and open holds by payment. */
class MemoryStore {
  readonly holds = new Map<string, Hold>();
  readonly #table = new HistoryTable({ slabRows: 4_096, rowsMax: 1_024 });
  readonly #maker = new FactRowMaker(new LabelBook(1_000));

  read(): SubjectState {
    const at = this.#table.find("m", player);
    return { history: at < 0 ? undefined : this.#table.view(at), holds: [...this.holds.values()] };
  }

  settle(paymentId: string, hold: Hold | undefined): void {
    if (hold === undefined) this.holds.delete(paymentId);
    else this.holds.set(paymentId, hold);
  }

  keep(fact: HoldFact): void {
    const unknown = { method: "card", psp: "", mid: "", brand: "", scheme: "", funding: "" };
    const id = factRowId({ merchantId: "m", ...fact });
    const row = this.#maker.make(
      { ...fact, ...unknown, card: "", device: "", ip: "", bin: "", ...noAnswer },
      id,
      "player",
    );
    this.#table.place(this.#table.open("m", player), row, { isPaymentFact: true });
  }
}

type Caller = { readonly paymentId: string; readonly amountMinor: number; readonly kind?: PaymentKind };

function makeTermsOf(book: LimitBook, { paymentId, amountMinor }: Caller, nowMs: number): HoldTerms {
  const converted = convertForLimits(book, { minorUnits: amountMinor, currencyCode: "EUR" }, []);
  const values = new Map([["method", "card"]]);
  return {
    ...{ paymentId, revision: 0, playerId: "p", kind: "deposit", amountMinor, currency: "EUR", converted },
    ...{ ratesVersion: 1, instantMs: nowMs, values, subjects: [player] },
  };
}

/** Reads, judges and holds without letting anybody in between, as the embedded store does. */
function reserve(
  store: MemoryStore,
  book: LimitBook,
  caller: Caller,
  at: { readonly nowMs: number; readonly latestMs: number },
): boolean {
  const payment = makePayment({ paymentId: caller.paymentId, amountMinor: caller.amountMinor });
  const inquiry = makeInquiry(book, { payment, nowMs: at.nowMs, steps: 2 });
  const judged = judgeLimits(
    askLimits(inquiry),
    { read: () => store.read(), ...at, paymentId: caller.paymentId, fx: book.fx },
    2,
  );
  if (!judged.ok) return false;
  const wish = {
    terms: makeTermsOf(book, caller, at.nowMs),
    verdict: "APPROVE_ROUTE",
    authorisations: judged.steps,
    validUntilMs: at.nowMs + 15 * minuteMs,
  } as const;
  store.settle(caller.paymentId, decideHold(store.holds.get(caller.paymentId), wish, at.nowMs));
  return true;
}

function report(
  store: MemoryStore,
  terms: HoldTerms,
  part: Partial<Word> & Pick<Word, "became" | "heardAtMs">,
): void {
  const word = {
    attemptId: "a1",
    amountMinor: undefined,
    atMs: part.heardAtMs,
    open: "NONE",
    stepsLeft: 0,
    validUntilMs: 0,
    ...part,
  } as const;
  const heard = hearOutcome(store.holds.get(terms.paymentId), terms, word);
  store.settle(terms.paymentId, heard.hold);
  for (const fact of heard.facts) store.keep(fact);
}

const callers = 64;
const fitting = 10;

const sum = makeSpec({ id: "sum", ruleClass: "REGULATORY", closesOnUnknown: true });
const count = makeSpec({
  id: "count",
  measure: "COUNT",
  thresholds: [{ segment: undefined, value: fitting }],
});
const sent = makeSpec({
  id: "sent",
  measure: "COUNT",
  counted: "AUTHORISATIONS",
  thresholds: [{ segment: undefined, value: fitting }],
});

const arbitraryRound = fc.record({
  specs: fc.constantFrom<readonly LimitSpec[]>([sum], [count], [sum, count], [sum, count, sent]),
  waits: fc.array(fc.nat({ max: 5 }), { minLength: callers, maxLength: callers }),
  outcomes: fc.array(fc.constantFrom("APPROVED", "UNKNOWN", "none"), {
    minLength: callers,
    maxLength: callers,
  }),
  isAtMidnight: fc.boolean(),
});

test("64 callers race for one player's limit: what is admitted is exactly the limit", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryRound, async ({ specs, waits, outcomes, isAtMidnight }) => {
      const store = new MemoryStore();
      const book = makeBook(specs);
      const startMs = isAtMidnight ? noonMs + 12 * hourMs : noonMs;
      let clockMs = startMs;
      const run = async (at: number): Promise<boolean> => {
        const caller = { paymentId: `pay-${at}`, amountMinor: 1_000 };
        // The instant of the payment is taken at the door; then it may have to wait for its player.
        const nowMs = clockMs++;
        for (let turn = 0; turn < waits[at]!; turn++) await undefined;
        const isAdmitted = reserve(store, book, caller, { nowMs, latestMs: clockMs });
        for (let turn = 0; turn < waits[callers - 1 - at]!; turn++) await undefined;
        const became = outcomes[at]!;
        if (!isAdmitted || became === "none") return isAdmitted;
        const open = became === "UNKNOWN" ? "UNKNOWN" : "NONE";
        report(store, makeTermsOf(book, caller, nowMs), { became, open, heardAtMs: clockMs++ } as Word);
        // The gateway asks again: nothing moves.
        if (became === "UNKNOWN") reserve(store, book, caller, { nowMs, latestMs: clockMs });
        return isAdmitted;
      };
      const admitted = await Promise.all(Array.from({ length: callers }, (_, at) => run(at)));
      const number = admitted.filter(Boolean).length;
      if (specs.includes(sent)) {
        // Two authorisations each are reserved while there are two, and what is not sent comes back with the outcome.
        expect(number).toBeGreaterThanOrEqual(fitting / 2);
        expect(number).toBeLessThanOrEqual(fitting);
      } else expect(number).toBe(fitting);
    }),
    // 1,000 rounds in the long suite.
    { numRuns: countRuns(50) },
  );
});

test("under any order of payments and outcomes no limit is overspent, and at the end all is used that was approved", () => {
  const step = fc.record({
    payment: fc.nat({ max: 7 }),
    does: fc.constantFrom("decide", "decide", "APPROVED", "GENERIC", "UNKNOWN", "VOIDED", "PARTIAL"),
    amountMinor: fc.integer({ min: 1, max: 6_000 }),
    laterMs: fc.integer({ min: 0, max: 20 * minuteMs }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const store = new MemoryStore();
      const book = makeBook([sum]);
      const decided = new Map<string, HoldTerms>();
      const taken = new Map<string, number>();
      const settled = new Set<string>();
      let nowMs = noonMs;
      for (const { payment, does, amountMinor, laterMs } of steps) {
        nowMs += laterMs;
        const paymentId = `pay-${payment}`;
        const terms = decided.get(paymentId);
        if (does === "decide") {
          const caller = { paymentId, amountMinor: terms?.amountMinor ?? amountMinor };
          if (terms === undefined && reserve(store, book, caller, { nowMs, latestMs: nowMs }))
            decided.set(paymentId, makeTermsOf(book, caller, nowMs));
        } else if (terms !== undefined && !settled.has(paymentId)) {
          const part = Math.min(amountMinor, terms.amountMinor);
          report(store, terms, {
            became: does,
            open: does === "UNKNOWN" ? "UNKNOWN" : "NONE",
            amountMinor: does === "PARTIAL" ? part : undefined,
            heardAtMs: nowMs,
          } as Word);
          if (does !== "UNKNOWN") settled.add(paymentId);
          if (does === "APPROVED") taken.set(paymentId, terms.amountMinor);
          if (does === "PARTIAL") taken.set(paymentId, part);
        }
        let held = 0;
        for (const [id, { amountMinor }] of decided)
          held += settled.has(id) ? (taken.get(id) ?? 0) : amountMinor;
        const inquiry = makeInquiry(book, { payment: makePayment({ paymentId: "reader" }), nowMs });
        const state = { read: () => store.read(), nowMs, paymentId: "reader", fx: book.fx };
        const { used, overrun } = judgeLimits(askLimits(inquiry), state).readings[0]!;
        // All within a day: what was reserved is used until it is settled, then exactly what was taken.
        if (nowMs < noonMs + 24 * hourMs) expect({ used, overrun }).toEqual({ used: held, overrun: false });
      }
    }),
    { numRuns: countRuns(200) },
  );
});
