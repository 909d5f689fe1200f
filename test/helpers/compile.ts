import { createHash } from "node:crypto";
import { compileDocument } from "../../src/core/rules/compile/compile.ts";
import { hydrateSnapshot } from "../../src/core/rules/compile/hydrate.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";

/** The instant at which test documents are pushed. */
export const testNowMs = Date.UTC(2026, 0, 1);

/** SHA-256 as hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Compiles a document in YAML (so JSON too) in this thread; throws with all its faults where it is refused. */
export function compileForTest(text: string, version = 1): RuleSnapshot {
  const document = new TextEncoder().encode(text);
  const { compilation, image } = compileDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  if (image === undefined) {
    const faults = compilation.faults.map(
      ({ line, column, path, rule, message }) => `${line}:${column} ${path} ${rule}: ${message}`,
    );
    throw new Error(`the document is refused:\n${faults.join("\n")}`);
  }
  const steps = hydrateSnapshot(image, { version, nowMs: testNowMs });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
