/**
 * What a process holds and does with a million players, of whom 24 events each are known on average.
 *
 *   npm run bench:players               about six minutes
 *   npm run bench:players -- --small    a tiny run of everything, for the tests
 *
 * The players are like those of a real export (`players/population.ts`): few have thousands of events and most a handful, over 60 days, nearly in
 * order. In process, batches of 500 go through the corridor of events into the embedded store in a temporary directory, one batch a turn of the loop,
 * several of them not durable yet; making the events does not count. Then the store gets 2 % more than it may hold, so that it evicts. Stalls are
 * the longest times between two turns of the loop all that while. Decisions are whole ones on 30 windowed features and 5 limits, of random players,
 * kept durably. A restart is a process of its own, from its start to its first decision. The stream goes over gRPC into a service in a process of its own,
 * which tells segments too; the client's batches were encoded before. Naive is a map of arrays of objects with a loop per feature, whose answers must
 * be the same: `vsNaiveTime` is over players drawn alike, most of whom have a handful of events, and `vsNaiveTimeActive` over players drawn as events
 * are, as those who pay are. The naive map holds nobody but the sample. Ends with one line `RESULT {json}`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { buildFeatureReader } from "../src/core/features/feature-reader.ts";
import { createFrame } from "../src/core/features/frame-reader.ts";
import type { RuleSnapshot } from "../src/core/rules/snapshot.ts";
import { makePlayerInput } from "../src/core/segments/player-input.ts";
import { tuneHeap } from "../src/platform/heap.ts";
import { compileForBench, decideOrThrow } from "./core/subject.ts";
import { createRandom } from "./corpus/random.ts";
import { type House, makePayment, merchantId, openHouse } from "./players/house.ts";
import { computeNaively, copyHistory, type NaivePlayers } from "./players/naive.ts";
import { makePopulation, type Population, playerIdOf } from "./players/population.ts";
import { collectGarbage, LoopWatch, readMemory } from "./players/process.ts";
import { measuredFeatures, ruleSetText } from "./players/rule-set.ts";
import { measureStream } from "./players/stream.ts";
import { findMedian } from "./rules/measure.ts";
import { describeMachine, formatTable, showProgress } from "./rules/report.ts";

type Plan = {
  readonly players: number;
  readonly eventsPerPlayer: number;
  readonly streamPlayers: number;
  readonly decideTurns: number;
  readonly samplePlayers: number;
};

const fullPlan: Plan = {
  players: 1_000_000,
  eventsPerPlayer: 24,
  streamPlayers: 60_000,
  decideTurns: 600,
  samplePlayers: 20_000,
};
const smallPlan: Plan = {
  players: 2_000,
  eventsPerPlayer: 24,
  streamPlayers: 500,
  decideTurns: 10,
  samplePlayers: 200,
};

/** The present: all has happened in the 60 days before. */
const nowMs = Date.UTC(2026, 2, 22);
const batchEvents = 500;
const openBatchesMax = 8;
/** What comes when the store is full, as a share of what it may hold. */
const moreShare = 0.02;
const decisionsPerTurn = 50;
/** Players of one turn of evaluating features. */
const playersPerTurn = 100;

tuneHeap();
const { values: options } = parseArgs({
  options: { small: { type: "boolean", default: false }, restart: { type: "string" } },
});
const plan = options.small ? smallPlan : fullPlan;
if (options.restart === undefined) await main();
else await restart(options.restart);

