import fc from "fast-check";
import { expect, test } from "vitest";
import { dayMs, hourMs, makeBook, makeHold, makeSpec, minuteMs } from "../../../test/helpers/limit-cases.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { PaymentFactType } from "../events/event-types.ts";
import { LabelBook } from "../events/label-book.ts";
import { FactRowMaker, noAnswer } from "../events/payment-fact.ts";
import { factRowId } from "../events/row-id.ts";
import type { CalendarPeriod } from "../features/feature.ts";
import { hashWide } from "../history/hash-wide.ts";
import { HistoryTable, type Undo } from "../history/history-table.ts";
import type { BuiltLimit } from "./build-limits.ts";
import { HoldList } from "./hold-list.ts";
import type { Hold, LimitSpec } from "./limit.ts";
import { SumsCache } from "./sums-cache.ts";
import { type Asker, readByRow, readUsage, type SubjectState } from "./usage.ts";

/** Clocks change in Berlin in the night before this noon. */
const startMs = Date.UTC(2026, 2, 29, 10);
const psp = { kind: "psp", id: "alpha" } as const;
const zone = "Europe/Berlin";
/** Enough for a feed, before and after some are folded, and mostly of other things, so that few payments are many rows. */
const otherRows = 690;
const rowsMax = 700;

type Step =
  | { readonly kind: "fact"; readonly fact: Fact; readonly isUndone: boolean }
  | { readonly kind: "reverse"; readonly fact: Fact }
  | { readonly kind: "hold"; readonly payment: number; readonly hold: Held }
  | { readonly kind: "release"; readonly payment: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "reload" }
  | { readonly kind: "ask"; readonly ask: Ask };

type Fact = {
  readonly type: PaymentFactType;
  readonly payment: number;
  /** 0 where it is not told. */
  readonly attempt: number;
  readonly amountMinor: number;
  /** `SEK` is told with what it was converted to, `JPY` is not, and no rate leads from `BRL`. */
  readonly currency: "EUR" | "SEK" | "JPY" | "BRL";
  readonly beforeMs: number;
  readonly countedBeforeMs: number | undefined;
  readonly card: string;
  readonly kind: "deposit" | "withdrawal";
};

type Held = {
  readonly beforeMs: number;
  readonly amountMinor: number;
  readonly currency: "EUR" | "SEK" | "BRL";
  readonly state: Hold["state"];
  readonly authorisations: number;
  readonly lastsMs: number;
  readonly card: string;
};

type Ask = {
  readonly payment: number;
  readonly threshold: number;
  readonly asked: number;
  readonly card: string;
  /** Whether the clock is the caller's, and by how much he is late. */
  readonly lateMs: number;
  readonly isServerClock: boolean;
};

const approval: Fact = {
  ...{ type: "payment_approved", payment: 1, attempt: 1, amountMinor: 5, currency: "EUR" },
  ...{ beforeMs: 0, countedBeforeMs: 0, card: "", kind: "deposit" },
};

/** A PSP with its rows and open holds, as the stores keep them. */
class House {
  nowMs = startMs;
  readonly #table = new HistoryTable({ rowsMax, slabRows: 4_096 });
  readonly #maker = new FactRowMaker(new LabelBook(10_000));
  readonly #holds = new Map<number, Hold>();
  readonly #list = new HoldList();
  /** When something first undid a payment, and when something last happened to it. */
  readonly #undoneAtMs = new Map<number, number>();
  readonly #newestAtMs = new Map<number, number>();

