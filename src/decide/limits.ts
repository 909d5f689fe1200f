/**
 * Limits within a decision (`SEMANTICS.md` 5.2): after the rules, before routing, because a limit can ask for 3DS or take a PSP out; what the payment
 * will hold is made once its plan is known.
 */

import { greatestMinorWithin } from "../core/amount-bound.ts";
import type { Decision } from "../core/decision.ts";
import { type FactInput, readJurisdictions } from "../core/facts.ts";
import type { Subject } from "../core/history/history.ts";
import {
  type AskedLimit,
  addDistinctValues,
  askLimits,
  askPspLimits,
  convertForLimits,
  type LimitAsk,
  type LimitInquiry,
  listKeySubjects,
} from "../core/limits/ask.ts";
import type { LimitBook } from "../core/limits/build-limits.ts";
import type { HoldTerms } from "../core/limits/holds.ts";
import {
  type Breach,
  judgeLimits,
  judgePspLimits,
  type LimitJudgement,
  type LimitState,
} from "../core/limits/judge.ts";
import type { LimitReading } from "../core/limits/limit.ts";
import { makeLimitReason } from "../core/limits/limit-reasons.ts";
import { isOverrunSince } from "../core/limits/overrun.ts";
import { findIncreaseWait, settleOwnLimits } from "../core/limits/player-limits.ts";
import { listSubjects } from "../core/limits/subjects.ts";
import type { Payment } from "../core/payment.ts";
import type { OwnLimit, Player } from "../core/player.ts";
import type { Reason } from "../core/reason.ts";
import { findAccount } from "../core/routing/eligibility.ts";
import type { PspLimitation } from "../core/routing/route.ts";
import type { RoutingCase } from "../core/routing/routing-case.ts";
import { type ActionsFacet, addLimitActions } from "../core/rules/facets/actions.ts";
import { raiseFloor } from "../core/rules/facets/three-ds.ts";
import type { Resolution } from "../core/rules/resolve.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { rank, type Speaker } from "../core/rules/speaker.ts";
import type { DecisionState, Judgement } from "./judge.ts";
import type { Workspace } from "./workspace.ts";

/** What limits say of a payment, before it is routed. */
export type LimitsDraft = {
  readonly judged: LimitJudgement;
  /** Of all limits, those of PSPs included. */
  readonly readings: readonly LimitReading[];
  readonly denials: readonly Reason[];
  /** When all that denies would let the payment fit, if nothing else happens; undefined where some of it never will. */
  readonly fitsAtMs: number | undefined;
  readonly reviews: readonly Reason[];
  /** Ids of the limits that want a review and that a reviewer can lift. */
  readonly reviewedLimits: readonly string[];
  readonly notices: readonly Reason[];
  /** PSPs whose limits are used up, by ordinal. */
  readonly limited: ReadonlyMap<number, PspLimitation>;
  /** What rules and limits together ask for. */
  readonly resolution: Resolution;
};

const noLimited: ReadonlyMap<number, PspLimitation> = new Map();
const nothingKnown = { history: undefined, holds: [] };
const nothingBroken = {
  denials: [],
  fitsAtMs: undefined,
  reviews: [],
  reviewedLimits: [],
  notices: [],
  limited: noLimited,
};

