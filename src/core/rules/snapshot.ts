import type { BreakerPolicy } from "../breakers/breaker-policy.ts";
import type { ListKind, SlotSource } from "../cel/environment.ts";
import type { Expr, Frame, MembershipList } from "../cel/expr.ts";
import type { EventTypeInfo } from "../events/event.ts";
import type { Purpose } from "../facts.ts";
import type { FeatureSpec } from "../features/feature.ts";
import type { LimitSpec } from "../limits/limit.ts";
import type { CompiledModel } from "../models/model.ts";
import type { FxRates } from "../money.ts";
import type { Credential, Money, PaymentKind } from "../payment.ts";
import type { ResponseCode } from "../retry/answer.ts";
import type { OutcomeClass } from "../retry/outcome-class.ts";
import type { SchemeCap } from "../retry/scheme-cap.ts";
import type { PspSca, ScaPolicy } from "../sca/sca-policy.ts";
import type { RuleClass } from "./rule-class.ts";

/**
 * A rule set, compiled and frozen: what every decision runs on. One reference is swapped at activation, and each decision sees exactly one.
 *
 * Ordinals index their arrays: `rules` stand in total order (class, priority, id), `psps` and `segments` in order of id.
 */
export type RuleSnapshot = {
  readonly version: number;
  /** Content hash of the document, hexadecimal. */
  readonly hash: string;
  readonly name: string;
  /** Where the value of each slot of a frame comes from. */
  readonly slots: readonly SlotSource[];
  readonly lists: readonly MembershipList[];
  readonly listIds: readonly string[];
  readonly listKinds: readonly ListKind[];
  readonly psps: readonly Psp[];
  readonly pspOrdinals: ReadonlyMap<string, number>;
  readonly segments: readonly SegmentInfo[];
  readonly rules: readonly CompiledRule[];
  readonly ruleOrdinals: ReadonlyMap<string, number>;
  readonly attributes: ReadonlyMap<string, AttributeInfo>;
  readonly playerAttributes: ReadonlyMap<string, AttributeInfo>;
  readonly retryPolicies: ReadonlyMap<string, RetryPolicy>;
  /** Ids of declared brands. */
  readonly brands: ReadonlySet<string>;
  readonly licenceOfBrand: ReadonlyMap<string, string>;
  readonly riskThresholds: { readonly reviewFrom: number; readonly denyFrom: number };
  readonly fx: FxRates;
  /** Every method that some PSP serves, sorted. */
  readonly methods: readonly string[];
  /** Features in order of id: ordinals of slots index them. */
  readonly features: readonly FeatureSpec[];
  /** Ordinals of all features, each after those that it reads. */
  readonly featureOrder: readonly number[];
  /** Where the values of the slots of `where`, `hit` and `counts` come from: all of kind `event`. */
  readonly eventSlots: readonly SlotSource[];
  /** Limits in order of id, those of packs included. */
  readonly limits: readonly LimitSpec[];
  readonly models: readonly CompiledModel[];
  /** Types of events that the rule set declares, beside the built-in ones. */
  readonly eventTypes: ReadonlyMap<string, EventTypeInfo>;
  readonly packs: readonly PackInfo[];
  readonly lifecycles: readonly LifecycleInfo[];
  /** Entries before the table of the house. */
  readonly responseCodes: readonly ResponseCode[];
  /** Those of the house count where these are undefined. */
  readonly schemeCaps: readonly SchemeCap[] | undefined;
  readonly scaPolicy: ScaPolicy | undefined;
  readonly breakerPolicy: BreakerPolicy | undefined;
  /** Fills `frame.segments`, segments of segments included. */
  readonly matchSegments: (frame: Frame) => void;
  /**
   * Finds all rules whose conditions hold (or are unknown where unknown matches), in ascending order, into `matches`. Says nothing of kinds,
   * schedules, rollout or shadow mode. Returns their number; `matches` must hold `rules.length`.
   */
  readonly matchRules: (frame: Frame, matches: Matches) => number;
  /** The typed condition of a rule or a segment, decoded on demand for traces; `undefined` where it is always true. */
  readonly ruleCondition: (ordinal: number) => Expr | undefined;
  readonly segmentCondition: (ordinal: number) => Expr;
  /** By which a member leaves, its lists included, where that is said apart. */
  readonly segmentExit: (ordinal: number) => Expr | undefined;
};

