import { Worker } from "node:worker_threads";
import type { FaultRule } from "../../core/rules/check/fault-rules.ts";
import type { Compilation } from "../../core/rules/compilation.ts";
import { hydrateSnapshot } from "../../core/rules/compile/hydrate.ts";
import type { CompileInput, RuleCompiler } from "../../ports/rule-compiler.ts";
import type { Job, JobDocument, JobResult } from "./messages.ts";
import { copyBytes, runInSlices } from "./slices.ts";

export type RuleCompilerOptions = {
  /** How long one job may take, 60 s by default. */
  readonly timeLimitMs?: number;
  /** Heap of the worker in MiB, 2,048 by default. A document that needs more ends the worker, not the service. */
  readonly heapMiB?: number;
  /** Jobs that may wait behind the one that runs, 16 by default. */
  readonly queueMax?: number;
  /** Told why a worker was lost; for the log. */
  readonly onWorkerLost?: (why: string) => void;
};

type Pending = {
  readonly job: Job;
  readonly settle: (outcome: JobResult | { readonly kind: "failed"; readonly why: string }) => void;
};

/** The worker's answer, or why there is none. */
type Outcome = Parameters<Pending["settle"]>[0];

/**
 * Compiles rule sets in a worker thread, one at a time; only the opening of a snapshot happens on the caller's loop, in slices of at most 1 ms.
 *
 * Fails:  a job that runs out of time or memory, or finds the queue full, is answered with the fault `compiler-failed`. A lost worker is
 *         replaced.
 */
export function openRuleCompiler(options: RuleCompilerOptions = {}): RuleCompiler {
  const jobs = openJobs(options);
  const judge = async (compile: boolean, input: CompileInput, before?: CompileInput) => {
    const outcome = await jobs.run({
      compile,
      document: await copyDocument(input),
      before: before && (await copyDocument(before)),
    });
    if (outcome.kind === "refused") throw new Error("a rule set that was accepted is refused now");
    if (outcome.kind === "judged") return outcome;
    return { compilation: describeFailure(outcome.why), image: undefined, changes: [] };
  };
  return {
    check: async (input) => (await judge(false, input)).compilation,
    compile: async (input, before) => {
      const { compilation, image, changes } = await judge(true, input, before);
      if (image === undefined) return { ok: false, compilation };
      const { version, nowMs } = input;
      const snapshot = await runInSlices(hydrateSnapshot(image, { version, nowMs }));
      return { ok: true, compilation, snapshot, changes };
    },
    diff: async (before, after) => {
      const { compilation, changes } = await judge(false, after, before);
      return compilation.hash === "" ? { ok: false, compilation } : { ok: true, changes };
    },
    close: () => jobs.close(),
  };
}

/** The job is transferred, so it needs a copy: the caller keeps the document. */
async function copyDocument({ document, format, nowMs }: CompileInput): Promise<JobDocument> {
  return { document: await runInSlices(copyBytes(document)), format, nowMs };
}

function describeFailure(message: string): Compilation {
  const rule: FaultRule = "compiler-failed";
  const fault = { severity: "ERROR", path: "", line: 0, column: 0, rule, message, id: "" } as const;
  return { faults: [fault], faultsOmitted: 0, hash: "", name: "", ruleCount: 0 };
}

type Jobs = { readonly run: (job: Job) => Promise<Outcome>; readonly close: () => Promise<void> };

/** One worker and the jobs that wait for it. */
function openJobs({
  timeLimitMs = 60_000,
  heapMiB = 2_048,
  queueMax = 16,
  onWorkerLost,
}: RuleCompilerOptions): Jobs {
  const waiting: Pending[] = [];
  let worker: Worker | undefined;
  let running: (Pending & { readonly timer: NodeJS.Timeout }) | undefined;
  let isClosed = false;

  const finish = (outcome: Outcome): void => {
    const done = running;
    running = undefined;
    worker?.unref();
    if (done === undefined) return;
    clearTimeout(done.timer);
    done.settle(outcome);
    startNext();
  };
  const lose = (lost: Worker, why: string): void => {
    if (lost !== worker) return;
    worker = undefined;
    void lost.terminate();
    if (!isClosed) onWorkerLost?.(why);
    finish({ kind: "failed", why: `the document was not judged: ${why}` });
  };
  const startWorker = (): Worker => {
    const started = new Worker(new URL("./worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    started.on("message", (result: JobResult) => finish(result));
    started.on("error", (error) => lose(started, error instanceof Error ? error.message : String(error)));
    started.on("exit", (code) => lose(started, `the compiler ended with code ${code}`));
    return started;
  };
  const startNext = (): void => {
    const next = running === undefined ? waiting.shift() : undefined;
    if (next === undefined) return;
    worker ??= startWorker();
    const busy = worker;
    busy.ref();
    const timer = setTimeout(() => lose(busy, `the compiler took more than ${timeLimitMs} ms`), timeLimitMs);
    running = { ...next, timer };
    busy.postMessage(next.job, buffersOf(next.job));
  };

  return {
    run: (job) =>
      new Promise((settle) => {
        if (isClosed) settle({ kind: "failed", why: "the compiler is closed" });
        else if (waiting.length >= queueMax)
          settle({ kind: "failed", why: "too many rule sets wait; try again later" });
        else {
          waiting.push({ job, settle });
          startNext();
        }
      }),
    close: async () => {
      isClosed = true;
      for (const { settle } of waiting.splice(0)) settle({ kind: "failed", why: "the compiler is closed" });
      const last = worker;
      if (last !== undefined) lose(last, "the compiler is closed");
      await last?.terminate();
    },
  };
}

function buffersOf(job: Job): ArrayBuffer[] {
  const documents = job.before === undefined ? [job.document] : [job.document, job.before];
  return documents.map(({ document }) => document.buffer as ArrayBuffer);
}
