import type { Compilation, DocumentFormat, RuleSetChange } from "../core/rules/compilation.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";

export type CompileInput = {
  readonly merchantId: string;
  readonly document: Uint8Array;
  readonly format: DocumentFormat;
  /** The version that the snapshot is to carry; 0 for drafts. */
  readonly version: number;
  readonly nowMs: number;
};

export type CompileResult =
  | {
      readonly ok: true;
      readonly snapshot: RuleSnapshot;
      readonly compilation: Compilation;
      /** What is different from the document that it was compared with; empty where there was none. */
      readonly changes: readonly RuleSetChange[];
    }
  | { readonly ok: false; readonly compilation: Compilation };

export type CompareResult =
  | { readonly ok: true; readonly changes: readonly RuleSetChange[] }
  | { readonly ok: false; readonly compilation: Compilation };

/**
 * Turns documents into snapshots away from the serving loop, which is never held for more than a slice of about 1 ms. What a document is compared
 * with was accepted before: that it is refused now is a bug, and rejects.
 */
export type RuleCompiler = {
  /** Checks only. */
  readonly check: (input: CompileInput) => Promise<Compilation>;
  readonly compile: (input: CompileInput, before?: CompileInput) => Promise<CompileResult>;
  /** Compares an accepted document with another. */
  readonly diff: (before: CompileInput, after: CompileInput) => Promise<CompareResult>;
  readonly close: () => Promise<void>;
};