  constructor() {
    const label = { type: "login", currency: "", values: new Map(), wides: [] };
    for (let id = 0; id < otherRows; id++) {
      const atMs = startMs - (id % 300) * minuteMs;
      this.#table.place(
        this.#number(),
        { id, atMs, amountMinor: 0, label, wides: [] },
        { isPaymentFact: false },
      );
    }
  }

  state(): SubjectState {
    return { history: this.#table.view(this.#number()), holds: this.#list };
  }

  take(step: Step): void {
    switch (step.kind) {
      case "fact":
        this.#place(step.fact, step.isUndone);
        return;
      case "reverse":
        this.#table.reverse(this.#number(), {
          id: this.#idOf(step.fact),
          atMs: this.nowMs - step.fact.beforeMs,
        });
        return;
      case "hold":
        this.#hold(step.payment, step.hold);
        return;
      case "release":
        this.#release(step.payment);
        return;
      case "wait":
        this.nowMs += step.ms;
        return;
      case "reload":
        this.#reload();
        return;
      case "ask":
    }
  }

  #number(): number {
    return this.#table.open("m", psp);
  }

  #idOf({ type, payment, attempt }: Fact): number {
    return factRowId({ merchantId: "m", paymentId: `p${payment}`, attemptId: nameAttempt(attempt), type });
  }

  #place(fact: Fact, isUndone: boolean): void {
    const { type, payment, attempt, beforeMs, countedBeforeMs, currency, amountMinor } = fact;
    const atMs = this.#tellAt(type, payment, this.nowMs - beforeMs);
    if (atMs === undefined) return;
    const told = { method: "card", psp: psp.id, mid: "", brand: "", scheme: "", funding: "" };
    const row = this.#maker.make(
      {
        ...{ ...fact, ...told, ...noAnswer, outcome: "" as const, device: "", ip: "", bin: "" },
        ...{ playerId: `player-${payment % 3}`, paymentId: payment === 0 ? "" : `p${payment}` },
        ...{ attemptId: nameAttempt(attempt), atMs, ratesVersion: 1 },
        countedAtMs: countedBeforeMs === undefined ? undefined : atMs - countedBeforeMs,
        converted: new Map(currency === "SEK" ? [["EUR", Math.ceil(amountMinor / 10)]] : []),
      },
      this.#idOf(fact),
      "psp",
    );
    const undo: Undo[] = [];
    this.#table.place(this.#number(), row, { isPaymentFact: true, amountWins: true, undo });
    if (isUndone) for (const each of undo.reverse()) each(this.#number());
  }

  /**
   * Who reads row by row reads a day of them before the window. Money that comes later than that after what undid it is no story; undefined where it
   * would be one.
   */
  #tellAt(type: PaymentFactType, payment: number, atMs: number): number | undefined {
    const undoneAtMs = this.#undoneAtMs.get(payment) ?? Infinity;
    const newestAtMs = this.#newestAtMs.get(payment) ?? -Infinity;
    if (atMs - undoneAtMs > 20 * hourMs) return undefined;
    const isUndoing = type === "payment_voided" || type === "withdrawal_paid";
    const toldAtMs = isUndoing ? Math.max(atMs, newestAtMs) : atMs;
    if (isUndoing) this.#undoneAtMs.set(payment, Math.min(undoneAtMs, toldAtMs));
    this.#newestAtMs.set(payment, Math.max(newestAtMs, toldAtMs));
    return toldAtMs;
  }

  #hold(payment: number, held: Held): void {
    this.#release(payment);
    const { beforeMs, currency, card, lastsMs, ...rest } = held;
    const hold = makeHold({
      ...rest,
      ...{ paymentId: `p${payment}`, currency, instantMs: this.nowMs - beforeMs },
      releasesAtMs: this.nowMs + lastsMs,
      converted: new Map(currency === "SEK" ? [["EUR", 7]] : []),
      values: new Map([
        ["method", "card"],
        ["card", card],
      ]),
    });
    this.#holds.set(payment, hold);
    this.#list.add(hold);
  }

  #release(payment: number): void {
    const hold = this.#holds.get(payment);
    if (hold !== undefined) this.#list.take(hold);
    this.#holds.delete(payment);
  }

  #reload(): void {
    const number = this.#number();
    const chunks: Uint8Array[] = [];
    for (let row = 0; row < this.#table.countRows(number); row += 512)
      chunks.push(this.#table.packRows(number, row));
    const packed = { head: this.#table.packHead(number), chunks };
    this.#table.markClean(number);
    this.#table.evict(number);
    this.#table.unpackInto(number, packed);
  }
}

function nameAttempt(attempt: number): string {
  return attempt === 0 ? "" : `a${attempt}`;
}

const types: readonly PaymentFactType[] = [
  ...(["payment_attempted", "payment_approved", "payment_approved", "payment_approved"] as const),
  ...(["payment_declined", "payment_cleared", "payment_voided", "payment_refunded"] as const),
  ...(["payment_charged_back", "withdrawal_requested", "withdrawal_paid", "withdrawal_returned"] as const),
];

const beforeMs = fc.oneof(
  fc.constant(0),
  fc.nat({ max: 90 * minuteMs }),
  fc.constantFrom(6 * hourMs, 6 * hourMs - 1, 11 * hourMs, 11 * hourMs + 1),
  fc.nat({ max: 30 * hourMs }),
);
const card = fc.constantFrom("", "c1", "c2", "c3");
const amountMinor = fc.integer({ min: 0, max: 900 });
/** Few, so that much happens to each. */
const payment = fc.integer({ min: 0, max: 9 });

const arbitraryFact: fc.Arbitrary<Fact> = fc.record({
  type: fc.constantFrom(...types),
  payment,
  attempt: fc.nat({ max: 2 }),
  amountMinor,
  currency: fc.constantFrom("EUR", "EUR", "EUR", "EUR", "SEK", "JPY"),
  beforeMs,
  countedBeforeMs: fc.option(fc.constantFrom(0, minuteMs, 2 * hourMs), { nil: undefined }),
  card,
  kind: fc.constantFrom("deposit", "deposit", "deposit", "withdrawal"),
});

const arbitraryHeld: fc.Arbitrary<Held> = fc.record({
  beforeMs,
  amountMinor,
  currency: fc.constantFrom("EUR", "EUR", "SEK"),
  state: fc.constantFrom("HELD", "UNKNOWN", "PENDING", "REVIEW"),
  authorisations: fc.nat({ max: 3 }),
  lastsMs: fc.integer({ min: -minuteMs, max: 8 * hourMs }),
  card,
});

const arbitraryAsk: fc.Arbitrary<Ask> = fc.record({
  payment: fc.oneof(fc.constant(-1), payment),
  threshold: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 20_000 })),
  asked: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 9_000 })),
  card,
  lateMs: fc.constantFrom(0, 0, 0, 1_000, 2 * hourMs),
  isServerClock: fc.boolean(),
});

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("fact" as const),
      fact: arbitraryFact,
      isUndone: fc.integer({ max: 9, min: 0 }).map((chance) => chance === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reverse" as const), fact: arbitraryFact }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("hold" as const), payment, hold: arbitraryHeld }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), payment }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 5 * hourMs }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "reload" as const }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("ask" as const), ask: arbitraryAsk }) },
);

