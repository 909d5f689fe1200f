/**
 * How long a decision takes with everything that is known of payments in play, and how long what becomes of it: 8 PSPs, plans of 3 attempts.
 *
 *   npm run bench:plan               some 15 seconds
 *   npm run bench:plan -- --small    a tiny run of everything, for the tests
 *
 * A European card pays with a PSP that knows exemptions by its own fraud rate, so that every step has its own SCA; the card's declines and approvals of the
 * last weeks are in its history, so that scheme caps, blocks and low-value counters have something to count; one breaker per PSP and method is fed
 * by what is reported. Whole calls in process over the embedded store in a temporary directory, each with its share of the write that keeps it: so many
 * decisions in a turn, then their outcomes, of which a fifth are declines and technical failures. Medians over turns. Ends with one line `RESULT {json}`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { OutcomeReport } from "../src/core/outcome-report.ts";
import type { Decided } from "../src/decide/decided.ts";
import { tuneHeap } from "../src/platform/heap.ts";
import { compileForBench, decideOrThrow } from "./core/subject.ts";
import { createRandom } from "./corpus/random.ts";
import { makeOutcome, makePlanPayment } from "./plan/payments.ts";
import { pspIds, ruleSetText } from "./plan/rule-set.ts";
import { type House, openHouse } from "./players/house.ts";
import { findMedian } from "./rules/measure.ts";
import { describeMachine, formatTable, showProgress } from "./rules/report.ts";

type Plan = { readonly players: number; readonly turns: number; readonly perTurn: number };

const fullPlan: Plan = { players: 2_000, turns: 600, perTurn: 100 };
const smallPlan: Plan = { players: 50, turns: 12, perTurn: 20 };
/** Turns that do not count: machine code is made, and cards get a history. */
const warmShare = 0.2;

tuneHeap();
const { values: options } = parseArgs({ options: { small: { type: "boolean", default: false } } });
await main(options.small ? smallPlan : fullPlan);

async function main(plan: Plan): Promise<void> {
  console.log(`plan: ${describeMachine()}`);
  console.log(`${pspIds.length} PSPs, ${plan.players} players, ${plan.turns} turns of ${plan.perTurn}\n`);
  const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
  try {
    const snapshot = await compileForBench(new TextEncoder().encode(ruleSetText), "JSON");
    const house = await openHouse({ directory, snapshot, nowMs: Date.now(), hotRowsMax: 10_000_000 });
    try {
      report(await measure(house, plan));
    } finally {
      await house.store.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Measured = {
  readonly usPerDecision: number;
  readonly usPerOutcome: number;
  /** Steps of a plan, on average. */
  readonly steps: number;
  /** Steps that ask for an exemption, as a share of all. */
  readonly exempt: number;
};

async function measure({ decider, reporter, store }: House, plan: Plan): Promise<Measured> {
  const random = createRandom(17);
  const decisions: number[] = [];
  const outcomes: number[] = [];
  const seen = { plans: 0, steps: 0, exempt: 0 };
  let number = 0;
  for (let turn = 0; turn < plan.turns; turn++) {
    const payments = Array.from({ length: plan.perTurn }, () =>
      makePlanPayment(number++, random.index(plan.players)),
    );
    const decided = await timeEach(decisions, payments, (payment) => decideOrThrow(decider, payment), store);
    for (const each of decided) look(each, seen);
    const reports = decided.flatMap((each) => makeOutcome(each, random));
    await timeEach(outcomes, reports, (told) => reportOrThrow(reporter, told), store);
    showProgress("plan", (turn + 1) / plan.turns);
  }
  const counted = (all: readonly number[]) => findMedian(all.slice(Math.floor(all.length * warmShare)));
  return {
    usPerDecision: counted(decisions),
    usPerOutcome: counted(outcomes),
    steps: seen.steps / seen.plans,
    exempt: seen.exempt / seen.steps,
  };
}

/** Adds the us that one took, with its share of the write that keeps all of them. */
async function timeEach<T, R>(
  us: number[],
  items: readonly T[],
  run: (item: T) => R,
  store: House["store"],
): Promise<readonly R[]> {
  const startMs = performance.now();
  const results = items.map(run);
  await store.written();
  if (items.length > 0) us.push(((performance.now() - startMs) * 1000) / items.length);
  return results;
}

function look({ decision }: Decided, seen: { plans: number; steps: number; exempt: number }): void {
  if (decision.plan === undefined) return;
  seen.plans++;
  seen.steps += decision.plan.steps.length;
  for (const { threeDs } of decision.plan.steps) if (threeDs.requirement === "EXEMPTION") seen.exempt++;
}

function reportOrThrow(reporter: House["reporter"], told: OutcomeReport): void {
  const answer = reporter.report(told);
  if (!answer.ok) throw new Error(`a report is refused: ${JSON.stringify(answer)}`);
  if (answer.verdict !== "APPLIED") throw new Error(`a report of ${told.paymentId} is ${answer.verdict}`);
}

function report({ usPerDecision, usPerOutcome, steps, exempt }: Measured): void {
  // A plan of three attempts has at least as many steps; without exemptions the SCA engine had nothing to do.
  if (steps < 3 || exempt === 0) throw new Error(`${steps} steps a plan, of which ${exempt} exempt`);
  const result = {
    usPerDecision: Number(usPerDecision.toFixed(2)),
    usPerOutcome: Number(usPerOutcome.toFixed(2)),
    stepsPerPlan: Number(steps.toFixed(2)),
    exemptShare: Number(exempt.toFixed(3)),
  };
  const rows = Object.entries(result).map(([name, value]) => [name, String(value)]);
  console.log(`${formatTable([["measure", "value"], ...rows])}\n`);
  console.log(`RESULT ${JSON.stringify(result)}`);
}
