import type { Compilation, RuleSetChange } from "../../core/rules/compilation.ts";
import type { CompiledImage } from "../../core/rules/compile/image.ts";
import type { CompileInput } from "../../ports/rule-compiler.ts";

/** What the worker needs of a document. */
export type JobDocument = Pick<CompileInput, "document" | "format" | "nowMs">;

/** A job for the worker; it has one at a time. Without `compile` the document is only judged; with `before` it is compared too. */
export type Job = {
  readonly compile: boolean;
  readonly document: JobDocument;
  readonly before: JobDocument | undefined;
};

/** The worker's answer to its job. */
export type JobResult =
  | {
      readonly kind: "judged";
      readonly compilation: Compilation;
      /** Where the document is right and was to be compiled. */
      readonly image: CompiledImage | undefined;
      readonly changes: readonly RuleSetChange[];
    }
  /** What the document was to be compared with is wrong itself. */
  | { readonly kind: "refused" };
