import type { ExprType } from "./expr.ts";

/**
 * Where the value of a slot comes from. Slots are allotted on demand while conditions are lowered, so a decision fills only what some
 * condition reads.
 */
export type SlotSource =
  /** A fact of the vocabulary (`core/facts.ts`), such as `payment.currency`. */
  | { readonly kind: "field"; readonly path: string }
  /** `attr.x`: a declared attribute of the request. */
  | { readonly kind: "paymentAttribute"; readonly name: string }
  /** `player.x`: a declared, stored attribute of the player. */
  | { readonly kind: "playerAttribute"; readonly name: string }
  /** `payment.amount_in("EUR")`: integer minor units through the rule set's `fx_rates`; no rate is unknown. */
  | { readonly kind: "amountIn"; readonly currency: string }
  /** `local_hour(now, zone)` and `local_weekday(now, zone)`. */
  | { readonly kind: "localHour" | "localWeekday"; readonly zone: string }
  | { readonly kind: "now" }
  /** `feature.x`: a feature by its ordinal in the rule set. */
  | { readonly kind: "feature"; readonly ordinal: number; readonly id: string }
  /** `event.x` in `where`, `hit` and `counts`: the type, `at`, `amount_minor`, `currency` or an attribute of the event that is looked at. */
  | { readonly kind: "event"; readonly name: string };

/** A variable as conditions see it. */
export type Variable = {
  readonly type: ExprType;
  readonly source: SlotSource;
  /** Every value that the variable can take, where that is a closed set: a comparison with another value can never hold. */
  readonly domain?: readonly string[];
  /** Least and greatest value of an int, inclusive, where bounded. */
  readonly min?: number;
  readonly max?: number;
};

/** What kind of values a list holds, which fixes what may be looked up in it. */
export type ListKind = "STRING" | "BIN";

/** The names a condition may use, each with its type. Built from the rule set's declarations and the vocabulary of facts. */
export type Environment = {
  /** The variable at a dotted path such as `payment.currency`; undefined where there is none. */
  readonly variable: (path: string) => Variable | undefined;
  /** Names that exist below a root such as `payment`, and ids that `list` and `segment` know, for "did you mean" in errors. */
  readonly names: (root: string) => readonly string[];
  /** Ordinal and kind of a list. */
  readonly list: (id: string) => { readonly ordinal: number; readonly kind: ListKind } | undefined;
  /** Ordinal of a segment. */
  readonly segment: (id: string) => number | undefined;
  /** The slot of a source, allotted at the first call with an equal source. */
  readonly slot: (source: SlotSource) => number;
  /** Whether three upper-case letters name a currency that amounts convert to; where absent, any three do. */
  readonly isCurrency?: (code: string) => boolean;
  /** What names begin with; where absent, those of payments. */
  readonly roots?: readonly string[];
  /** Why a name that is no variable is refused, where that is more than that it is unknown. */
  readonly refusal?: (path: string) => Refusal | undefined;
};

/** `told`: what is wrong is a fault of another place already. */
export type Refusal =
  | { readonly kind: "fault"; readonly rule: "type-mismatch"; readonly message: string }
  | { readonly kind: "told" };

/** A fault in a condition. `line` and `column` are 1-based in the condition's own text, column in UTF-16 units. */
export type ConditionFault = {
  readonly line: number;
  readonly column: number;
  /** Stable name of the broken rule in kebab-case, such as `unknown-name` or `type-mismatch`. */
  readonly rule: string;
  readonly message: string;
};
