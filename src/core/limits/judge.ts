import { hashWide } from "../history/hash-wide.ts";
import type { Subject } from "../history/history.ts";
import type { FxRates } from "../money.ts";
import type { AskedLimit, LimitAsk, PspAsk } from "./ask.ts";
import type { BuiltLimit } from "./build-limits.ts";
import type { Balance } from "./ledger.ts";
import type { LimitBreach, LimitReading } from "./limit.ts";
import { type Asker, readUsage, type SubjectState } from "./usage.ts";

/** What limits are judged by. */
export type LimitState = {
  /** Undefined where it could not be loaded: unknown, which is not 0. */
  readonly read: (subject: Subject) => SubjectState | undefined;
  readonly nowMs: number;
  /** The present of the store, where the payment's own instant is older because it had to wait. Never before `nowMs`. */
  readonly latestMs?: number;
  /** The payment that asks; empty where none does. */
  readonly paymentId: string;
  readonly fx: FxRates;
};

/** A limit that a payment does not fit. */
export type Breach = {
  readonly limit: BuiltLimit;
  readonly reading: LimitReading;
  /** What it leads to. */
  readonly outcome: LimitBreach;
  /** Why, as a reason code. */
  readonly code: string;
};

export type LimitJudgement = {
  /** The tightest first, at most 64: what does not fit, then the least share of headroom, then by id. */
  readonly readings: readonly LimitReading[];
  /** Of all limits, in the same order. */
  readonly breaches: readonly Breach[];
  /** Whether the payment may be reserved, under all limits at once: none denies it. */
  readonly ok: boolean;
  /** How many authorisations the plan may send: those that were asked for, cut to the headroom. */
  readonly steps: number;
};

/** A PSP that its limits, or those of its account, exclude. */
export type ExcludedPsp = {
  readonly psp: string;
  readonly mid: string;
  readonly breaches: readonly Breach[];
};

export type PspJudgement = {
  readonly excluded: readonly ExcludedPsp[];
  /** Of all candidates, the tightest first, at most 64. */
  readonly readings: readonly LimitReading[];
  /** Told, and nothing else: NOTICE. */
  readonly notices: readonly Breach[];
};

const readingsMax = 64;

/**
 * Judges a payment under all limits that were asked, or reads them where nothing is asked for: pure, so a store that judges and holds in one step
 * admits all or none.
 */
export function judgeLimits(asks: readonly LimitAsk[], state: LimitState, steps: number = 1): LimitJudgement {
  const readings: LimitReading[] = [];
  const breaches: Breach[] = [];
  const asker = introduce(state);
  let allowed = steps;
  for (const { subject, limits } of asks) {
    const known = subject.id === "" ? undefined : state.read(subject);
    for (const asked of limits) {
      const { reading, breach } = judgeLimit(asked, known, asker);
      place(reading, readings);
      if (breach !== undefined) breaches.push(breach);
      else if (cutsPlan(asked)) allowed = Math.min(allowed, reading.headroom);
    }
  }
  if (breaches.length > 1) breaches.sort((a, b) => byTightness(a.reading, b.reading));
  return {
    readings: readings.length > readingsMax ? readings.slice(0, readingsMax) : readings,
    breaches,
    ok: breaches.every(({ outcome }) => outcome !== "DENY"),
    steps: allowed,
  };
}

/** Judges limits of PSPs and accounts: whatever a breach would do elsewhere, but for a notice, the PSP is not used. */
export function judgePspLimits(asks: readonly PspAsk[], state: LimitState): PspJudgement {
  const excluded: ExcludedPsp[] = [];
  const readings: LimitReading[] = [];
  const notices: Breach[] = [];
  for (const { psp, mid, asks: own } of asks) {
    const judged = judgeLimits(own, state);
    readings.push(...judged.readings);
    const breaches = judged.breaches.filter(({ outcome }) => outcome !== "NOTICE");
    notices.push(...judged.breaches.filter(({ outcome }) => outcome === "NOTICE"));
    if (breaches.length > 0) excluded.push({ psp, mid, breaches });
  }
  return { excluded, readings: readings.sort(byTightness).slice(0, readingsMax), notices };
}