const arbitrarySpec: fc.Arbitrary<LimitSpec> = fc
  .record({
    measure: fc.constantFrom("COUNT", "GROSS", "GROSS", "NET", "DISTINCT"),
    counted: fc.constantFrom("PAYMENTS", "PAYMENTS", "AUTHORISATIONS", "DECLINES"),
    distinctOf: fc.constantFrom("card", "player", "method"),
    window: fc.constantFrom("hour", "rolling", "rolling", "DAY", "WEEK"),
    ruleClass: fc.constantFrom("REGULATORY", "RISK"),
    netFloorNone: fc.boolean(),
  })
  .map(({ measure, counted, distinctOf, window, ruleClass, netFloorNone }) => {
    const isSum = measure === "GROSS" || measure === "NET";
    const rolling = window === "hour" ? hourMs : 6 * hourMs;
    return makeSpec({
      ...{ measure: measure as LimitSpec["measure"], netFloorNone, subject: "psp", closesOnUnknown: true },
      ruleClass: ruleClass as LimitSpec["ruleClass"],
      counted: isSum ? "PAYMENTS" : (counted as LimitSpec["counted"]),
      distinctOf: measure === "DISTINCT" ? (distinctOf as "card") : undefined,
      currency: isSum ? "EUR" : "",
      window:
        window === "hour" || window === "rolling"
          ? { kind: "rolling", spanMs: rolling, offsetMs: 0 }
          : { kind: "calendar", period: window as CalendarPeriod, zone, weekStart: 1, anchorDay: 0, back: 0 },
    });
  });