/** Judges all limits of a payment on current state. Pure: nothing is held. `steps` are the authorisations that the plan would like to send. */
export function judgeLimitsOf(
  { workspace, facts, resolution }: Judgement,
  state: DecisionState,
  routingCase: RoutingCase,
  { approvedReviews, steps }: { readonly approvedReviews: readonly string[]; readonly steps: number },
): LimitsDraft {
  const { snapshot, limits: book, hasPspLimits } = workspace;
  const { payment } = facts;
  // A cashier without an amount asks for the least one, so that limits of which nothing is left say so.
  const asking =
    payment.amountMinor === undefined ? { ...facts, payment: { ...payment, amountMinor: 1 } } : facts;
  const inquiry = makeInquiry(book, workspace.frame, asking, resolution, snapshot, steps);
  const limitState = openLimitState(state, facts, snapshot);
  const judged = judgeLimits(askLimits(inquiry), limitState, steps);
  const psps = hasPspLimits
    ? judgePspLimits(askPspLimits(inquiry, listCandidates(snapshot, routingCase)), limitState)
    : undefined;
  const readings =
    psps === undefined || psps.readings.length === 0
      ? judged.readings
      : [...judged.readings, ...psps.readings];
  if (judged.breaches.length === 0 && psps === undefined)
    return { ...nothingBroken, judged, readings, resolution };
  const breaches = judged.breaches.filter(
    (breach) =>
      !isReviewed(breach.limit.spec.id, breach.outcome, approvedReviews) && !isBeforeChoice(breach, payment),
  );
  const reviewing = breaches.filter(({ outcome }) => outcome === "REVIEW");
  return {
    judged,
    readings,
    denials: reasonsOf(breaches, "DENY"),
    fitsAtMs: findFitsAt(breaches),
    reviews: reviewing.map(makeLimitReason),
    reviewedLimits: reviewing
      .filter(({ limit }) => limit.spec.ruleClass === "RISK")
      .map(({ limit }) => limit.spec.id),
    notices: [...breaches, ...(psps?.notices ?? [])]
      .filter(({ outcome }) => outcome === "NOTICE")
      .map(makeNotice),
    limited: psps === undefined ? noLimited : describeLimited(psps.excluded, snapshot),
    resolution: tighten(resolution, breaches),
  };
}

/**
 * Why a limit of the law, of safer gambling or of the player's own no longer lets a payment go on that was decided at `decidedAtMs`: it was lowered since,
 * or is new (`SEMANTICS.md` 4.2). What others took since is no reason: they were judged with what this payment holds.
 */
export function findProtectiveDenial(
  { workspace, facts, resolution }: Judgement,
  state: DecisionState,
  decidedAtMs: number,
): Reason | undefined {
  const { snapshot, limits: book } = workspace;
  const isProtected = book.limits.some(({ isProtective }) => isProtective);
  if (!isProtected && (facts.player.ownLimits?.length ?? 0) === 0) return undefined;
  const asks = askLimits(makeInquiry(book, workspace.frame, facts, resolution, snapshot, 1)).map((ask) => ({
    ...ask,
    limits: ask.limits.filter(({ limit }) => limit.isProtective),
  }));
  const { read, ...limitState } = openLimitState(state, facts, snapshot);
  const judged = judgeLimits(asks, {
    ...limitState,
    read: (subject) => {
      const known = read(subject);
      return known && { ...known, holds: known.holds.filter(({ instantMs }) => instantMs <= decidedAtMs) };
    },
    nowMs: decidedAtMs,
    latestMs: decidedAtMs,
  });
  const breach = judged.breaches.find(({ outcome }) => outcome === "DENY" || outcome === "REVIEW");
  return breach && makeLimitReason(breach);
}

/** A RISK review that a reviewer approved lifts the limit that asked for it (`SEMANTICS.md` 1.6). */
function isReviewed(id: string, outcome: Breach["outcome"], approvedReviews: readonly string[]): boolean {
  return outcome === "REVIEW" && approvedReviews.includes(id);
}

/** Before a card is chosen nothing is known of it: limits on what only the choice will tell are not heard yet (docs/decisions/0003). */
function isBeforeChoice({ code, reading }: Breach, { mode }: Payment): boolean {
  return mode === "CASHIER" && reading.unknown && code === "LIMIT_UNKNOWN";
}

function reasonsOf(breaches: readonly Breach[], wanted: Breach["outcome"]): readonly Reason[] {
  return breaches.filter(({ outcome }) => outcome === wanted).map(makeLimitReason);
}

