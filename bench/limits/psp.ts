import { LabelBook } from "../../src/core/events/label-book.ts";
import { FactRowMaker, noAnswer } from "../../src/core/events/payment-fact.ts";
import { factRowId } from "../../src/core/events/row-id.ts";
import { hashWide } from "../../src/core/history/hash-wide.ts";
import { HistoryTable } from "../../src/core/history/history-table.ts";
import { type BuiltLimit, buildLimits } from "../../src/core/limits/build-limits.ts";
import { HoldList } from "../../src/core/limits/hold-list.ts";
import type { Hold, LimitSpec } from "../../src/core/limits/limit.ts";
import type { Asker, SubjectState, UsageQuestion } from "../../src/core/limits/usage.ts";
import { buildFx } from "../../src/core/money.ts";
import { createRandom } from "../corpus/random.ts";

export const dayMs = 86_400_000;
const minuteMs = 60_000;
const startMs = Date.UTC(2026, 2, 22);
const openHolds = 200;
const rowsPerPayment = 2;

const psp = { kind: "psp", id: "alpha" } as const;
const schemes = ["visa", "mastercard", "maestro", "amex"];
const fx = makeFx();

/** What an operator wishes of a PSP: so much a day, so many payments, and so many cards. */
export const limits: readonly BuiltLimit[] = buildLimits({
  limits: [
    makeSpec({ id: "volume", measure: "GROSS", currency: "EUR" }),
    makeSpec({ id: "payments", measure: "COUNT" }),
    makeSpec({ id: "cards", measure: "DISTINCT", distinctOf: "card" }),
  ],
  fx,
  version: 1,
  segments: [],
  eventSlots: [],
  lists: [],
}).limits;

/** A PSP with payments at even intervals, `rowsInWindow` rows in 24 hours: all tried, nine of ten approved, one of ten in another currency. */
export class BenchPsp {
  nowMs = startMs;
  readonly #random = createRandom(7);
  readonly #table: HistoryTable;
  readonly #holds = new HoldList();
  readonly #maker = new FactRowMaker(new LabelBook(100_000));
  readonly #stepMs: number;
  #payments = 0;

  /** Shapes: `rowsMax` is the cap of the history, a power of two. */
  constructor(rowsInWindow: number, rowsMax: number) {
    this.#table = new HistoryTable({ rowsMax, slabRows: rowsMax * 4 });
    this.#stepMs = (dayMs * rowsPerPayment) / rowsInWindow;
    for (let payment = 0; payment < openHolds + rowsInWindow / rowsPerPayment; payment++) this.pay();
  }

  state(): SubjectState {
    return { history: this.#table.view(this.#number()), holds: this.#holds };
  }

  /** A payment is decided, and the oldest that is open gets its answer. */
  pay(): void {
    this.nowMs += this.#stepMs;
    this.#holds.add(this.#makeHold());
    if (this.#holds.length <= openHolds) return;
    const oldest = this.#holds[0]!;
    this.#holds.take(oldest);
    this.#tell(oldest, "payment_attempted");
    this.#tell(oldest, this.#random.chance(0.9) ? "payment_approved" : "payment_declined");
  }

  asker(): Asker {
    const paymentId = `asks-${this.#payments}`;
    return { nowMs: this.nowMs, latestMs: Infinity, paymentId, payment: hashWide(paymentId), fx };
  }

  #number(): number {
    return this.#table.open("bench", psp);
  }

  #makeHold(): Hold {
    const amountMinor = 1_000 + this.#random.index(20_000);
    const isForeign = this.#random.chance(0.1);
    const instantMs = Math.floor(this.nowMs);
    return {
      paymentId: `payment-${this.#payments++}`,
      revision: 0,
      playerId: "p",
      kind: "deposit",
      amountMinor,
      currency: isForeign ? "SEK" : "EUR",
      converted: new Map(isForeign ? [["EUR", Math.round(amountMinor / 11.5)]] : []),
      ratesVersion: 1,
      instantMs,
      lastWordMs: instantMs,
      state: "HELD",
      releasesAtMs: instantMs + 30 * minuteMs,
      authorisations: 1,
      values: new Map([["card", `fingerprint:${this.#random.index(50_000)}`]]),
      subjects: [psp],
    };
  }

  #tell(hold: Hold, type: "payment_attempted" | "payment_approved" | "payment_declined"): void {
    const { playerId, paymentId, amountMinor, currency, instantMs, converted, values } = hold;
    const fact = {
      type,
      playerId,
      paymentId,
      attemptId: `${paymentId}-1`,
      kind: "deposit",
      amountMinor,
    } as const;
    const id = factRowId({ merchantId: "bench", ...fact });
    const row = this.#maker.make(
      {
        ...fact,
        ...{ currency, atMs: Math.floor(this.nowMs), countedAtMs: instantMs, converted, ratesVersion: 1 },
        ...{
          method: "card",
          psp: psp.id,
          mid: "",
          brand: "",
          scheme: this.#random.pick(schemes),
          funding: "",
        },
        ...{ outcome: "", card: values.get("card")!, device: "", ip: "", bin: "", ...noAnswer },
      },
      id,
      "psp",
    );
    this.#table.place(this.#number(), row, { isPaymentFact: true, amountWins: true });
  }
}

/** What a decision asks of the PSP. */
export function makeQuestions(): readonly UsageQuestion[] {
  return limits.map((limit) => ({
    limit,
    threshold: 1_000_000_000,
    asked: limit.spec.measure === "GROSS" ? 5_000 : 1,
    askedKey: limit.spec.measure === "DISTINCT" ? hashWide("fingerprint:7") : NaN,
  }));
}

function makeSpec(part: Pick<LimitSpec, "id" | "measure"> & Partial<LimitSpec>): LimitSpec {
  return {
    ...{ ruleClass: "DEFAULT", kinds: ["deposit"], subject: "psp", key: undefined, counted: "PAYMENTS" },
    ...{ distinctOf: undefined, counts: undefined, applies: undefined, currency: "" },
    window: { kind: "rolling", spanMs: dayMs, offsetMs: 0 },
    thresholds: [],
    ...{ breach: "EXCLUDE_PSP", closesOnUnknown: false, countedAt: "DECIDED", netFloorNone: false },
    ...{ reason: "", playerMessageKey: "", purposes: ["payments"], actions: [] },
    ...{ fromMs: undefined, untilMs: undefined },
    ...part,
  };
}

function makeFx(): Asker["fx"] {
  const built = buildFx({ rates: [{ from: "EUR", to: "SEK", rate: "11.5" }], base: "EUR" });
  if (!built.ok) throw new Error("the rates are wrong");
  return built.fx;
}
