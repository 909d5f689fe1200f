import type { LimitReading } from "./limits/limit.ts";
import type { Money } from "./payment.ts";
import type { Reason } from "./reason.ts";
import type { OutcomeClass } from "./retry/outcome-class.ts";
import type { RuleClass } from "./rules/rule-class.ts";
import type { Action } from "./rules/snapshot.ts";
import type { ThreeDsReason } from "./sca/three-ds-reasons.ts";

export type Verdict = "APPROVE_ROUTE" | "REVIEW" | "DENY";

/** Facets that rules speak on (`SEMANTICS.md` 3.2). */
export const facets = [
  "verdict",
  "exclude",
  "require",
  "cap",
  "three_ds",
  "strategy",
  "retry",
  "experience",
  "actions",
  "score",
] as const;

export type Facet = (typeof facets)[number];

/** The answer to one payment. Immutable; instants are ms since the epoch. */
export type Decision = {
  readonly decisionId: string;
  readonly verdict: Verdict;
  /** In the fixed precedence; never empty where the verdict is not APPROVE_ROUTE. */
  readonly reasons: readonly Reason[];
  /** Present where the verdict is APPROVE_ROUTE in mode PAYMENT. */
  readonly plan: Plan | undefined;
  /** Every limit that applied, the tightest first. */
  readonly limits: readonly LimitReading[];
  /** Every segment that the player is in, sorted by id. */
  readonly segments: readonly SegmentMatch[];
  /** Strongest first, at most 32. */
  readonly matchedRules: readonly MatchedRule[];
  readonly matchedRulesOmitted: number;
  readonly experience: Experience | undefined;
  readonly actions: readonly DueAction[];
  readonly removedActions: readonly DueAction[];
  readonly ruleSetVersion: number;
  readonly ruleSetHash: string;
  readonly overrideRevision: number;
  readonly sources: readonly SourceState[];
  readonly decidedAtMs: number;
  readonly retryAfterMs: number | undefined;
  readonly reviewUntilMs: number | undefined;
  readonly riskScore: number;
  /** Ids of the RISK reviews that this decision reported; an approved review lifts exactly these. */
  readonly reviewedRules: readonly string[];
};

/** An action with the purposes of the rules that want it. */
export type DueAction = Action & { readonly purposes: Reason["purposes"] };

export type SegmentMatch = { readonly id: string; readonly purposes: Reason["purposes"] };

export type SourceState = { readonly source: string; readonly asOfMs: number; readonly degraded: boolean };

export type MatchedRule = {
  readonly id: string;
  readonly ruleClass: RuleClass;
  readonly shadow: boolean;
  readonly throughUnknown: boolean;
  readonly won: readonly Facet[];
  readonly lost: readonly FacetLoss[];
  readonly purposes: Reason["purposes"];
};

export type FacetLoss = { readonly facet: Facet; readonly to: string; readonly why: string };

export type Plan = {
  /** In order of `number`. */
  readonly steps: readonly Step[];
  readonly validUntilMs: number;
  readonly codeTableVersion: string;
};

export type StepKind = "FIRST" | "CASCADE" | "STEP_UP";

export type Step = {
  /** From 1; kept when other steps are cut. */
  readonly number: number;
  readonly kind: StepKind;
  readonly psp: string;
  readonly mid: string;
  readonly instrument: string;
  readonly threeDs: StepThreeDs;
  readonly liabilityShift: "EXPECTED" | "NOT_EXPECTED" | "UNKNOWN";
  readonly attemptId: string;
  readonly idempotencyKey: string;
  readonly notBeforeMs: number | undefined;
  /** One per class, in the order of `outcomeClasses`. */
  readonly edges: readonly OutcomeEdge[];
  /** How long to wait for the answer of the PSP. */
  readonly timeoutMs: number;
  /** Whether the PSP answers a repeated key with its first answer. */
  readonly mayResend: boolean;
};

export type StepThreeDs = {
  /** Empty where there is nothing to say, and in plans of before it was kept. */
  readonly reason: ThreeDsReason | "";
} & (
  | { readonly requirement: "NONE" | "OUT_OF_SCOPE" | "NOT_APPLICABLE" }
  | {
      readonly requirement: "THREE_DS";
      readonly challengeIndicator: string;
      /** The caller has a proof that this PSP takes: it is sent instead of authenticating again. */
      readonly useProof: boolean;
    }
  | { readonly requirement: "EXEMPTION"; readonly exemption: string }
);

export type OutcomeEdge = { readonly outcomeClass: OutcomeClass; readonly edge: Edge };

/** What to do next (`SEMANTICS.md` 4.1). Edges only lead forward. */
export type Edge =
  | { readonly action: "DONE" | "VOID_FIRST" | "NEW_CIT" | "STOP" }
  /** Not before the instant: the next query, or the same card again. Only plans as they now stand have one. */
  | { readonly action: "STATUS_CHECK" | "OTHER_METHOD"; readonly notBeforeMs?: number }
  | { readonly action: "STEP"; readonly step: number }
  | { readonly action: "WAIT_UNTIL"; readonly step: number; readonly notBeforeMs: number }
  | { readonly action: "CHANGE_DATA"; readonly fields: readonly string[] }
  | { readonly action: "LOWER_AMOUNT" | "ASK_AGAIN"; readonly notBeforeMs: number | undefined };

export type Experience = {
  readonly methods: readonly { readonly method: string; readonly maxAmount: Money | undefined }[];
  readonly hiddenMethods: readonly { readonly method: string; readonly reasons: readonly Reason[] }[];
  readonly amounts: readonly Money[];
  readonly messageKeys: readonly string[];
};
