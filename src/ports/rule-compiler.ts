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
  | { readonly ok: true; readonly snapshot: RuleSnapshot; readonly compilation: Compilation }
  | { readonly ok: false; readonly compilation: Compilation };

/** Turns documents into snapshots away from the serving loop, which is never held for more than a slice of about 1 ms. */
export type RuleCompiler = {
  /** Checks only. */
  readonly check: (input: CompileInput) => Promise<Compilation>;
  readonly compile: (input: CompileInput) => Promise<CompileResult>;
  /** Compares two documents that are both right. */
  readonly diff: (before: CompileInput, after: CompileInput) => Promise<readonly RuleSetChange[]>;
  readonly close: () => Promise<void>;
};
