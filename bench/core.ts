/**
 * How long one whole `decide` takes in process, from a decoded payment to an answer that is stored in memory.
 *
 *   npm run bench:core               about half a minute
 *   npm run bench:core -- --small    a tiny run of everything, for the tests
 *
 * Every payment is new, except in `decide/replay`. Payments are made outside the measured time; the stores are maps that keep the latest 64
 * answers, because stores are measured elsewhere. All benches run in turns, round after round, and their medians are printed. Bytes are those
 * that V8 counts as allocated in the heap (`total_allocated_bytes`) over one more turn of the warm code. Ends with one line `RESULT {json}`.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { getHeapStatistics } from "node:v8";
import { readBinTable, unknownBin } from "../src/core/bin/bin-table.ts";
import { buildPredicate } from "../src/core/cel/predicate.ts";
import { buildFrameReader, createFrame } from "../src/core/features/frame-reader.ts";
import type { Payment } from "../src/core/payment.ts";
import type { Player } from "../src/core/player.ts";
import type { RuleSnapshot } from "../src/core/rules/snapshot.ts";
import {
  activate,
  compileForBench,
  createBenchDecider,
  decideOrThrow,
  hashAnswers,
  recordsMax,
} from "./core/subject.ts";
import { makeTypicalPayment, makeTypicalPlayers, typicalMerchant } from "./core/typical.ts";
import { corpusMerchant, makeCall, makePlayer, makeRuleSet } from "./corpus/document.ts";
import { makePayments } from "./corpus/payments.ts";
import { findMedian } from "./rules/measure.ts";
import { describeMachine, formatTable, showProgress } from "./rules/report.ts";

type Plan = {
  readonly rounds: number;
  /** Rounds before them that do not count. */
  readonly warmUps: number;
  /** Decisions of a turn of the typical payment; slower subjects take fewer. */
  readonly turn: number;
  readonly rules: readonly [number, number];
  readonly sample: number;
};

/** Turns of a few ms, so that most of them run between two time slices of whoever else is on the machine. */
const fullPlan: Plan = { rounds: 200, warmUps: 20, turn: 800, rules: [1_000, 10_000], sample: 40 };
const smallPlan: Plan = { rounds: 2, warmUps: 1, turn: 40, rules: [40, 120], sample: 20 };

/** What is measured: `prepare` makes the input of one turn, and the function that it returns is timed. */
type Subject = {
  readonly name: string;
  readonly turn: number;
  readonly prepare: (count: number) => () => unknown;
  readonly hash: string;
};

const corpusSeed = 20260101;
const playerCount = 2_000;
const { table: bins } = readBins();

const { values: options } = parseArgs({ options: { small: { type: "boolean", default: false } } });
await main(options.small ? smallPlan : fullPlan);

async function main(plan: Plan): Promise<void> {
  console.log(`core: ${describeMachine()}`);
  console.log(`${plan.rounds} rounds in turns after a warm-up, medians\n`);
  const [fewer, more] = plan.rules;
  const subjects = [
    ...(await makeTypicalSubjects(plan)),
    await makeCorpusSubject(plan, fewer),
    await makeCorpusSubject(plan, more),
  ];
  const measured = measureInTurns(subjects, plan);
  const rows = [["bench", "us/decision", "p10 to p90", "bytes/decision", "answers"]];
  for (const { subject, us, low, high, bytes } of measured) {
    rows.push([
      subject.name,
      us.toFixed(2),
      `${low.toFixed(2)} to ${high.toFixed(2)}`,
      bytes.toFixed(0),
      subject.hash,
    ]);
  }
  console.log(`${formatTable(rows)}\n`);
  const of = (name: string) => measured.find(({ subject }) => subject.name === name)!;
  const us = (name: string): number => Number(of(name).us.toFixed(2));
  console.log(
    `RESULT ${JSON.stringify({
      usTypical: us("decide/typical"),
      us1000: us(`decide/${fewer}`),
      us10000: us(`decide/${more}`),
      bytesAllocated: Math.round(of("decide/typical").bytes),
      usReplay: us("decide/replay"),
      usCashier: us("decide/cashier"),
    })}`,
  );
}

/** The sample rule set, asked for new payments, for repeated ones, and by the cashier. */
async function makeTypicalSubjects({ turn, sample }: Plan): Promise<readonly Subject[]> {
  const nowMs = Date.now();
  const rules = activate(
    await compileForBench(readFileSync(new URL("../samples/igaming.yaml", import.meta.url)), "YAML"),
  );
  const players = makeTypicalPlayers(playerCount, nowMs);
  const open = () => createBenchDecider({ merchantId: typicalMerchant, rules: () => rules, players, bins });
  const make = (number: number): Payment => makeTypicalPayment(number, playerCount);
  const makeCashier = (number: number): Payment => ({ ...make(number), mode: "CASHIER" });
  const routed = Array.from({ length: sample }, (_, number) => decideOrThrow(open(), make(number)));
  for (const { payment, decision } of routed) {
    const first = decision.plan?.steps[0]?.psp;
    if (decision.verdict !== "APPROVE_ROUTE" || (first !== "nordic-acquiring" && first !== "albion-pay")) {
      throw new Error(`${payment.paymentId}: a typical payment is routed, not ${decision.verdict} ${first}`);
    }
  }
  return [
    { name: "decide/typical", turn, hash: hashAnswers(routed), prepare: prepareNew(open(), make) },
    {
      name: "decide/replay",
      turn,
      hash: hashReplays(open(), make, sample),
      prepare: prepareReplays(open(), make),
    },
    {
      name: "decide/cashier",
      turn: Math.ceil(turn / 8),
      hash: hashAnswers(
        Array.from({ length: sample }, (_, number) => decideOrThrow(open(), makeCashier(number))),
      ),
      prepare: prepareNew(open(), makeCashier),
    },
  ];
}

