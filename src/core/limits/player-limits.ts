/**
 * Limits that players set themselves (`SEMANTICS.md` 5.7): stricter acts at once, looser waits. All of it is judged at the instant of asking, so
 * nothing has to run when a wait is over.
 *
 * | Asked for | Nothing is set | A limit is set |
 * |---|---|---|
 * | an amount | it holds at once | not above the present amount, in its currency: at once, and what waits is cancelled; else it waits, from now |
 * | removal | fault | waits, from now |
 * | confirmation | fault | where something waits for it and the wait is over: it takes effect; else fault |
 */
import type { RollingSpec } from "../features/feature.ts";
import type { FieldFault } from "../field-fault.ts";
import { exponentOf } from "../iso4217.ts";
import { isTimeZone } from "../local-time.ts";
import type { Money } from "../payment.ts";
import type { OwnLimit, OwnLimitPeriod } from "../player.ts";
import type { PackInfo } from "../rules/snapshot.ts";
import type { LimitSpec } from "./limit.ts";

/** How long a looser limit waits, and whether the player has to confirm it then. */
export type IncreaseWait = { readonly waitMs: number; readonly needsConfirmation: boolean };

/** What a player asks for. `zone` is that of calendar periods, and is fixed when the limit is first set. */
export type OwnLimitRequest = Pick<OwnLimit, "period" | "measure"> &
  (
    | { readonly kind: "set"; readonly amount: Money; readonly zone: string }
    | { readonly kind: "remove" }
    | { readonly kind: "confirm" }
  );

export type OwnLimitChange =
  | {
      readonly ok: true;
      /** Undefined where no limit is left. */
      readonly limit: OwnLimit | undefined;
      readonly became: "set" | "waiting" | "removed";
    }
  | { readonly ok: false; readonly fault: FieldFault };

const dayMs = 86_400_000;

/** Where no pack says otherwise. */
const defaultWait: IncreaseWait = { waitMs: dayMs, needsConfirmation: false };

/**
 * Changes a player's limit of one period and measure. A limit below what is used already is taken: nothing is left then.
 *
 * Fails: with one fault, naming the field of `SetPlayerLimitRequest`.
 */
export function changeOwnLimit(
  known: OwnLimit | undefined,
  request: OwnLimitRequest,
  { nowMs, ...wait }: IncreaseWait & { readonly nowMs: number },
): OwnLimitChange {
  const current = known && effectiveOwnLimit(known, nowMs, wait);
  switch (request.kind) {
    case "set":
      return setAmount(current, request, nowMs, wait);
    case "remove":
      if (current === undefined) return refuse("remove", "nothing-set", "no such limit is set");
      return { ok: true, limit: putOff(current, undefined, nowMs, wait), became: "waiting" };
    case "confirm":
      return confirm(current, nowMs, wait);
  }
}

/**
 * The limit as it stands at an instant: what waited is in force where its wait is over and needs no confirmation. Undefined where it was removed.
 *
 * `wait` is the one of the player's jurisdictions now: where it is longer than the one the change was asked under, it counts (`SEMANTICS.md` 5.7).
 */
export function effectiveOwnLimit(
  limit: OwnLimit,
  nowMs: number,
  wait: IncreaseWait = noWait,
): OwnLimit | undefined {
  const { pending, ...rest } = limit;
  if (pending === undefined || pending.needsConfirmation || wait.needsConfirmation) return limit;
  const atMs = endOfWait(pending, wait);
  if (nowMs < atMs) return limit;
  return pending.amount === undefined ? undefined : { ...rest, amount: pending.amount, setAtMs: atMs };
}

/** Where a player is under the law. Jurisdictions are undefined where no country is known: then every pack may hold. */
export type Whereabouts = {
  readonly jurisdictions: readonly string[] | undefined;
  /** Country of the IP address, for packs that ask for it. */
  readonly physicalCountry: string | undefined;
};

/** What a change of limits waits for under the packs in force where the player is: the longest of them, 24 hours where there is none. */
export function findIncreaseWait(
  packs: readonly PackInfo[],
  { jurisdictions, physicalCountry }: Whereabouts,
  nowMs: number,
): IncreaseWait {
  const inForce = packs.filter(
    ({ jurisdiction, physical, fromMs, untilMs }) =>
      (jurisdictions === undefined ||
        jurisdictions.includes(jurisdiction) ||
        (physical && physicalCountry === jurisdiction)) &&
      (fromMs === undefined || nowMs >= fromMs) &&
      (untilMs === undefined || nowMs < untilMs),
  );
  if (inForce.length === 0) return defaultWait;
  return {
    waitMs: Math.max(...inForce.map(({ limitIncreaseWaitMs }) => limitIncreaseWaitMs)),
    needsConfirmation: inForce.some(({ confirmAfterWait }) => confirmAfterWait),
  };
}

/** Own limits as they stand now under `wait`: to be stored before a player moves under another law, so that a raise that is in force stays so. */
export function settleOwnLimits(
  limits: readonly OwnLimit[],
  nowMs: number,
  wait: IncreaseWait,
): readonly OwnLimit[] {
  return limits.flatMap((limit) => effectiveOwnLimit(limit, nowMs, wait) ?? []);
}

