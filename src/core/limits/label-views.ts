import type { SlotSource } from "../cel/environment.ts";
import type { Frame, MembershipList, Value } from "../cel/expr.ts";
import { buildPredicate, type PredicateCache } from "../cel/predicate.ts";
import { readReads } from "../cel/reads.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { Label, Labels } from "../history/history.ts";
import type { DistinctOf, Hold, LimitSpec } from "./limit.ts";

/** What a row means to a limit. */
export const roles = {
  nothing: 0,
  /** An approval: counts from the instant of its payment on, unless it is voided, cleared or paid. */
  approval: 1,
  /** An authorisation or a decline: counts from the instant of its payment on, whatever comes after. */
  fact: 2,
  /** Counts, and takes the place of the approvals of its payment: a paid withdrawal. */
  paid: 3,
  /** The same, at its own instant: a clearing, where the limit counts clearings. */
  cleared: 4,
  /** Takes from the net at its own instant. */
  takes: 5,
  /** Gives back to the net at its own instant. */
  returns: 6,
  /** Undoes approvals of its payment. */
  voids: 7,
  /** Takes from the net at its own instant, unless it is voided: a paid withdrawal. */
  pays: 8,
} as const;

export type Role = (typeof roles)[keyof typeof roles];

/** What a limit reads of rows of one label; places are -1 where there is none. */
export type LabelView = {
  readonly role: Role;
  readonly currency: string;
  /** Whether amounts are in the limit's currency. */
  readonly isSameCurrency: boolean;
  /** Where the amount in the limit's currency is. */
  readonly convertedPlace: number;
  /** Where it is among the amounts in other currencies; -1 where there is none. */
  readonly convertedAt: number;
  readonly instantPlace: number;
  readonly paymentPlace: number;
  readonly attemptPlace: number;
  /** Where the value is that DISTINCT counts; for `method` it is the same for all rows. */
  readonly keyPlace: number;
  readonly key: number;
};

/** What a limit counts (`counts`), three-valued. Of no payment but deposits unless the condition names `event.kind`. */
export type Counts = {
  /** `asDeposit`: as if the row told of a deposit, for what gives headroom back. */
  readonly label: (label: Label, asDeposit: boolean) => boolean | undefined;
  readonly hold: (hold: Hold) => boolean | undefined;
};

/** Builds the filter of a limit over the slots of events. */
export function buildCounts(
  { counts }: LimitSpec,
  context: {
    readonly eventSlots: readonly SlotSource[];
    readonly lists: readonly MembershipList[];
    readonly cache: PredicateCache;
  },
): Counts {
  if (counts === undefined) {
    return {
      label: (label, asDeposit) => asDeposit || kindOf(label) === "deposit",
      hold: ({ kind }) => kind === "deposit",
    };
  }
  const { eventSlots, lists, cache } = context;
  const names = eventSlots.map((source) => (source.kind === "event" ? source.name : ""));
  const namesKind = [...readReads(counts).slots].some((slot) => names[slot] === "kind");
  const predicate = buildPredicate(counts, cache);
  const frame: Frame = {
    values: names.map(() => undefined),
    segments: new Uint8Array(0),
    lists,
    locals: [],
    nowMs: 0,
    evalErrors: 0,
  };
  const judge = (kind: string, read: (name: string) => Value): boolean | undefined => {
    if (!namesKind && kind !== "deposit") return false;
    names.forEach((name, slot) => {
      frame.values[slot] = name === "kind" ? kind : read(name);
    });
    return predicate(frame);
  };
  return {
    label: (label, asDeposit) =>
      judge(asDeposit ? "deposit" : kindOf(label), (name) => {
        if (name === "type") return label.type;
        return name === "currency" ? label.currency || undefined : label.values.get(name);
      }),
    hold: (hold) =>
      judge(hold.kind, (name) => {
        if (name === "type") return "payment_approved";
        return name === "currency" ? hold.currency : hold.values.get(name);
      }),
  };
}