function introduce({ nowMs, latestMs = nowMs, paymentId, fx }: LimitState): Asker {
  return { nowMs, latestMs, paymentId, payment: paymentId === "" ? NaN : hashWide(paymentId), fx };
}

function judgeLimit(
  asked: AskedLimit,
  known: SubjectState | undefined,
  asker: Asker,
): { readonly reading: LimitReading; readonly breach: Breach | undefined } {
  const { limit } = asked;
  if (asked.unknown === "FX_MISSING") return judgeUnknown(asked, "FX_MISSING");
  if (known === undefined || asked.unknown !== "") return judgeUnknown(asked, "LIMIT_UNKNOWN");
  const usage = readUsage(asked, known, asker);
  if (usage === undefined) return judgeUnknown(asked, "FX_MISSING");
  const reading = makeReading(asked, usage);
  if (usage.fits) return { reading, breach: undefined };
  const code = asked.appliesThroughUnknown ? "LIMIT_UNKNOWN" : exceededCode(limit);
  return { reading, breach: { limit, reading, outcome: limit.spec.breach, code } };
}

/** Without a rate limits of classes 1 and 2 deny, whatever they say of unknown (`SEMANTICS.md` 5.8); a notice stays one. */
function judgeUnknown(
  asked: AskedLimit,
  code: "FX_MISSING" | "LIMIT_UNKNOWN",
): { readonly reading: LimitReading; readonly breach: Breach | undefined } {
  const { limit } = asked;
  const { closesOnUnknown, breach: declared } = limit.spec;
  const denies = code === "FX_MISSING" && limit.isProtective && declared !== "NOTICE";
  const fits = !denies && !closesOnUnknown;
  const nothing = { used: 0, headroom: 0, fits, resetsAtMs: undefined, fitsAtMs: undefined, errorBound: 0 };
  const reading = {
    ...makeReading(asked, { ...nothing, asked: asked.asked }),
    unknown: true,
    overrun: false,
  };
  if (fits) return { reading, breach: undefined };
  return { reading, breach: { limit, reading, outcome: denies ? "DENY" : declared, code } };
}

function makeReading({ limit, threshold, segment, asked }: AskedLimit, usage: Balance): LimitReading {
  const { id, ruleClass, currency, subject, purposes, measure, counted } = limit.spec;
  const isOfSteps = measure === "COUNT" && counted === "AUTHORISATIONS";
  return {
    limitId: id,
    ruleClass,
    fits: usage.fits,
    used: usage.used,
    limit: threshold,
    headroom: usage.headroom,
    asked: isOfSteps ? Math.max(usage.asked, Math.min(asked, usage.headroom)) : usage.asked,
    currency,
    resetsAtMs: usage.resetsAtMs,
    fitsAtMs: usage.fitsAtMs,
    unknown: false,
    segment,
    subject,
    errorBound: usage.errorBound,
    overrun: usage.used > threshold,
    purposes,
  };
}

function exceededCode({ isOwn, spec }: BuiltLimit): string {
  if (isOwn) return "PLAYER_LIMIT_EXCEEDED";
  return spec.reason === "" ? "LIMIT_EXCEEDED" : spec.reason;
}

/** A notice is told and nothing else, so it cuts nothing. */
function cutsPlan({ limit, unknown }: AskedLimit): boolean {
  const { measure, counted, breach } = limit.spec;
  return measure === "COUNT" && counted === "AUTHORISATIONS" && breach !== "NOTICE" && unknown === "";
}

/** Puts a reading where it belongs: of a handful at a time sorting costs more. */
function place(reading: LimitReading, readings: LimitReading[]): void {
  let at = readings.length;
  readings.push(reading);
  for (; at > 0 && byTightness(reading, readings[at - 1]!) < 0; at--) readings[at] = readings[at - 1]!;
  readings[at] = reading;
}

function byTightness(a: LimitReading, b: LimitReading): number {
  if (a.fits !== b.fits) return a.fits ? 1 : -1;
  return shareLeft(a) - shareLeft(b) || (a.limitId < b.limitId ? -1 : a.limitId > b.limitId ? 1 : 0);
}

function shareLeft({ headroom, limit }: LimitReading): number {
  return limit <= 0 ? 0 : headroom / limit;
}