function findFitsAt(breaches: readonly Breach[]): number | undefined {
  let latest: number | undefined;
  for (const { outcome, reading } of breaches) {
    if (outcome !== "DENY") continue;
    if (reading.fitsAtMs === undefined) return undefined;
    latest = Math.max(latest ?? 0, reading.fitsAtMs);
  }
  return latest;
}

function makeNotice(breach: Breach): Reason {
  return { ...makeLimitReason(breach), stage: "informational" };
}

const noOverrides: readonly Speaker[] = [];
const nothingLifted: ReadonlySet<string> = new Set();

function makeInquiry(
  book: LimitBook,
  frame: LimitInquiry["frame"],
  facts: FactInput,
  resolution: Resolution | undefined,
  { packs }: RuleSnapshot,
  steps: number,
): LimitInquiry {
  const { player, nowMs } = facts;
  const overrides = resolution?.speakers.filter((speaker) => rank(speaker) === 3) ?? noOverrides;
  return {
    book,
    payment:
      facts.payment.playerId === player.playerId
        ? facts.payment
        : { ...facts.payment, playerId: player.playerId },
    frame,
    nowMs,
    ownLimits: player.ownLimits ?? [],
    increaseWait: () => findIncreaseWait(packs, locate(facts), nowMs),
    replacements:
      overrides.length === 0 ? [] : overrides.flatMap(({ effects }) => effects.limitThresholds ?? []),
    lifted:
      overrides.length === 0
        ? nothingLifted
        : new Set(overrides.flatMap(({ effects }) => effects.allow ?? [])),
    steps,
  };
}

/** Under whose law a player's own limits wait. */
function locate(facts: FactInput): Parameters<typeof findIncreaseWait>[1] {
  return { jurisdictions: readJurisdictions(facts), physicalCountry: facts.payment.ipCountry };
}

function openLimitState(
  { ledger, isServerClock }: DecisionState,
  facts: FactInput,
  { fx }: RuleSnapshot,
): LimitState {
  return {
    read: (subject) =>
      ledger === undefined
        ? nothingKnown
        : { history: ledger.historyOf(subject), holds: ledger.holdsOf(subject) },
    nowMs: facts.nowMs,
    // By the clock of the machine nothing is of the future, even if that clock was set back.
    ...(isServerClock === true ? { latestMs: Number.POSITIVE_INFINITY } : {}),
    paymentId: facts.payment.paymentId,
    fx,
  };
}

function listCandidates(
  { psps }: RuleSnapshot,
  routingCase: RoutingCase,
): readonly { readonly psp: string; readonly mid: string }[] {
  return psps.map((psp) => ({ psp: psp.id, mid: findAccount(psp, routingCase)?.mid ?? "" }));
}

function describeLimited(
  excluded: ReturnType<typeof judgePspLimits>["excluded"],
  { pspOrdinals }: RuleSnapshot,
): ReadonlyMap<number, PspLimitation> {
  return new Map(
    excluded.map(({ psp, breaches }) => [
      pspOrdinals.get(psp)!,
      {
        detail: breaches
          .map((breach) => `${breach.limit.spec.id}: ${makeLimitReason(breach).detail}`)
          .join("; "),
        purposes: [...new Set(breaches.flatMap(({ limit }) => limit.spec.purposes))].sort(),
      },
    ]),
  );
}

/** What limits ask for beside their verdict: 3DS and actions. */
function tighten(resolution: Resolution, breaches: readonly Breach[]): Resolution {
  if (breaches.length === 0) return resolution;
  const stepsUp = breaches.some(({ outcome }) => outcome === "STEP_UP");
  const { actions, removedActions }: ActionsFacet = addLimitActions(
    resolution,
    breaches.map(({ limit }) => ({
      actions: limit.spec.actions,
      purposes: limit.spec.purposes,
      isProtective: limit.isProtective,
    })),
  );
  const threeDs = stepsUp ? raiseFloor(resolution.threeDs, "REQUIRE") : resolution.threeDs;
  return { ...resolution, actions, removedActions, threeDs };
}