/** A rule set of so many rules from the corpus. */
async function makeCorpusSubject({ turn, sample }: Plan, ruleCount: number): Promise<Subject> {
  const snapshot = await compileForBench(makeRuleSet(ruleCount, corpusSeed), "JSON");
  const rules = activate(snapshot);
  const payments = makePayments(playerCount, corpusSeed + 1);
  const players = payments.map((payment, number) => makePlayer(payment, `player-${number}`));
  const make = (number: number): Payment => ({
    ...makeCall(payments[number % playerCount]!, number),
    playerId: `player-${number % playerCount}`,
  });
  checkMatches(snapshot, players, make, sample);
  const open = () => createBenchDecider({ merchantId: corpusMerchant, rules: () => rules, players, bins });
  return {
    name: `decide/${ruleCount}`,
    turn: Math.ceil(turn / 4),
    hash: hashAnswers(Array.from({ length: sample }, (_, number) => decideOrThrow(open(), make(number)))),
    prepare: prepareNew(open(), make),
  };
}

type BenchDecider = ReturnType<typeof createBenchDecider>;

/** Turns of payments that were never seen, each turn going on where the one before stopped. */
function prepareNew(decider: BenchDecider, make: (number: number) => Payment): Subject["prepare"] {
  let next = 0;
  return (count) => {
    const payments = Array.from({ length: count }, () => make(next++));
    return () => {
      for (const payment of payments) decideOrThrow(decider, payment);
    };
  };
}

/** Turns over payments that were all answered before. */
function prepareReplays(decider: BenchDecider, make: (number: number) => Payment): Subject["prepare"] {
  const payments = Array.from({ length: recordsMax }, (_, number) => make(number));
  for (const payment of payments) decideOrThrow(decider, payment);
  return (count) => () => {
    for (let i = 0; i < count; i++) {
      if (!decideOrThrow(decider, payments[i % recordsMax]!).replayed)
        throw new Error("a replay was decided anew");
    }
  };
}

function hashReplays(decider: BenchDecider, make: (number: number) => Payment, sample: number): string {
  const numbers = Array.from({ length: sample }, (_, number) => number);
  const first = hashAnswers(numbers.map((number) => decideOrThrow(decider, make(number))));
  const again = hashAnswers(numbers.map((number) => decideOrThrow(decider, make(number))));
  if (again !== first) throw new Error("replays differ from the first answers");
  return again;
}

/** Throws unless the index finds for a sample just the rules whose own conditions hold. */
function checkMatches(
  snapshot: RuleSnapshot,
  players: readonly Player[],
  make: (number: number) => Payment,
  sample: number,
): void {
  const { slots, rules } = snapshot;
  const predicates = rules.map((_, ordinal) => {
    const condition = snapshot.ruleCondition(ordinal);
    return condition === undefined ? () => true : buildPredicate(condition);
  });
  const frame = createFrame(slots, snapshot);
  const read = buildFrameReader(slots, snapshot);
  const matches = { ordinals: new Int32Array(rules.length), flags: new Uint8Array(rules.length) };
  for (let number = 0; number < sample; number++) {
    read(
      { payment: make(number), player: players[number]!, bin: unknownBin, licence: undefined, nowMs: 0 },
      frame,
    );
    snapshot.matchSegments(frame);
    const found = [...matches.ordinals.subarray(0, snapshot.matchRules(frame, matches))];
    const wanted = rules.flatMap(({ matchUnknown }, ordinal) => {
      const truth = predicates[ordinal]!(frame);
      return truth === true || (truth === undefined && matchUnknown) ? [ordinal] : [];
    });
    if (found.join() !== wanted.join()) throw new Error(`payment ${number}: matched ${found}, not ${wanted}`);
  }
}

type Measured = {
  readonly subject: Subject;
  readonly us: number;
  readonly low: number;
  readonly high: number;
  readonly bytes: number;
};

function measureInTurns(subjects: readonly Subject[], { rounds, warmUps }: Plan): readonly Measured[] {
  const samples = subjects.map((): number[] => []);
  for (let round = -warmUps; round < rounds; round++) {
    for (const [at, { turn, prepare }] of subjects.entries()) {
      const run = prepare(turn);
      const startMs = performance.now();
      run();
      const us = ((performance.now() - startMs) * 1000) / turn;
      if (round >= 0) samples[at]!.push(us);
      showProgress(
        "decide",
        ((round + warmUps) * subjects.length + at + 1) / ((rounds + warmUps) * subjects.length),
      );
    }
  }
  return subjects.map((subject, at) => {
    const sorted = samples[at]!.toSorted((a, b) => a - b);
    const rank = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
    return { subject, us: findMedian(sorted), low: rank(0.1), high: rank(0.9), bytes: measureBytes(subject) };
  });
}

function measureBytes({ turn, prepare }: Subject): number {
  const run = prepare(turn);
  const before = getHeapStatistics().total_allocated_bytes;
  run();
  return (getHeapStatistics().total_allocated_bytes - before) / turn;
}

function readBins() {
  const read = readBinTable(readFileSync(new URL("../samples/bin-ranges.csv", import.meta.url), "utf8"));
  if (!read.ok) throw new Error(`the sample BIN table is refused: ${JSON.stringify(read.faults)}`);
  return read;
}
