import type { Expr } from "../cel/expr.ts";
import type { Purpose } from "../facts.ts";
import type { CalendarSpec, RollingSpec } from "../features/feature.ts";
import type { Subject, SubjectKind } from "../history/history.ts";
import type { PaymentKind } from "../payment.ts";
import type { InitiatorGroup } from "../retry/card-views.ts";
import type { RuleClass } from "../rules/rule-class.ts";
import type { Action } from "../rules/snapshot.ts";

export type LimitMeasure = "COUNT" | "GROSS" | "NET" | "DISTINCT";
export type LimitCounted = "PAYMENTS" | "AUTHORISATIONS" | "DECLINES";
export type LimitBreach = "DENY" | "REVIEW" | "STEP_UP" | "EXCLUDE_PSP" | "NOTICE";
export type DistinctOf = "card" | "device" | "ip" | "player" | "method";

/** A limit as compiled with its rule set, packs included; those of players are made from `PlayerLimit` (`player-limits.ts`). Instants and spans in ms. */
export type LimitSpec = {
  readonly id: string;
  readonly ruleClass: RuleClass;
  readonly kinds: readonly PaymentKind[];
  readonly subject: SubjectKind;
  /** For subject `key`: over the slots of the rule set, type string. */
  readonly key: Expr | undefined;
  readonly measure: LimitMeasure;
  readonly counted: LimitCounted;
  readonly distinctOf: DistinctOf | undefined;
  /** Which payments are counted: over slots of kind `event`; all deposits where undefined. */
  readonly counts: Expr | undefined;
  /** Which payments it holds up: over the slots of the rule set, true where undefined. */
  readonly applies: Expr | undefined;
  readonly window: RollingSpec | CalendarSpec;
  /** In order; the last has no segment. */
  readonly thresholds: readonly LimitThreshold[];
  /** ISO 4217 code of all thresholds of a sum; empty for counts. */
  readonly currency: string;
  readonly breach: LimitBreach;
  /** Whether unknown closes. */
  readonly closesOnUnknown: boolean;
  readonly countedAt: "DECIDED" | "CLEARED";
  readonly netFloorNone: boolean;
  readonly reason: string;
  readonly playerMessageKey: string;
  readonly purposes: readonly Purpose[];
  readonly actions: readonly Action[];
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
};

/** `segment` is an ordinal; undefined in the last entry. `value` in minor units of the limit's currency, or a number of things. */
export type LimitThreshold = { readonly segment: number | undefined; readonly value: number };

/** What a limit says of a payment at an instant. */
export type LimitReading = {
  readonly limitId: string;
  readonly ruleClass: RuleClass;
  readonly fits: boolean;
  readonly used: number;
  readonly limit: number;
  readonly headroom: number;
  readonly asked: number;
  readonly currency: string;
  readonly resetsAtMs: number | undefined;
  readonly fitsAtMs: number | undefined;
  readonly unknown: boolean;
  /** Id of the segment whose threshold speaks; empty for the default. */
  readonly segment: string;
  readonly subject: SubjectKind;
  readonly errorBound: number;
  readonly overrun: boolean;
  readonly purposes: readonly Purpose[];
};

/**
 * What a payment holds under limits from `Decide` until its outcome is known (`SEMANTICS.md` 5.1-5.4). One per payment; its attempts share it.
 *
 * HELD: decided, no word yet. UNKNOWN, PENDING: as the latest outcome says. REVIEW: waits for a reviewer. What is settled has no hold: its facts
 * are rows of the histories of its subjects.
 */
export type Hold = {
  readonly paymentId: string;
  readonly revision: number;
  readonly playerId: string;
  readonly kind: PaymentKind;
  readonly amountMinor: number;
  readonly currency: string;
  /** The amount in the currencies of the limits, by ISO 4217 code: converted once, by the rates of the rule set that decided (`SEMANTICS.md` 5.8). */
  readonly converted: ReadonlyMap<string, number>;
  /** Version of that rule set. */
  readonly ratesVersion: number;
  /** The first `Decide` of the admitted revision: the instant of all its windows. */
  readonly instantMs: number;
  /** When something was last heard of the payment. */
  readonly lastWordMs: number;
  readonly state: "HELD" | "UNKNOWN" | "PENDING" | "REVIEW";
  /** From then on limits of classes 4-7 no longer count it; those of 1-2 do. */
  readonly releasesAtMs: number;
  /** Authorisations of the plan that may still be sent. */
  readonly authorisations: number;
  /** What `counts` may ask for (kind, method, psp, mid, scheme, funding, brand) and what DISTINCT counts (card, device, ip: `addDistinctValues`). */
  readonly values: ReadonlyMap<string, string>;
  /** Card, device, IP, BIN, PSP, MID, brand and keys, the player first. None where only caps of schemes count it any more. */
  readonly subjects: readonly Subject[];
  /** What it holds against the caps of the schemes, an entry for each revision; absent where nothing. */
  readonly attempts?: readonly HeldAttempts[];
};

/** Attempts with a card of which the answer is not known yet, so that no decline counts them (`SEMANTICS.md` 4.6, docs/decisions/0015). */
export type HeldAttempts = {
  /** The revision of the payment in whose plan they are. */
  readonly revision: number;
  /** The card, as a subject. */
  readonly card: string;
  /** Canonical; empty where unknown. */
  readonly scheme: string;
  readonly group: InitiatorGroup;
  readonly amountMinor: number;
  readonly currency: string;
  /** Those that may be sent, or may have been, without another word: the longest way through what the caller was shown. They count while the hold lasts. */
  readonly planned: number;
  /** Those that are known to be out, and of which nobody knows what became; they count until they are settled or leave the window of a cap. */
  readonly open: number;
  /** Instant of the newest of these, ms since the epoch; 0 where there are none. */
  readonly openAtMs: number;
};
