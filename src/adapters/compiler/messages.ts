import type { Compilation, RuleSetChange } from "../../core/rules/compilation.ts";
import type { CompiledImage } from "../../core/rules/compile/image.ts";
import type { CompileInput } from "../../ports/rule-compiler.ts";

/** What the worker needs of a document. */
export type JobDocument = Pick<CompileInput, "document" | "format" | "nowMs">;

/** A job for the worker; it has one at a time. */
export type Job =
  | { readonly kind: "check" | "compile"; readonly document: JobDocument }
  | { readonly kind: "diff"; readonly before: JobDocument; readonly after: JobDocument };

/** The worker's answer to its job. */
export type JobResult =
  | {
      readonly kind: "compiled";
      readonly compilation: Compilation;
      readonly image: CompiledImage | undefined;
    }
  | { readonly kind: "compared"; readonly changes: readonly RuleSetChange[] }
  /** A document of a comparison is refused. */
  | { readonly kind: "refused" };
