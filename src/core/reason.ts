import type { Purpose } from "./facts.ts";
import type { RuleClass } from "./rules/rule-class.ts";

/** Where a reason comes from, in the fixed precedence of `SEMANTICS.md` 3.8; limits of classes 1-2 and other limits have their places. */
export const reasonStages = [
  "request_state",
  "restriction",
  "regulatory",
  "safer_gambling",
  "protective_limit",
  "override",
  "risk",
  "limit",
  "routing",
  "informational",
] as const;

export type ReasonStage = (typeof reasonStages)[number];

/** Sorts into the fixed precedence, in place; within a stage the order stays. */
export function sortReasons(reasons: Reason[]): readonly Reason[] {
  return reasons.sort((a, b) => reasonStages.indexOf(a.stage) - reasonStages.indexOf(b.stage));
}

/** One reason of a decision, with all that it knows; what a gateway may see of it is for `rpc/codec` to say, by `purposes`. */
export type Reason = {
  readonly stage: ReasonStage;
  /** Stable code in capitals; docs/reasons.md lists them. */
  readonly code: string;
  readonly ruleClass?: RuleClass;
  /** Id of the rule, override or restriction that speaks. */
  readonly sourceId: string;
  readonly detail: string;
  readonly playerMessageKey: string;
  readonly purposes: readonly Purpose[];
};