/** Where matches go: ordinals, and how each matched (0 true, 1 through unknown, 2 through unknown after an evaluation error). */
export type Matches = { readonly ordinals: Int32Array; readonly flags: Uint8Array };

export type SegmentInfo = {
  readonly id: string;
  readonly purposes: readonly Purpose[];
  /** Whether membership depends on what was before: it has an exit of its own, a least stay, or is a state of a lifecycle with one. */
  readonly hasMemory: boolean;
  readonly dwellMinMs: number;
  /** Length of the longest window among the features that it reads, through other segments too; 0 where there is none. */
  readonly windowMsMax: number;
  /** Whether it, or a segment that it reads, reads what only a payment can tell: then it has no members outside decisions. */
  readonly needsPayment: boolean;
  readonly isCampaign: boolean;
  /** Ordinals of lists of players who are in, and of those who are out, whatever is remembered; the first comes first. */
  readonly includeList: number | undefined;
  readonly excludeList: number | undefined;
};

/** A journey; states are ordinals of segments, the first that holds counts. */
export type LifecycleInfo = {
  readonly id: string;
  readonly states: readonly { readonly id: string; readonly segment: number }[];
};

/** What a pack says beyond its rules and limits. */
export type PackInfo = {
  readonly id: string;
  readonly jurisdiction: string;
  readonly physical: boolean;
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly zone: string;
  /** ISO day of the week. */
  readonly weekStart: number;
  readonly limitIncreaseWaitMs: number;
  readonly confirmAfterWait: boolean;
  /** Ids of its limits, sorted. */
  readonly limits: readonly string[];
};

export type AttributeType = "BOOL" | "INT" | "DOUBLE" | "STRING" | "TIMESTAMP" | "STRING_LIST";

export type AttributeInfo = {
  readonly name: string;
  readonly type: AttributeType;
  /** Every value that it can take; empty means any. */
  readonly values: readonly string[];
  readonly purposes: readonly Purpose[];
};

/** A rule without its condition. Instants are ms since the epoch. */
export type CompiledRule = {
  readonly id: string;
  readonly ruleClass: RuleClass;
  readonly priority: number;
  readonly kinds: readonly PaymentKind[];
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly hours: WeeklyHours | undefined;
  readonly rollout: { readonly shareBps: number; readonly salt: string } | undefined;
  readonly shadow: boolean;
  /** Whether it matches on unknown. */
  readonly matchUnknown: boolean;
  readonly effects: Effects;
  readonly purposes: readonly Purpose[];
  /** Reason code of its verdict. */
  readonly reason: string;
  /** Reason code where it matched through unknown. */
  readonly reasonUnknown: string;
  readonly playerMessageKey: string;
};

/** Local hours of the week; spans in minutes from Monday 00:00 local time, `[fromMinute, untilMinute)`, possibly past the week's end (10,080). */
export type WeeklyHours = {
  readonly zone: string;
  readonly spans: readonly { readonly fromMinute: number; readonly untilMinute: number }[];
};

/** What a rule or an override does; absent facets are facets on which it does not speak. PSPs are ordinals. */
export type Effects = {
  readonly deny?: { readonly retryAfterMs?: number };
  readonly review?: true;
  readonly excludePsps?: readonly number[];
  readonly requirePsps?: readonly number[];
  readonly amountCap?: Money;
  readonly threeDs?: ThreeDsWish;
  readonly strategy?: Strategy;
  readonly retryPolicy?: string;
  readonly experience?: ExperienceView;
  readonly actions?: readonly Action[];
  readonly score?: number;
  /** Ids of RISK rules and limits that an override lifts. */
  readonly allow?: readonly string[];
  /** Thresholds of limits that an override replaces, by id of the limit; `value` as in `LimitThreshold`. */
  readonly limitThresholds?: readonly {
    readonly limit: string;
    readonly value: number;
    readonly currency: string;
  }[];
};

/** Strictest first. */
export const threeDsLevels = [
  "CHALLENGE",
  "REQUIRE",
  "NO_PREFERENCE",
  "PREFER_FRICTIONLESS",
  "EXEMPT",
  "SKIP",
] as const;

