/**
 * How long it takes to read what limits have used of a PSP, the more payments it has.
 *
 *   npm run bench:limits               about a minute
 *   npm run bench:limits -- --small    a tiny run of everything, for the tests
 *
 * One PSP with 100, 10,000 and 100,000 rows in 24 hours, each in a history that keeps them all, and one with 100,000 in a history of the usual cap, which
 * keeps the rest in tiles; 200 payments are open. A decision reads three limits of it: gross volume, payments and cards in rolling 24 hours. Before
 * each a payment is decided and another one answered, which moves the window on. Sizes take turns; in a turn some decisions are read row by row too, of
 * the very same state, and both must be equal. `usPerPayment` is what a payment costs its PSP with sums being kept, the search for rows of the same id
 * included, and `usPerPaymentPlain` without. `makeMs` is the longest reading of all three while sums were made, `bytesPerRow` what the sums of one
 * limit take. The overrun is that of an approval that was told late. Medians over turns. Ends with one line `RESULT {json}`.
 */
import { isDeepStrictEqual, parseArgs } from "node:util";
import { isOverrunSince } from "../src/core/limits/overrun.ts";
import { SumsCache } from "../src/core/limits/sums-cache.ts";
import { readByRow, readUsage } from "../src/core/limits/usage.ts";
import { tuneHeap } from "../src/platform/heap.ts";
import { BenchPsp, dayMs, limits, makeQuestions } from "./limits/psp.ts";
import { collectGarbage } from "./players/process.ts";
import { findMedian } from "./rules/measure.ts";
import { describeMachine, formatTable, showProgress } from "./rules/report.ts";

type Plan = {
  readonly sizes: readonly number[];
  readonly cappedRows: number;
  readonly overrunRows: number;
  readonly turns: number;
  /** Of a turn. */
  readonly decisions: number;
};

const fullPlan: Plan = {
  sizes: [100, 10_000, 100_000],
  cappedRows: 100_000,
  overrunRows: 10_000,
  turns: 15,
  decisions: 200,
};
const smallPlan: Plan = {
  sizes: [100, 2_000],
  cappedRows: 4_000,
  overrunRows: 500,
  turns: 3,
  decisions: 10,
};
/** More than any run needs; the usual one is 2^14. */
const wholeRowsMax = 1 << 18;
const usualRowsMax = 1 << 14;
const smallRowsMax = 1 << 11;
/** How many decisions of a turn are read row by row too: so many rows, and so many decisions at least. */
const byRowRows = 20_000;
const byRowMin = 2;
/** Turns that do not count: machine code is made. */
const warmTurns = 2;

tuneHeap();
const { values: options } = parseArgs({ options: { small: { type: "boolean", default: false } } });
main(options.small ? smallPlan : fullPlan);

type House = {
  readonly name: string;
  readonly rows: number;
  readonly psp: BenchPsp;
  /** The same payments, of which no sums are kept. */
  readonly plain: BenchPsp;
  readonly cache: SumsCache;
  readonly bytesPerRow: number;
  readonly makeMs: number;
};

type Turn = { sumsUs: number; byRowUs: number; payUs: number; plainPayUs: number };

function main(plan: Plan): void {
  console.log(`limits: ${describeMachine()}`);
  console.log(`${limits.length} limits, ${plan.turns} turns of ${plan.decisions} decisions\n`);
  const cappedMax = plan === smallPlan ? smallRowsMax : usualRowsMax;
  const houses = [
    ...plan.sizes.map((rows) => open(String(rows), rows, wholeRowsMax)),
    open("capped", plan.cappedRows, cappedMax),
  ];
  const turns = houses.map((): Turn[] => []);
  const total = warmTurns + plan.turns;
  for (let turn = 0; turn < total; turn++) {
    for (const [at, house] of houses.entries()) {
      const taken = takeTurn(house, plan);
      if (turn >= warmTurns) turns[at]!.push(taken);
    }
    showProgress("turns", (turn + 1) / total);
  }
  report(houses, turns, measureOverrun(plan.overrunRows));
}

