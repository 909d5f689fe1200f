/** The compiler's thread: whatever a document does to it, the service goes on. */
import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { compileDocument, type DocumentInput, judgeDocument } from "../../core/rules/compile/compile.ts";
import { imageBuffers } from "../../core/rules/compile/image.ts";
import { diffRuleSets } from "../../core/rules/diff.ts";
import type { Job, JobDocument, JobResult } from "./messages.ts";

parentPort?.on("message", (job: Job) => {
  const result = runJob(job);
  const buffers = result.kind === "compiled" && result.image !== undefined ? imageBuffers(result.image) : [];
  parentPort?.postMessage(result, buffers);
});

function runJob(job: Job): JobResult {
  switch (job.kind) {
    case "check":
      return {
        kind: "compiled",
        compilation: judgeDocument(prepare(job.document)).compilation,
        image: undefined,
      };
    case "compile":
      return { kind: "compiled", ...compileDocument(prepare(job.document)) };
    case "diff": {
      const before = judgeDocument(prepare(job.before)).accepted;
      const after = judgeDocument(prepare(job.after)).accepted;
      if (before === undefined || after === undefined) return { kind: "refused" };
      return { kind: "compared", changes: diffRuleSets(before, after) };
    }
  }
}

function prepare(document: JobDocument): DocumentInput {
  return { ...document, sha256: (bytes) => createHash("sha256").update(bytes).digest("hex") };
}
