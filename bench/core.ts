/**
 * How long one whole `decide` takes in process, from a decoded payment to an answer that is stored in memory.
 *
 *   npm run bench:core               about a minute
 *   npm run bench:core -- --small    a tiny run of everything, for the tests
 *
 * Every payment is new, except in `decide/replay`. Payments are made outside the measured time; the stores are maps in memory, the
 * latest 256 answers in the embedded store's own cache, because what is on disk is measured elsewhere. Each bench has a thread, so a heap and machine code, of its own, as a process of one
 * merchant has, and the service's settings of V8; they take turns, round after round, and medians are printed. Bytes are those that V8 counts as allocated in the heap
 * (`total_allocated_bytes`) from the start of a turn to its end. Ends with one line `RESULT {json}`.
 */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { getHeapStatistics } from "node:v8";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { tuneHeap } from "../src/platform/heap.ts";
import { makeSubject, type SubjectName } from "./core/subjects.ts";
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

/** Turns of a ms or two, so that most of them run between two time slices of whoever else is on the machine. */
const fullPlan: Plan = { rounds: 600, warmUps: 100, turn: 200, rules: [1_000, 10_000], sample: 40 };
const smallPlan: Plan = { rounds: 2, warmUps: 1, turn: 40, rules: [40, 120], sample: 20 };

/** What a thread is told to measure. */
type Task = { readonly name: SubjectName; readonly turn: number; readonly sample: number };

/** What one turn took. */
type Turn = { readonly us: number; readonly bytes: number };

tuneHeap();
if (isMainThread) {
  const { values: options } = parseArgs({ options: { small: { type: "boolean", default: false } } });
  await main(options.small ? smallPlan : fullPlan);
} else {
  await takeTurns(workerData as Task);
}

async function main(plan: Plan): Promise<void> {
  console.log(`core: ${describeMachine()}`);
  console.log(`${plan.rounds} rounds in turns after a warm-up, medians\n`);
  const { turn, sample } = plan;
  const [fewer, more] = plan.rules;
  const tasks: readonly Task[] = [
    { name: "typical", turn, sample },
    { name: "replay", turn, sample },
    { name: "cashier", turn: Math.ceil(turn / 8), sample },
    { name: fewer, turn: Math.ceil(turn / 2), sample },
    { name: more, turn: Math.ceil(turn / 2), sample },
  ];
  const measured = await measureInTurns(tasks, plan);
  const rows = measured.map(({ name, us, low, high, bytes, hash }) => [
    `decide/${name}`,
    us.toFixed(2),
    `${low.toFixed(2)} to ${high.toFixed(2)}`,
    bytes.toFixed(0),
    hash,
  ]);
  console.log(
    `${formatTable([["bench", "us/decision", "p10 to p90", "bytes/decision", "answers"], ...rows])}\n`,
  );
  const [typical, replay, cashier, us1000, us10000] = measured.map(({ us }) => Number(us.toFixed(2)));
  console.log(
    `RESULT ${JSON.stringify({
      usTypical: typical,
      us1000,
      us10000,
      bytesAllocated: Math.round(measured[0]!.bytes),
      usReplay: replay,
      usCashier: cashier,
    })}`,
  );
}

/** The thread of one subject: builds it, says the hash of its answers, then takes a turn whenever it is told to. */
async function takeTurns({ name, turn, sample }: Task): Promise<void> {
  const { prepare, hash } = await makeSubject(name, sample);
  parentPort?.on("message", () => parentPort?.postMessage(takeTurn(prepare(turn), turn)));
  parentPort?.postMessage(hash);
}

function takeTurn(run: () => unknown, decisions: number): Turn {
  const before = getHeapStatistics().total_allocated_bytes;
  const startMs = performance.now();
  run();
  const us = ((performance.now() - startMs) * 1000) / decisions;
  return { us, bytes: (getHeapStatistics().total_allocated_bytes - before) / decisions };
}

type Measured = {
  readonly name: SubjectName;
  readonly us: number;
  readonly low: number;
  readonly high: number;
  readonly bytes: number;
  readonly hash: string;
};

async function measureInTurns(
  tasks: readonly Task[],
  { rounds, warmUps }: Plan,
): Promise<readonly Measured[]> {
  const threads = [];
  for (const task of tasks) {
    const worker = new Worker(new URL(import.meta.url), { workerData: task });
    const [hash] = (await once(worker, "message")) as [string];
    threads.push({ name: task.name, worker, hash, turns: [] as Turn[] });
  }
  for (let round = -warmUps; round < rounds; round++) {
    for (const { worker, turns } of threads) {
      worker.postMessage("turn");
      const [turn] = (await once(worker, "message")) as [Turn];
      if (round >= 0) turns.push(turn);
    }
    showProgress("decide", (round + warmUps + 1) / (rounds + warmUps));
  }
  await Promise.all(threads.map(({ worker }) => worker.terminate()));
  return threads.map(({ name, hash, turns }) => {
    const sorted = turns.map(({ us }) => us).sort((a, b) => a - b);
    const rank = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
    const bytes = findMedian(turns.map((turn) => turn.bytes));
    return { name, hash, us: findMedian(sorted), low: rank(0.1), high: rank(0.9), bytes };
  });
}