function introduce(house: House, { payment: asking, lateMs, isServerClock }: Ask, limit: BuiltLimit): Asker {
  const nowMs = house.nowMs - lateMs;
  const paymentId = asking < 0 ? "" : `p${asking}`;
  return {
    nowMs,
    latestMs: isServerClock ? Infinity : nowMs,
    paymentId,
    payment: paymentId === "" ? NaN : hashWide(paymentId),
    fx: ratesOf.get(limit)!,
  };
}

const ratesOf = new WeakMap<BuiltLimit, Asker["fx"]>();

function build(spec: LimitSpec): BuiltLimit {
  const book = makeBook([spec]);
  ratesOf.set(book.limits[0]!, book.fx);
  return book.limits[0]!;
}

function compare(house: House, limit: BuiltLimit, ask: Ask, cache: SumsCache): void {
  const asker = introduce(house, ask, limit);
  const { measure } = limit.spec;
  const asked = measure === "GROSS" || measure === "NET" ? ask.asked : Math.min(ask.asked, 4);
  const askedKey = measure === "DISTINCT" && ask.card !== "" ? hashWide(ask.card) : NaN;
  const question = { limit, threshold: ask.threshold, asked, askedKey };
  const state = house.state();
  const want = readByRow(question, state, asker);
  // The first readings earn the sums, the others are of them.
  const rounds = cache.count() === 0 ? 4 : 1;
  for (let round = 0; round < rounds; round++) expect(readUsage(question, state, asker, cache)).toEqual(want);
}

test("sums say what every row and every hold says, whatever comes, changes, is undone, folded, reloaded or leaves", () => {
  let kept = 0;
  fc.assert(
    fc.property(
      arbitrarySpec,
      fc.array(arbitraryStep, { minLength: 10, maxLength: 120, size: "max" }),
      arbitraryAsk,
      (spec, steps, last) => {
        const house = new House();
        const limit = build(spec);
        const cache = new SumsCache();
        for (const step of steps) {
          house.take(step);
          if (step.kind === "ask") compare(house, limit, step.ask, cache);
        }
        compare(house, limit, last, cache);
        kept += cache.count();
      },
    ),
    { numRuns: countRuns(250) },
  );
  expect(kept).toBeGreaterThan(0);
});

test("an amount that no rate converts closes the reading only while it is in the window", () => {
  const house = new House();
  const limit = build(makeSpec({ subject: "psp", window: { kind: "rolling", spanMs: hourMs, offsetMs: 0 } }));
  const cache = new SumsCache();
  const ask: Ask = { payment: -1, threshold: 100, asked: 1, card: "", lateMs: 0, isServerClock: true };
  house.take({ kind: "fact", fact: approval, isUndone: false });
  house.take({ kind: "fact", fact: { ...approval, payment: 2, currency: "BRL" }, isUndone: false });
  const read = () =>
    readUsage(
      { limit, threshold: 100, asked: 1, askedKey: NaN },
      house.state(),
      introduce(house, ask, limit),
      cache,
    );
  for (let round = 0; round < 4; round++) expect(read()).toBeUndefined();
  house.take({ kind: "wait", ms: hourMs });
  house.take({ kind: "fact", fact: { ...approval, payment: 3 }, isUndone: false });
  expect(read()).toMatchObject({ used: 5 });
  expect(cache.count()).toBe(1);
});

test("an old window is read row by row, and the sums stay those of the new one", () => {
  const house = new House();
  const limit = build(makeSpec({ subject: "psp", window: { kind: "rolling", spanMs: dayMs, offsetMs: 0 } }));
  const cache = new SumsCache();
  const ask: Ask = {
    payment: -1,
    threshold: 10_000,
    asked: 1,
    card: "",
    lateMs: 0,
    isServerClock: false,
  };
  house.take({ kind: "fact", fact: approval, isUndone: false });
  compare(house, limit, ask, cache);
  house.take({ kind: "wait", ms: 2 * hourMs });
  house.take({ kind: "fact", fact: { ...approval, payment: 2 }, isUndone: false });
  compare(house, limit, { ...ask, lateMs: hourMs }, cache);
  compare(house, limit, ask, cache);
  expect(cache.count()).toBe(1);
});
