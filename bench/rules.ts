/**
 * How long finding all matching rules of a payment takes, ours beside what one would otherwise use.
 *
 *   npm run bench:rules              10, 100, 1,000 and 10,000 rules, about half a minute
 *   npm run bench:rules -- --small   a tiny run of everything, for the tests
 *
 * The answers to a sample are asserted equal before anything is measured. Ours and each peer are measured in turns, and ratios are taken
 * between neighbours, so that a machine that slows down slows both. Ours includes filling the frame, asking the BIN lists and listing the
 * reasons; peers get their input ready made, list and segment memberships included. Ends with one line `RESULT {json}`.
 */
import { parseArgs } from "node:util";
import { makePayments } from "./corpus/payments.ts";
import { type CorpusRule, makeRules } from "./corpus/rules.ts";
import { assertSameAnswers, hashAnswers } from "./rules/answers.ts";
import { compileBufCel } from "./rules/buf-cel.ts";
import { compileCelJs } from "./rules/cel-js.ts";
import type { Contender } from "./rules/contender.ts";
import { compileJsonLogic } from "./rules/json-logic.ts";
import { compileJsonRules } from "./rules/json-rules.ts";
import { findMedian, type Measurement, measureInTurns } from "./rules/measure.ts";
import { describeMachine, formatTable, showProgress } from "./rules/report.ts";
import { compileSwitchyard } from "./rules/switchyard.ts";
import { compileZen } from "./rules/zen.ts";

type Plan = {
  /** Numbers of rules, ascending; json-rules-engine runs at all but the last, and `scale` is the last over the one before. */
  readonly sizes: readonly number[];
  readonly payments: number;
  readonly sample: number;
  readonly rounds: number;
  readonly turnMs: number;
};

const fullPlan: Plan = {
  sizes: [10, 100, 1000, 10_000],
  payments: 10_000,
  sample: 100,
  rounds: 9,
  turnMs: 60,
};
const smallPlan: Plan = { sizes: [10, 40, 150], payments: 100, sample: 100, rounds: 2, turnMs: 2 };

const corpusSeed = 20260101;

const { values: options } = parseArgs({ options: { small: { type: "boolean", default: false } } });
await main(options.small ? smallPlan : fullPlan);

async function main(plan: Plan): Promise<void> {
  console.log(`rules: ${describeMachine()}`);
  console.log(
    `seed ${corpusSeed}, ${plan.rounds} rounds of ${plan.turnMs} ms turns after a warm-up, medians\n`,
  );
  const rows: string[][] = [["rules", "contender", "us/decision", "ours x", "form"]];
  const results = [];
  for (const size of plan.sizes) {
    const result = await runSize(plan, size);
    results.push(result);
    const ours = [
      "switchyard",
      formatUs(result.oursUs),
      "1",
      `${result.matchesMean.toFixed(1)} matches on average`,
    ];
    rows.push([String(size), ...ours]);
    for (const { peer, peerUs, ratio } of result.measurements) {
      rows.push(["", peer.name, formatUs(peerUs), ratio.toFixed(1), peer.form]);
    }
    rows.push(["", `answers ${result.hash}`, "", "", ""]);
  }
  console.log(formatTable(rows));
  const [before, last] = results.slice(-2);
  console.log(`RESULT ${JSON.stringify(summarise(before!, last!))}`);
}

type SizeResult = {
  readonly size: number;
  readonly oursUs: number;
  readonly measurements: readonly Measurement[];
  readonly hash: string;
  readonly matchesMean: number;
};

async function runSize(plan: Plan, size: number): Promise<SizeResult> {
  const rules = makeRules(size, corpusSeed);
  const payments = makePayments(plan.payments, corpusSeed + 1);
  const ours = compileSwitchyard(rules, payments);
  const peers = await compilePeers(rules, payments, size < plan.sizes.at(-1)!);
  for (const contender of [ours, ...peers]) {
    await assertSameAnswers(ours, contender, plan.sample);
  }
  const measurements = await measureInTurns(ours, peers, {
    rounds: plan.rounds,
    turnMs: plan.turnMs,
    onProgress: (share) => showProgress(`${size} rules`, share),
  });
  const oursUs = findMedian(measurements.map((measurement) => measurement.oursUs));
  return { size, oursUs, measurements, ...hashAnswers(ours, plan.sample) };
}

async function compilePeers(
  rules: readonly CorpusRule[],
  payments: Parameters<typeof compileZen>[1],
  withJsonRules: boolean,
): Promise<readonly Contender[]> {
  return [
    await compileZen(rules, payments),
    compileJsonLogic(rules, payments),
    compileCelJs(rules, payments),
    compileBufCel(rules, payments),
    ...(withJsonRules ? [compileJsonRules(rules, payments)] : []),
  ];
}

function summarise(before: SizeResult, last: SizeResult) {
  const ratioTo = (name: string, { measurements }: SizeResult): number =>
    roundTo(1, measurements.find(({ peer }) => peer.name === name)!.ratio);
  return {
    rules: last.size,
    usPerDecision: roundTo(3, last.oursUs),
    vsZen: ratioTo("@gorules/zen-engine", last),
    vsJsonRules: ratioTo("json-rules-engine", before),
    vsJsonLogic: ratioTo("json-logic-engine", last),
    vsCelJs: ratioTo("@marcbachmann/cel-js", last),
    vsBufCel: ratioTo("@bufbuild/cel", last),
    us1000: roundTo(3, before.oursUs),
    scale: roundTo(2, last.oursUs / before.oursUs),
  };
}

function formatUs(us: number): string {
  return us < 100 ? us.toFixed(2) : Math.round(us).toLocaleString("en-GB");
}

function roundTo(digits: number, value: number): number {
  return Number(value.toFixed(digits));
}