/**
 * What is left of a player's limits, without asking for anything: those of the rule set over players that apply to a deposit, and the player's own.
 * The frame must be filled. Limits that hang on what is unknown are left out unless unknown closes.
 */
export function readPlayerLimits(
  workspace: Workspace,
  facts: FactInput,
  state: DecisionState,
): readonly LimitReading[] {
  const { asks, limitState } = askForNothing(workspace, facts, state);
  const own = asks.filter(isOfPlayer);
  return own.length === 0 ? [] : judgeLimits(own, limitState, 0).readings;
}

/**
 * As `readPlayerLimits`, of every limit that holds under one of some suppositions; where its threshold depends on which, with the lowest. `suppose` fills the
 * frame with each. `heldUnder` tells the suppositions by id of the limit.
 */
export function readPossibleLimits(
  workspace: Workspace,
  facts: FactInput,
  state: DecisionState,
  { count, suppose }: { readonly count: number; readonly suppose: (at: number) => void },
): {
  readonly readings: readonly LimitReading[];
  readonly heldUnder: ReadonlyMap<string, ReadonlySet<number>>;
} {
  const heldUnder = new Map<string, Set<number>>();
  const tightest = new Map<string, AskedLimit>();
  for (let at = 0; at < count; at++) {
    suppose(at);
    const { asks } = askForNothing(workspace, facts, state);
    for (const asked of asks.filter(isOfPlayer).flatMap(({ limits }) => limits)) {
      const { id } = asked.limit.spec;
      heldUnder.set(id, (heldUnder.get(id) ?? new Set()).add(at));
      const known = tightest.get(id);
      if (known === undefined || asked.threshold < known.threshold) tightest.set(id, asked);
    }
  }
  const subject = { kind: "player", id: facts.player.playerId } as const;
  const { limitState } = askForNothing(workspace, facts, state);
  const { readings } = judgeLimits([{ subject, limits: [...tightest.values()] }], limitState, 0);
  return { readings, heldUnder };
}

function isOfPlayer({ subject }: LimitAsk): boolean {
  return subject.kind === "player";
}

/**
 * Whether a payment that counts from `instantMs` on went over a limit of any of its subjects, in whichever window it stands (`SEMANTICS.md` 5.3). The frame
 * must be filled.
 */
export function isOverLimits(
  workspace: Workspace,
  facts: FactInput,
  state: DecisionState,
  instantMs: number,
): boolean {
  const { asks, limitState } = askForNothing(workspace, facts, state);
  return isOverrunSince(asks, limitState, instantMs);
}

/** Whether any limit could ever count what the player pays: then a payment holds. */
export function isLimited({ limits }: Workspace, player: Pick<Player, "ownLimits"> | undefined): boolean {
  return limits.limits.length > 0 || (player?.ownLimits?.length ?? 0) > 0;
}

/** All limits that apply, for someone who asks for no amount and is no payment, so that nothing is left out of what is used. */
function askForNothing(
  workspace: Workspace,
  facts: FactInput,
  state: DecisionState,
): { readonly asks: readonly LimitAsk[]; readonly limitState: LimitState } {
  const { limits: book, frame, snapshot } = workspace;
  const { amountMinor: _, ...asksNothing } = facts.payment;
  const asking: FactInput = { ...facts, payment: { ...asksNothing, paymentId: "" } };
  const asks = isLimited(workspace, facts.player)
    ? askLimits(makeInquiry(book, frame, asking, undefined, snapshot, 0))
    : [];
  return { asks, limitState: openLimitState(state, asking, snapshot) };
}