/** Fills a PSP, and lets it earn its sums. */
function open(name: string, rows: number, rowsMax: number): House {
  const psp = new BenchPsp(rows, rowsMax);
  const plain = new BenchPsp(rows, rowsMax);
  const cache = new SumsCache();
  const { history } = psp.state();
  const kept = history!.end - history!.start;
  const before = readBytes();
  let makeMs = 0;
  for (let reading = 0; reading < 4; reading++) {
    const counted = cache.count();
    const startMs = performance.now();
    readAll(psp, cache);
    if (cache.count() > counted) makeMs = Math.max(makeMs, performance.now() - startMs);
  }
  const bytesPerRow = cache.count() === 0 ? 0 : (readBytes() - before) / kept / cache.count();
  return { name, rows, psp, plain, cache, bytesPerRow, makeMs };
}

function takeTurn({ psp, plain, cache, rows }: House, { decisions }: Plan): Turn {
  const byRow = Math.max(byRowMin, Math.min(decisions, Math.ceil(byRowRows / rows)));
  const turn = { sumsUs: 0, byRowUs: 0, payUs: 0, plainPayUs: 0 };
  for (let decision = 0; decision < decisions; decision++) {
    const startMs = performance.now();
    psp.pay();
    const paidMs = performance.now();
    readAll(psp, cache);
    turn.payUs += ((paidMs - startMs) * 1000) / decisions;
    turn.sumsUs += ((performance.now() - paidMs) * 1000) / decisions;
  }
  const startMs = performance.now();
  for (let decision = 0; decision < decisions; decision++) plain.pay();
  turn.plainPayUs = ((performance.now() - startMs) * 1000) / decisions;
  for (let decision = 0; decision < byRow; decision++) {
    psp.pay();
    const bySums = readAll(psp, cache);
    const readMs = performance.now();
    const told = makeQuestions().map((question) => readByRow(question, psp.state(), psp.asker()));
    turn.byRowUs += ((performance.now() - readMs) * 1000) / byRow;
    if (!isDeepStrictEqual(bySums, told)) throw new Error("sums and rows say different things");
  }
  return turn;
}

function readAll(psp: BenchPsp, cache: SumsCache) {
  return makeQuestions().map((question) => readUsage(question, psp.state(), psp.asker(), cache));
}

/** In milliseconds: nothing is over the limit, so every window is looked at. */
function measureOverrun(rows: number): number {
  const psp = new BenchPsp(rows, wholeRowsMax);
  const { fx } = psp.asker();
  const asked = makeQuestions().map((question) => ({
    ...({ ...question, segment: "", unknown: "", appliesThroughUnknown: false } as const),
  }));
  const asks = [{ subject: { kind: "psp", id: "alpha" } as const, limits: asked }];
  const state = { read: () => psp.state(), nowMs: psp.nowMs, paymentId: "", fx };
  const startMs = performance.now();
  if (isOverrunSince(asks, state, psp.nowMs - dayMs / 2)) throw new Error("nothing is over the limit");
  return performance.now() - startMs;
}

function readBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function report(houses: readonly House[], turns: readonly (readonly Turn[])[], overrunMs: number): void {
  const measured = houses.map(({ name, bytesPerRow, makeMs }, at) => {
    const median = (read: (turn: Turn) => number): number => findMedian(turns[at]!.map(read));
    return {
      name,
      usPerDecision: roundTo(
        2,
        median(({ sumsUs }) => sumsUs),
      ),
      usByRow: roundTo(
        2,
        median(({ byRowUs }) => byRowUs),
      ),
      ratio: roundTo(
        2,
        median(({ sumsUs, byRowUs }) => byRowUs / sumsUs),
      ),
      usPerPayment: roundTo(
        2,
        median(({ payUs }) => payUs),
      ),
      usPerPaymentPlain: roundTo(
        2,
        median(({ plainPayUs }) => plainPayUs),
      ),
      bytesPerRow: Math.round(bytesPerRow),
      makeMs: roundTo(2, makeMs),
    };
  });
  const names = Object.keys(measured[0]!) as (keyof (typeof measured)[number])[];
  console.log(
    `${formatTable([names, ...measured.map((each) => names.map((name) => String(each[name])))])}\n`,
  );
  const rows = Object.fromEntries(measured.map(({ name, ...values }) => [name, values]));
  console.log(`RESULT ${JSON.stringify({ rows, overrunMs: roundTo(2, overrunMs), isEqual: true })}`);
}

function roundTo(digits: number, value: number): number {
  return Number(value.toFixed(digits));
}
