import type { ConditionTrace } from "../core/cel/explain.ts";
import type { Decision, Edge, Facet, Step } from "../core/decision.ts";
import type { Purpose } from "../core/facts.ts";
import type { FieldFault } from "../core/field-fault.ts";
import type { LimitReading } from "../core/limits/limit.ts";
import type { OutcomeReport } from "../core/outcome-report.ts";
import type { Payment } from "../core/payment.ts";
import type { Player } from "../core/player.ts";
import type { Reason } from "../core/reason.ts";
import type { Attribution } from "../core/retry/answer.ts";
import type { OutcomeClass } from "../core/retry/outcome-class.ts";
import type { StoredAttempt } from "../ports/payment-store.ts";
import type { PlayerDescription } from "./describe-player.ts";
import type { ActiveRules } from "./judge.ts";

export type { ActiveRules, StoredAttempt };

/** A call of `Decide` that was answered. */
export type Decided = {
  readonly ok: true;
  readonly payment: Payment;
  readonly decision: Decision;
  /** The plan as it now stands; undefined where the decision has none. */
  readonly plan: PlanNow | undefined;
  /** Whether this is the stored answer to an earlier call. */
  readonly replayed: boolean;
  /** Resolves when the store has the answer, before which it must not leave. Undefined where nothing was stored. */
  readonly durable: Promise<void> | undefined;
  /** Where asked for. */
  readonly trace: Trace | undefined;
};

/** What remains of the stored plan after the reported attempts and the re-check. */
export type PlanNow = {
  readonly steps: readonly Step[];
  readonly validUntilMs: number;
  readonly codeTableVersion: string;
  readonly next: Edge;
  readonly attempts: readonly StoredAttempt[];
  /** Why steps of the stored plan are gone. */
  readonly cut: readonly Reason[];
};

/** A call that could not be answered: not a refusal of the payment, but of the call. */
export type Refused = { readonly ok: false } & (
  | { readonly kind: "unknown_merchant"; readonly merchantId: string }
  | { readonly kind: "invalid"; readonly faults: readonly FieldFault[] }
  | { readonly kind: "no_active_rule_set" }
  | {
      readonly kind: "idempotency_conflict";
      readonly paymentId: string;
      /** Proto names of what differs, sorted. */
      readonly fields: readonly string[];
      readonly currentRevision: number;
    }
  | { readonly kind: "stale_revision"; readonly paymentId: string; readonly currentRevision: number }
  | {
      readonly kind: "payment_closed";
      readonly paymentId: string;
      readonly currentRevision: number;
      readonly finalState: string;
    }
);

/** Decides payments. Synchronous; what must be durable first is told by `durable`. */
export type Decider = {
  readonly decide: (payment: Payment, door: "gateway" | "admin") => Decided | Refused;
  /**
   * Decides a payment by a draft and by the active rule set (undefined where there is none), each with the overrides held against it, on
   * current state and at one instant, as if it came for the first time. Stores nothing.
   */
  readonly simulate: (
    draft: ActiveRules,
    payment: Payment,
  ) => { readonly active: Decided | Refused | undefined; readonly draft: Decided | Refused };
  /** What is known of a player without a payment in sight; undefined where no rule set is active. */
  readonly describe: (merchantId: string, player: Player) => PlayerDescription | undefined;
};

/** What became of a report of an outcome. */
export type Reported = {
  readonly ok: true;
  /** APPLIED: it told something new. UNKNOWN_PAYMENT: nothing was ever decided here, or too long ago. */
  readonly verdict: "APPLIED" | "KNOWN" | "UNKNOWN_PAYMENT";
  readonly plan: PlanNow | undefined;
  /** Limits of the player, as they stand after the report. */
  readonly limits: readonly LimitReading[];
  /** Whether the report is an approval that went over a limit. */
  readonly overrun: boolean;
  /** What became of the attempt, as far as it is known now, and whom that is held against; undefined means nobody. */
  readonly outcome: OutcomeClass;
  readonly attribution: Attribution | undefined;
  /** What somebody has to look at. */
  readonly alerts: readonly Reason[];
  readonly durable: Promise<void> | undefined;
};

/** Takes reports of outcomes. Synchronous; what must be durable first is told by `durable`. */
export type Reporter = { readonly report: (report: OutcomeReport) => Reported | Refused };

/** Everything that led to a decision. */
export type Trace = {
  readonly conditions: readonly JudgedCondition[];
  readonly psps: readonly JudgedPsp[];
  readonly facets: readonly {
    readonly facet: Facet;
    readonly winners: readonly { readonly id: string; readonly purposes: readonly Purpose[] }[];
    readonly result: string;
  }[];
  readonly facts: readonly JudgedFact[];
  readonly reasons: readonly Reason[];
  readonly notes: readonly string[];
};

/** A fact as the decision saw it, as text. `source` is request, bin_table, player or derived. */
export type JudgedFact = {
  readonly name: string;
  readonly value: string;
  readonly source: string;
  readonly purposes: readonly Purpose[];
};

export type JudgedCondition = {
  /** `segments/vip`, `rules/vip-direct` or `overrides/x`. */
  readonly path: string;
  readonly purposes: readonly Purpose[];
  /** Why it did not apply although it held; empty where it did. */
  readonly skipped: string;
  /** The purposes of every fact and segment that the condition reads itself. */
  readonly reads: readonly (readonly Purpose[])[];
  /** Undefined where there is no condition: always true. */
  readonly condition: ConditionTrace | undefined;
};

export type JudgedPsp = {
  readonly psp: string;
  /** The filter that removed it; empty where it stayed. */
  readonly removedBy: string;
  readonly detail: string;
  /** Whom `detail` may be told. */
  readonly purposes: readonly Purpose[];
  /** From 1; 0 where it was removed. */
  readonly rank: number;
  /** What the strategy computed, as text. */
  readonly score: ReadonlyMap<string, string>;
};