/** Id by which readings and reasons name it, such as `player/day/gross`. */
export function ownLimitId({ period, measure }: Pick<OwnLimit, "period" | "measure">): string {
  return `player/${period.toLowerCase()}/${measure.toLowerCase()}`;
}

/** An own limit as a limit like any other, of class SAFER_GAMBLING; its threshold is not part of it, so that players share it. */
export function specOwnLimit(limit: OwnLimit): LimitSpec {
  return {
    id: ownLimitId(limit),
    ruleClass: "SAFER_GAMBLING",
    kinds: ["deposit"],
    subject: "player",
    key: undefined,
    measure: limit.measure,
    counted: "PAYMENTS",
    distinctOf: undefined,
    counts: undefined,
    applies: undefined,
    window: ownWindow(limit),
    thresholds: [],
    currency: limit.amount.currencyCode,
    breach: "DENY",
    closesOnUnknown: true,
    countedAt: "DECIDED",
    netFloorNone: false,
    reason: "PLAYER_LIMIT_EXCEEDED",
    playerMessageKey: "payment.own_limit",
    purposes: ["rg"],
    actions: [],
    fromMs: undefined,
    untilMs: undefined,
  };
}

const noWait: IncreaseWait = { waitMs: 0, needsConfirmation: false };

function setAmount(
  current: OwnLimit | undefined,
  request: Extract<OwnLimitRequest, { kind: "set" }>,
  nowMs: number,
  wait: IncreaseWait,
): OwnLimitChange {
  const { period, measure, amount, zone } = request;
  const { minorUnits, currencyCode } = amount;
  if (!Number.isSafeInteger(minorUnits) || minorUnits < 0)
    return refuse("amount.minor_units", "not-negative", `${minorUnits} is not a whole number from 0 on`);
  if (exponentOf(currencyCode) === undefined)
    return refuse("amount.currency_code", "currency", `"${currencyCode}" is no current ISO 4217 code`);
  if (!isTimeZone(zone)) return refuse("zone", "time-zone", `"${zone}" is no time zone`);
  if (current === undefined)
    return { ok: true, limit: { period, measure, amount, setAtMs: nowMs, zone }, became: "set" };
  const { pending: _, ...rest } = current;
  // Amounts of two currencies can't be compared without a rate that moves: not provably stricter.
  if (currencyCode !== current.amount.currencyCode || minorUnits > current.amount.minorUnits)
    return { ok: true, limit: putOff(current, amount, nowMs, wait), became: "waiting" };
  const isSame = minorUnits === current.amount.minorUnits;
  return {
    ok: true,
    limit: { ...rest, amount, setAtMs: isSame ? current.setAtMs : nowMs },
    became: "set",
  };
}

function confirm(current: OwnLimit | undefined, nowMs: number, wait: IncreaseWait): OwnLimitChange {
  if (current?.pending === undefined) return refuse("confirm", "nothing-waits", "no change waits");
  const { pending, ...rest } = current;
  const atMs = endOfWait(pending, wait);
  if (nowMs < atMs) {
    const message = `the change waits until ${new Date(atMs).toISOString()}`;
    return refuse("confirm", "too-early", message);
  }
  if (pending.amount === undefined) return { ok: true, limit: undefined, became: "removed" };
  return { ok: true, limit: { ...rest, amount: pending.amount, setAtMs: nowMs }, became: "set" };
}

/** A new wait, whatever waited before. */
function putOff(current: OwnLimit, amount: Money | undefined, nowMs: number, wait: IncreaseWait): OwnLimit {
  const waits = {
    requestedAtMs: nowMs,
    effectiveAtMs: nowMs + wait.waitMs,
    needsConfirmation: wait.needsConfirmation,
  };
  return { ...current, pending: amount === undefined ? waits : { ...waits, amount } };
}

function endOfWait(pending: NonNullable<OwnLimit["pending"]>, { waitMs }: IncreaseWait): number {
  return Math.max(pending.effectiveAtMs, pending.requestedAtMs + waitMs);
}

function refuse(field: string, rule: string, message: string): OwnLimitChange {
  return { ok: false, fault: { field, rule, message } };
}

const rollingDays: Readonly<Partial<Record<OwnLimitPeriod, number>>> = {
  ROLLING_DAY: 1,
  ROLLING_WEEK: 7,
  ROLLING_MONTH: 30,
};

function ownWindow({ period, zone }: OwnLimit): LimitSpec["window"] {
  switch (period) {
    case "DAY":
    case "WEEK":
    case "MONTH":
      return { kind: "calendar", period, zone, weekStart: 1, anchorDay: 0, back: 0 };
    case "ROLLING_DAY":
    case "ROLLING_WEEK":
    case "ROLLING_MONTH": {
      const rolling: RollingSpec = { kind: "rolling", spanMs: rollingDays[period]! * dayMs, offsetMs: 0 };
      return rolling;
    }
  }
}