async function main(): Promise<void> {
  console.log(`players: ${describeMachine()}`);
  console.log(`${plan.players} players x ${plan.eventsPerPlayer} events\n`);
  const directory = await mkdtemp(join(tmpdir(), "switchyard-bench-"));
  try {
    const held = await measureHouse(join(directory, "held"));
    const restartSeconds = await measureRestart(join(directory, "held"));
    const population = makePopulation({ ...plan, players: plan.streamPlayers }, { untilMs: Date.now() });
    const stream = await measureStream(join(directory, "served"), population, (share) =>
      showProgress("stream", share),
    );
    report({ ...held, restartSeconds, stream });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Report = Awaited<ReturnType<typeof measureHouse>> & {
  readonly restartSeconds: number;
  readonly stream: Awaited<ReturnType<typeof measureStream>>;
};

function report(measured: Report): void {
  const { rssMiB, mappedMiB, bytesPerEvent, inProcess, stream, usPerDecision, restartSeconds } = measured;
  const result = {
    rssMiB: Math.round(rssMiB),
    mappedMiB: Math.round(mappedMiB),
    bytesPerEvent: roundTo(1, bytesPerEvent),
    ingestPerSecond: {
      inProcess: Math.round(inProcess),
      stream: Math.round(stream.perSecond),
      streamPerCpuSecond: Math.round(stream.perCpuSecond),
    },
    usPerDecision: roundTo(2, usPerDecision),
    maxStallMs: roundTo(2, measured.stallMs),
    maxStallCpuMs: roundTo(2, measured.stallCpuMs),
    restartSeconds: roundTo(2, restartSeconds),
    vsNaiveMemory: roundTo(2, measured.vsNaiveMemory),
    vsNaiveTime: roundTo(2, measured.vsNaiveTime),
    vsNaiveTimeActive: roundTo(2, measured.vsNaiveTimeActive),
    evictions: measured.evictions,
  };
  const { ingestPerSecond, ...others } = result;
  const rows = Object.entries({ ...others, ...ingestPerSecond }).map(([name, value]) => [
    name,
    String(value),
  ]);
  console.log(`${formatTable([["measure", "value"], ...rows])}\n`);
  console.log(`RESULT ${JSON.stringify(result)}`);
}

/** Fills a store, and measures all that is done in its process. */
async function measureHouse(directory: string) {
  const snapshot = await compile();
  const hotRowsMax = plan.players * plan.eventsPerPlayer;
  const house = await openHouse({ directory, snapshot, nowMs, hotRowsMax });
  const { store } = house;
  const watch = new LoopWatch();
  try {
    const population = makePopulation(plan, { untilMs: nowMs });
    const ingested = await ingestAll(house, watch, population);
    if (store.stats().hotRows !== ingested.events) throw new Error("not all rows are in memory");
    collectGarbage();
    const memory = readMemory();
    const { historyBytes, hotRows } = store.stats();
    const usPerDecision = await measureDecisions(house);
    const random = createRandom(11);
    const naive = compareWithNaive(house, snapshot, () => random.index(plan.players));
    const naiveOfActive = compareWithNaive(house, snapshot, population.pick);
    const more = makePopulation(
      { players: Math.ceil(plan.players * moreShare), eventsPerPlayer: plan.eventsPerPlayer },
      { untilMs: nowMs, days: 1, firstNumber: hotRowsMax },
    );
    // What the naive side left is no load of the store's.
    collectGarbage();
    await ingestAll(house, watch, more);
    watch.start();
    await store.checkpoint();
    while (store.stats().hotRows > hotRowsMax) await new Promise(setImmediate);
    watch.stop();
    const { evictions } = store.stats();
    const bytesPerEvent = historyBytes / hotRows;
    return {
      ...memory,
      bytesPerEvent,
      inProcess: ingested.perSecond,
      usPerDecision,
      stallMs: watch.stallMs,
      stallCpuMs: watch.stallCpuMs,
      vsNaiveMemory: naive.bytesPerEvent / bytesPerEvent,
      vsNaiveTime: naive.timeRatio,
      vsNaiveTimeActive: naiveOfActive.timeRatio,
      evictions,
    };
  } finally {
    await store.close();
  }
}

function compile(): Promise<RuleSnapshot> {
  return compileForBench(new TextEncoder().encode(ruleSetText), "JSON");
}

async function ingestAll(
  { ingest }: House,
  watch: LoopWatch,
  population: Population,
): Promise<{ readonly events: number; readonly perSecond: number }> {
  const open: Promise<void>[] = [];
  const warmUps = Math.ceil(population.events / batchEvents / 100);
  let batches = 0;
  let events = 0;
  let excludedMs = 0;
  const startMs = performance.now();
  for (;;) {
    const beforeMs = performance.now();
    const batch = watch.exclude(() => population.next(batchEvents));
    excludedMs += performance.now() - beforeMs;
    if (batch.length === 0) break;
    // A process that has run for a while has its machine code made.
    if (batches++ === warmUps) watch.start();
    const { outcomes, durable } = ingest.ingest(merchantId, batch);
    // Awaited in its turn.
    durable.catch(() => {});
    const refused = outcomes.find(({ verdict }) => verdict !== "ACCEPTED");
    if (refused !== undefined) throw new Error(`an event is not accepted: ${JSON.stringify(refused)}`);
    if (open.push(durable) >= openBatchesMax) await open.shift();
    await new Promise(setImmediate);
    events += batch.length;
    showProgress("ingest", events / population.events);
  }
  await Promise.all(open);
  watch.stop();
  return { events, perSecond: (events * 1000) / (performance.now() - startMs - excludedMs) };
}

/** Median us of a whole decision, with its share of the write that keeps it. */
async function measureDecisions({ decider, store }: House): Promise<number> {
  const random = createRandom(7);
  const turns: number[] = [];
  let number = 0;
  for (let turn = 0; turn < plan.decideTurns; turn++) {
    const payments = Array.from({ length: decisionsPerTurn }, () =>
      makePayment(number++, random.index(plan.players)),
    );
    const startMs = performance.now();
    for (const payment of payments) {
      const { decision } = decideOrThrow(decider, payment);
      if (decision.limits.length !== 5) throw new Error(`${decision.limits.length} limits were read, not 5`);
    }
    await store.written();
    turns.push(((performance.now() - startMs) * 1000) / decisionsPerTurn);
    showProgress("decide", (turn + 1) / plan.decideTurns);
  }
  return findMedian(turns.slice(Math.floor(turns.length / 10)));
}

/** The same features of the same players, ours and naively, in turns; throws where any value differs. */
function compareWithNaive(
  { store }: House,
  snapshot: RuleSnapshot,
  pick: () => number,
): { readonly bytesPerEvent: number; readonly timeRatio: number } {
  const ids = Array.from({ length: plan.samplePlayers }, () => playerIdOf(pick()));
  const { players, bytesPerEvent } = copyPlayers(store, ids);
  const ours = prepareOurs(store, snapshot);
  const naively = (id: string) => computeNaively(players.get(id)!, nowMs);
  for (const id of ids) checkEqual(id, ours(id), naively(id));
  const ratios: number[] = [];
  for (let at = 0; at + playersPerTurn <= ids.length; at += playersPerTurn) {
    const turn = ids.slice(at, at + playersPerTurn);
    const oursMs = time(() => turn.forEach((id) => void ours(id)));
    const naiveMs = time(() => turn.forEach((id) => void naively(id)));
    ratios.push(naiveMs / oursMs);
    showProgress("naive", (at + playersPerTurn) / ids.length);
  }
  return { bytesPerEvent, timeRatio: findMedian(ratios) };
}

function copyPlayers(
  { histories }: House["store"],
  ids: readonly string[],
): { readonly players: NaivePlayers; readonly bytesPerEvent: number } {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const players = new Map(
    [...new Set(ids)].map((id) => [id, copyHistory(histories.get(merchantId, { kind: "player", id })!)]),
  );
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  let events = 0;
  for (const each of players.values()) events += each.length;
  return { players, bytesPerEvent: bytes / events };
}

function prepareOurs({ histories }: House["store"], snapshot: RuleSnapshot) {
  const reader = buildFeatureReader(snapshot, snapshot.features.keys());
  const frame = createFrame(snapshot.slots, snapshot);
  frame.nowMs = nowMs;
  const ordinals = measuredFeatures.map((measured) =>
    snapshot.features.findIndex(({ id }) => id === measured.id),
  );
  return (playerId: string): readonly unknown[] => {
    const history = histories.get(merchantId, { kind: "player", id: playerId })!;
    const player = { playerId, attributes: new Map(), restrictions: [] };
    reader.read(makePlayerInput({ merchantId, player, history }, nowMs), frame);
    return ordinals.map((ordinal) => reader.values[ordinal]);
  };
}

function checkEqual(id: string, ours: readonly unknown[], naive: readonly unknown[]): void {
  for (const [at, { id: feature }] of measuredFeatures.entries()) {
    if (ours[at] === naive[at]) continue;
    throw new Error(`${feature} of ${id} is ${ours[at]}, and naively ${naive[at]}`);
  }
}

function time(run: () => void): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}

/** Seconds from the start of a process to its first decision. */
async function measureRestart(directory: string): Promise<number> {
  const args = [process.argv[1]!, "--restart", directory, ...(options.small ? ["--small"] : [])];
  const startMs = performance.now();
  const child = promisify(execFile)(process.execPath, args);
  const decided = new Promise<number>((resolve) =>
    child.child.stdout!.once("data", () => resolve(performance.now())),
  );
  await child;
  return ((await decided) - startMs) / 1000;
}

/** What the child does. */
async function restart(directory: string): Promise<void> {
  const snapshot = await compile();
  const hotRowsMax = plan.players * plan.eventsPerPlayer;
  const { decider, store } = await openHouse({ directory, snapshot, nowMs, hotRowsMax });
  const { durable } = decideOrThrow(decider, makePayment(-1, 0));
  await durable;
  console.log("decided");
  await store.close();
}

function roundTo(digits: number, value: number): number {
  return Number(value.toFixed(digits));
}
