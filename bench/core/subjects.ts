import { readFileSync } from "node:fs";
import { type BinTable, readBinTable, unknownBin } from "../../src/core/bin/bin-table.ts";
import { buildPredicate } from "../../src/core/cel/predicate.ts";
import { buildFrameReader, createFrame } from "../../src/core/features/frame-reader.ts";
import type { Payment } from "../../src/core/payment.ts";
import type { Player } from "../../src/core/player.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import type { Decided } from "../../src/decide/decided.ts";
import { corpusMerchant, makeCall, makePlayer, makeRuleSet } from "../corpus/document.ts";
import { makePayments } from "../corpus/payments.ts";
import {
  activate,
  compileForBench,
  createBenchDecider,
  decideOrThrow,
  flatten,
  hashAnswers,
  replaysMax,
} from "./subject.ts";
import { makeTypicalPayment, makeTypicalPlayers, typicalMerchant } from "./typical.ts";

/** What is measured: `prepare` makes the input of one turn, and the function that it returns is timed. */
export type Subject = {
  readonly prepare: (count: number) => () => unknown;
  /** Hash of the answers to a sample, which were checked. */
  readonly hash: string;
};

const corpusSeed = 20260101;
const playerCount = 2_000;

/** The sample rule set asked for new payments, for repeated ones and by the cashier; or a corpus rule set of so many rules. */
export type SubjectName = "typical" | "replay" | "cashier" | number;

/** Builds a subject and checks its answers to a sample; throws where they are wrong. */
export async function makeSubject(name: SubjectName, sample: number): Promise<Subject> {
  return typeof name === "number" ? makeCorpusSubject(name, sample) : makeSampleSubject(name, sample);
}

async function makeSampleSubject(name: Exclude<SubjectName, number>, sample: number): Promise<Subject> {
  const bins = readBins();
  const rules = activate(
    await compileForBench(readFileSync(new URL("../../samples/igaming.yaml", import.meta.url)), "YAML"),
  );
  const players = makeTypicalPlayers(playerCount, Date.now());
  const open = () => createBenchDecider({ merchantId: typicalMerchant, rules: () => rules, players, bins });
  const make = (number: number): Payment => makeTypicalPayment(number, playerCount);
  const answerSample = (of: (number: number) => Payment): readonly Decided[] =>
    Array.from({ length: sample }, (_, number) => decideOrThrow(open(), of(number)));
  switch (name) {
    case "typical": {
      const routed = answerSample(make);
      routed.forEach(checkRouted);
      return { hash: hashAnswers(routed), prepare: prepareNew(open(), make) };
    }
    case "replay":
      return { hash: hashReplays(open(), make, sample), prepare: prepareReplays(open(), make) };
    case "cashier": {
      const ask = (number: number): Payment => ({ ...make(number), mode: "CASHIER" });
      return { hash: hashAnswers(answerSample(ask)), prepare: prepareNew(open(), ask) };
    }
  }
}

function checkRouted({ payment, decision }: Decided): void {
  const first = decision.plan?.steps[0]?.psp;
  if (decision.verdict === "APPROVE_ROUTE" && (first === "nordic-acquiring" || first === "albion-pay"))
    return;
  throw new Error(`${payment.paymentId}: a typical payment is routed, not ${decision.verdict} ${first}`);
}

/** A rule set of so many rules from the corpus. */
async function makeCorpusSubject(ruleCount: number, sample: number): Promise<Subject> {
  const snapshot = await compileForBench(makeRuleSet(ruleCount, corpusSeed), "JSON");
  const rules = activate(snapshot);
  const payments = makePayments(playerCount, corpusSeed + 1);
  const players = payments.map((payment, number) => makePlayer(payment, `player-${number}`));
  const make = (number: number): Payment => ({
    ...makeCall(payments[number % playerCount]!, number),
    playerId: `player-${number % playerCount}`,
  });
  checkMatches(snapshot, players, make, sample);
  const bins = readBins();
  const open = () => createBenchDecider({ merchantId: corpusMerchant, rules: () => rules, players, bins });
  const answers = Array.from({ length: sample }, (_, number) => decideOrThrow(open(), make(number)));
  return { hash: hashAnswers(answers), prepare: prepareNew(open(), make) };
}

type BenchDecider = ReturnType<typeof createBenchDecider>;

/** Turns of payments that were never seen, each turn going on where the one before stopped. */
function prepareNew(decider: BenchDecider, make: (number: number) => Payment): Subject["prepare"] {
  let next = 0;
  return (count) => {
    const payments = Array.from({ length: count }, () => flatten(make(next++)));
    return () => {
      for (const payment of payments) decideOrThrow(decider, payment);
    };
  };
}

/** Turns over payments that were all answered before. */
function prepareReplays(decider: BenchDecider, make: (number: number) => Payment): Subject["prepare"] {
  const payments = Array.from({ length: replaysMax }, (_, number) => flatten(make(number)));
  for (const payment of payments) decideOrThrow(decider, payment);
  return (count) => () => {
    for (let i = 0; i < count; i++) {
      if (!decideOrThrow(decider, payments[i % replaysMax]!).replayed)
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

function readBins(): BinTable {
  const read = readBinTable(readFileSync(new URL("../../samples/bin-ranges.csv", import.meta.url), "utf8"));
  if (!read.ok) throw new Error(`the sample BIN table is refused: ${JSON.stringify(read.faults)}`);
  return read.table;
}