/** What a limit makes of labels, worked out once per label. */
export class LabelViews {
  readonly #spec: LimitSpec;
  readonly #counts: Counts;
  #labels: Labels | undefined;
  #views: (LabelView | undefined)[] = [];

  constructor(spec: LimitSpec, counts: Counts) {
    this.#spec = spec;
    this.#counts = counts;
  }

  at(label: number, labels: Labels): LabelView {
    if (labels !== this.#labels) {
      // Numbers mean something within one process's labels only.
      this.#labels = labels;
      this.#views = [];
    }
    let view = this.#views[label];
    if (view === undefined) {
      view = viewLabel(labels.get(label), this.#spec, this.#counts);
      while (this.#views.length <= label) this.#views.push(undefined);
      this.#views[label] = view;
    }
    return view;
  }
}

function viewLabel(label: Label, spec: LimitSpec, counts: Counts): LabelView {
  const { wides, values, currency } = label;
  const { distinctOf } = spec;
  const method = values.get("method");
  return {
    role: findRole(label, spec, counts),
    currency,
    isSameCurrency: currency === spec.currency,
    convertedPlace: wides.indexOf(`in:${spec.currency}`),
    convertedAt: wides.filter((name) => name.startsWith("in:")).indexOf(`in:${spec.currency}`),
    instantPlace: wides.indexOf("counted_at"),
    paymentPlace: wides.indexOf("payment"),
    attemptPlace: wides.indexOf("attempt"),
    keyPlace: distinctOf === undefined || distinctOf === "method" ? -1 : wides.indexOf(distinctOf),
    key: distinctOf === "method" && typeof method === "string" ? hashWide(method) : NaN,
  };
}

/** Payouts have stages of other names. */
const factTypes: Readonly<Record<"AUTHORISATIONS" | "DECLINES", readonly string[]>> = {
  AUTHORISATIONS: ["payment_attempted", "withdrawal_requested"],
  DECLINES: ["payment_declined", "withdrawal_cancelled"],
};

function findRole(label: Label, spec: LimitSpec, counts: Counts): Role {
  const { type } = label;
  const isCounted = (): boolean => counts.label(label, false) ?? spec.closesOnUnknown;
  if (spec.counted === "AUTHORISATIONS" || spec.counted === "DECLINES") {
    return factTypes[spec.counted].includes(type) && isCounted() ? roles.fact : roles.nothing;
  }
  switch (type) {
    case "payment_voided":
      return roles.voids;
    case "payment_approved":
      return isCounted() ? roles.approval : roles.nothing;
    case "payment_cleared":
      return spec.countedAt === "CLEARED" && isCounted() ? roles.cleared : roles.nothing;
    case "withdrawal_paid":
      if (spec.measure === "NET") return counts.label(label, true) === true ? roles.pays : roles.nothing;
      return isCounted() ? roles.paid : roles.nothing;
    case "withdrawal_returned":
      return spec.measure === "NET" && counts.label(label, true) === true ? roles.returns : roles.nothing;
    case "payment_refunded":
    case "payment_charged_back":
      return spec.measure === "NET" && kindOf(label) === "deposit" && counts.label(label, true) === true
        ? roles.takes
        : roles.nothing;
    default:
      return roles.nothing;
  }
}

function kindOf({ type, values }: Label): string {
  const kind = values.get("kind");
  if (typeof kind === "string") return kind;
  return type.startsWith("withdrawal") ? "withdrawal" : "deposit";
}

/** The value of a hold that DISTINCT counts, by hash; NaN where it has none. */
export function readHoldKey(hold: Hold, distinctOf: DistinctOf): number {
  const text = findHoldText(hold, distinctOf);
  return text === undefined ? NaN : hashWide(text);
}

/** A card that no limit is about is no subject of the hold, but a value (`addDistinctValues`). */
function findHoldText(hold: Hold, distinctOf: DistinctOf): string | undefined {
  if (distinctOf === "player") return hold.playerId;
  return hold.values.get(distinctOf) ?? hold.subjects.find(({ kind }) => kind === distinctOf)?.id;
}