export type ThreeDsLevel = (typeof threeDsLevels)[number];

export type ThreeDsWish = {
  readonly level: ThreeDsLevel;
  /** EMV challenge indicator, two digits; the default of the level where absent. */
  readonly challengeIndicator?: string;
  readonly exemption?: string;
};

export type Strategy =
  | { readonly kind: "priority"; readonly id: string; readonly psps: readonly number[] }
  | {
      readonly kind: "weighted";
      readonly id: string;
      readonly weights: readonly { readonly psp: number; readonly weight: number }[];
    }
  /** Every PSP where `psps` is empty. */
  | { readonly kind: "least_cost"; readonly id: string; readonly psps: readonly number[] };

export type ExperienceView = {
  readonly methodOrder: readonly string[];
  readonly hiddenMethods: readonly string[];
  readonly amounts: readonly Money[];
  readonly messageKeys: readonly string[];
};

export const actionKinds = [
  "COOL_OFF_PROMPT",
  "TIME_OUT",
  "LIMIT_PROMPT",
  "SUPPRESS_MARKETING",
  "REFER_TO_HUMAN",
  "CRM_TRIGGER",
  "OFFER",
  "REWARD",
  "NUDGE",
  "CHECK_REQUIRED",
] as const;

export type ActionKind = (typeof actionKinds)[number];

export type Action = { readonly kind: ActionKind; readonly key: string };

/** A PSP with what it can do; an empty list of a capability means that the PSP does not care. */
export type Psp = {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly kinds: readonly PaymentKind[];
  readonly methods: readonly string[];
  readonly currencies: readonly string[];
  readonly schemes: readonly string[];
  readonly countries: readonly string[];
  readonly excludedCountries: readonly string[];
  readonly issuerCountries: readonly string[];
  readonly excludedIssuerCountries: readonly string[];
  /** Ordinals of BIN lists. */
  readonly binList: number | undefined;
  readonly excludedBinList: number | undefined;
  readonly amounts: readonly AmountRange[];
  readonly accounts: readonly Account[];
  readonly fees: readonly Fee[];
  readonly acquirerCountry: string;
  readonly threeDs: boolean;
  /** Kinds of instrument that it takes, the preferred first. */
  readonly credentials: readonly Credential[];
  readonly sca: PspSca;
  /** Whether a repeated key is answered with the first answer. */
  readonly idempotent: boolean;
  /** How long the gateway waits for its answer. */
  readonly timeoutMs: number;
  /** `[fromMs, untilMs)`, ascending. */
  readonly maintenance: readonly { readonly fromMs: number; readonly untilMs: number }[];
};

/** Both ends included. */
export type AmountRange = {
  readonly methods: readonly string[];
  readonly min: Money | undefined;
  readonly max: Money | undefined;
};

export type Account = {
  readonly mid: string;
  readonly brands: readonly string[];
  readonly licences: readonly string[];
  readonly currencies: readonly string[];
  readonly mcc: string;
};

export type Fee = {
  readonly methods: readonly string[];
  /** Countries; groups are resolved when compiled. */
  readonly regions: readonly string[];
  readonly fixed: Money | undefined;
  /** Basis points of the amount. */
  readonly bps: number;
};

export const retryResponses = [
  "DONE",
  "NEXT_PSP",
  "STEP_UP",
  "STATUS_CHECK",
  "CHANGE_DATA",
  "LOWER_AMOUNT",
  "OTHER_METHOD",
  "NEW_CIT",
  "ASK_AGAIN",
  "STOP",
] as const;

export type RetryResponse = (typeof retryResponses)[number];

export type RetryPolicy = {
  readonly id: string;
  /** Most attempts of one payment, step-ups included. */
  readonly maxAttempts: number;
  readonly validForMs: number;
  /** Complete: one entry per class. */
  readonly rules: Readonly<Record<OutcomeClass, RetryRule>>;
  /** Declines of a player within the window from which on no attempt follows another by itself; undefined means no bound. */
  readonly playerDeclines: { readonly count: number; readonly windowMs: number } | undefined;
  /** Ordinals of segments whose players get one attempt. */
  readonly singleTry: readonly number[];
};

export type RetryRule = {
  readonly response: RetryResponse;
  readonly waitMs: number;
  readonly fields: readonly string[];
};
