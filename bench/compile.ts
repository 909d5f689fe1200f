/**
 * What a push of 10,000 rules does to the traffic of the process that it is pushed to.
 *
 *   npm run bench:compile               about a minute
 *   npm run bench:compile -- --small    a tiny run of everything, for the tests
 *
 * One loop decides corpus payments at a steady rate on 10,000 rules while `RuleCompiler.compile` reads, checks and indexes a changed document
 * of as many in its worker; the snapshot is opened in slices on that same loop, swapped in, and decided with. Each round has a control
 * stretch of the same length without a push, because stalls that the machine causes are in both; the stall by CPU time of the thread leaves
 * them out. Medians over the rounds. Ends with one line `RESULT {json}`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openRuleCompiler } from "../src/adapters/compiler/rule-compiler.ts";
import { emptyBinTable } from "../src/core/bin/bin-table.ts";
import type { ActiveRules } from "../src/decide/judge.ts";
import { tuneHeap } from "../src/platform/heap.ts";
import { runTraffic, type Stretch } from "./compile/traffic.ts";
import { activate, createBenchDecider, decideOrThrow } from "./core/subject.ts";
import { corpusMerchant, makeCall, makePlayer, makeRuleSet } from "./corpus/document.ts";
import { makePayments } from "./corpus/payments.ts";
import { findMedian } from "./rules/measure.ts";
import { describeMachine, formatTable, showProgress } from "./rules/report.ts";

type Plan = {
  readonly rules: number;
  readonly rounds: number;
  readonly perSecond: number;
  /** How long a stretch goes on after the swap: the first decisions on a new snapshot are part of a push. */
  readonly afterMs: number;
};

const fullPlan: Plan = { rules: 10_000, rounds: 7, perSecond: 4_000, afterMs: 300 };
const smallPlan: Plan = { rules: 120, rounds: 2, perSecond: 500, afterMs: 20 };

const corpusSeed = 20260101;
const playerCount = 2_000;

tuneHeap();
const { values: options } = parseArgs({ options: { small: { type: "boolean", default: false } } });
await main(options.small ? smallPlan : fullPlan);

type Round = { readonly compileMs: number; readonly push: Stretch; readonly control: Stretch };

async function main(plan: Plan): Promise<void> {
  console.log(`compile: ${describeMachine()}`);
  console.log(`${plan.rules} rules, ${plan.perSecond} decisions/s, ${plan.rounds} rounds, medians\n`);
  const rounds = await runRounds(plan);
  const median = (read: (round: Round) => number): number => findMedian(rounds.map(read));
  const row = (name: string, of: (round: Round) => Stretch): string[] => [
    name,
    ...(["stallMs", "stallCpuMs", "timerDelayMs", "p50Ms", "p99Ms"] as const).map((key) =>
      median((round) => of(round)[key]).toFixed(3),
    ),
  ];
  console.log(
    formatTable([
      ["stretch", "max stall ms", "by CPU time", "by a timer", "p50 ms", "p99 ms"],
      row("without push", ({ control }) => control),
      row("with push", ({ push }) => push),
    ]),
  );
  const compileMs = median((round) => round.compileMs);
  console.log(`\ncompiled, opened and swapped in ${compileMs.toFixed(0)} ms\n`);
  console.log(
    `RESULT ${JSON.stringify({
      compileMs: Math.round(compileMs),
      maxStallMs: roundTo(
        2,
        median(({ push }) => push.stallMs),
      ),
      p99Ratio: roundTo(
        2,
        median(({ push, control }) => push.p99Ms / control.p99Ms),
      ),
      rules: plan.rules,
      maxStallCpuMs: roundTo(
        2,
        median(({ push }) => push.stallCpuMs),
      ),
      controlStallMs: roundTo(
        2,
        median(({ control }) => control.stallMs),
      ),
    })}`,
  );
}

async function runRounds(plan: Plan): Promise<readonly Round[]> {
  const compiler = openRuleCompiler();
  let active: ActiveRules | undefined;
  const push = async (version: number): Promise<number> => {
    const startMs = performance.now();
    const result = await compiler.compile({
      merchantId: corpusMerchant,
      document: documents[version]!,
      format: "JSON",
      version,
      nowMs: Date.now(),
    });
    if (!result.ok)
      throw new Error(`the document is refused: ${JSON.stringify(result.compilation.faults[0])}`);
    active = activate(result.snapshot);
    return performance.now() - startMs;
  };
  const documents = Array.from({ length: plan.rounds + 1 }, (_, version) =>
    makeRuleSet(plan.rules, corpusSeed + version),
  );
  await push(0);
  const decideNext = prepareTraffic(() => active!);
  // Long enough for the machine code of decisions to be made.
  await runTraffic(decideNext, plan.perSecond, () => sleep(plan.afterMs));
  const rounds: Round[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    const before = active;
    let compileMs = 0;
    const pushed = await runTraffic(decideNext, plan.perSecond, async () => {
      compileMs = await push(round);
      await sleep(plan.afterMs);
    });
    if (active === before) throw new Error("the pushed rule set was not swapped in");
    const control = await runTraffic(decideNext, plan.perSecond, () => sleep(compileMs + plan.afterMs));
    rounds.push({ compileMs, push: pushed, control });
    showProgress("push", round / plan.rounds);
  }
  await compiler.close();
  return rounds;
}

/** Decides one new payment per call. */
function prepareTraffic(rules: () => ActiveRules): () => void {
  const payments = makePayments(playerCount, corpusSeed + 1);
  const players = payments.map((payment, number) => makePlayer(payment, `player-${number}`));
  const decider = createBenchDecider({ merchantId: corpusMerchant, rules, players, bins: emptyBinTable });
  let number = 0;
  return () => {
    const call = makeCall(payments[number % playerCount]!, number);
    decideOrThrow(decider, { ...call, playerId: `player-${number % playerCount}` });
    number++;
  };
}

function roundTo(digits: number, value: number): number {
  return Number(value.toFixed(digits));
}