/**
 * The greatest amount that no limit of the player's, the card's and so on denies: the smallest headroom of sums, in minor units of the currency;
 * undefined where none bounds it. What is unknown bounds nothing here, and what only reviews, asks for more or tells does not either.
 */
export function findHeadroom(
  { limits: book, snapshot }: Workspace,
  { judged }: LimitsDraft,
  currency: string,
): number | undefined {
  let least: number | undefined;
  for (const { limitId, currency: currencyCode, headroom, unknown } of judged.readings) {
    if (currencyCode === "" || unknown) continue;
    // The player's own limits are not of the rule set, and deny.
    const breach = book.limits.find(({ spec }) => spec.id === limitId)?.spec.breach ?? "DENY";
    if (breach !== "DENY") continue;
    const bound = greatestMinorWithin(snapshot.fx, { minorUnits: headroom, currencyCode }, currency);
    if (bound !== undefined && (least === undefined || bound < least)) least = bound;
  }
  return least;
}

/** The player's own limits as they hold now: what waited long enough is in force, or gone. */
export function readOwnLimits({ packs }: RuleSnapshot, facts: FactInput): readonly OwnLimit[] {
  const { player, nowMs } = facts;
  const { ownLimits = [] } = player;
  return ownLimits.length === 0
    ? ownLimits
    : settleOwnLimits(ownLimits, nowMs, findIncreaseWait(packs, locate(facts), nowMs));
}

/** What a payment keeps of itself while it holds: at the PSP of its first step, since the instant of the decision. */
export function makeTerms(
  { limits: book, frame, subjectKinds }: Workspace,
  facts: FactInput,
  { plan, decidedAtMs }: Pick<Decision, "plan" | "decidedAtMs">,
): HoldTerms {
  const { psp = "", mid = "" } = plan?.steps[0] ?? {};
  const at = { psp, mid, instantMs: decidedAtMs };
  const { player, payment } = facts;
  const known: Payment =
    payment.playerId === player.playerId ? payment : { ...payment, playerId: player.playerId };
  const amount = { minorUnits: payment.amountMinor ?? 0, currencyCode: payment.currency };
  return {
    paymentId: payment.paymentId,
    revision: payment.revision,
    playerId: player.playerId,
    kind: payment.kind,
    amountMinor: amount.minorUnits,
    currency: amount.currencyCode,
    converted: convertForLimits(book, amount, player.ownLimits ?? []),
    ratesVersion: book.version,
    instantMs: at.instantMs,
    values: addDistinctValues(listValues(facts, at), book, known),
    subjects: listHeldSubjects(known, at, book, frame, subjectKinds),
  };
}

/** Those that limits count by, and the player. */
function listHeldSubjects(
  payment: Payment,
  { psp, mid }: { readonly psp: string; readonly mid: string },
  book: LimitBook,
  frame: LimitInquiry["frame"],
  kinds: Workspace["subjectKinds"],
): readonly Subject[] {
  const held: Subject[] = [];
  for (const subject of listSubjects(payment))
    if (subject.kind === "player" || kinds.has(subject.kind)) held.push(subject);
  if (psp !== "" && kinds.has("psp")) held.push({ kind: "psp", id: psp });
  if (mid !== "" && kinds.has("mid")) held.push({ kind: "mid", id: mid });
  if (kinds.has("key")) held.push(...listKeySubjects(book, frame));
  return held;
}

/** Plain values that `counts` may ask for, as facts of payments have them. */
export function listValues(
  { payment, bin }: Pick<FactInput, "payment" | "bin">,
  { psp, mid }: { readonly psp: string; readonly mid: string },
): Map<string, string> {
  const values = new Map<string, string>();
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") values.set(name, value);
  };
  add("kind", payment.kind);
  add("method", payment.method);
  add("psp", psp);
  add("mid", mid);
  add("brand", payment.brand);
  add("scheme", payment.card?.scheme ?? bin.scheme);
  add("funding", payment.card?.funding ?? bin.funding);
  return values;
}
