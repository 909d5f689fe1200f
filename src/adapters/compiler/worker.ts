/** The compiler's thread: whatever a document does to it, the service goes on. */
import { createHash } from "node:crypto";
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { RuleSetChange } from "../../core/rules/compilation.ts";
import { type DocumentInput, judgeDocument, makeImage } from "../../core/rules/compile/compile.ts";
import { imageBuffers } from "../../core/rules/compile/image.ts";
import { type DiffSide, diffRuleSets } from "../../core/rules/diff.ts";
import type { Job, JobDocument, JobResult } from "./messages.ts";

/** Of the scheduler: the serving loop goes first where cores are few. */
const niceness = 19;

// On Linux this sets the calling thread alone; elsewhere it would slow the whole process down.
if (process.platform === "linux") setPriority(0, niceness);

parentPort?.on("message", (job: Job) => {
  const result = runJob(job);
  const buffers = result.kind === "judged" && result.image !== undefined ? imageBuffers(result.image) : [];
  parentPort?.postMessage(result, buffers);
});

function runJob({ compile, document, before }: Job): JobResult {
  const { compilation, accepted } = judgeDocument(prepare(document));
  if (accepted === undefined) return { kind: "judged", compilation, image: undefined, changes: [] };
  const changes = before === undefined ? [] : compare(before, accepted);
  if (changes === undefined) return { kind: "refused" };
  const image = compile ? makeImage(accepted, compilation.hash) : undefined;
  return { kind: "judged", compilation, image, changes };
}

function compare(before: JobDocument, after: DiffSide): readonly RuleSetChange[] | undefined {
  const { accepted } = judgeDocument(prepare(before));
  return accepted && diffRuleSets(accepted, after);
}

function prepare(document: JobDocument): DocumentInput {
  return { ...document, sha256: (bytes) => createHash("sha256").update(bytes).digest("hex") };
}
