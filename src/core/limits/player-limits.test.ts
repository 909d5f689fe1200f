import { describe, expect, it, test } from "vitest";
import { dayMs, noonMs } from "../../../test/helpers/limit-cases.ts";
import type { Money } from "../payment.ts";
import type { OwnLimit } from "../player.ts";
import type { PackInfo } from "../rules/snapshot.ts";
import {
  changeOwnLimit,
  effectiveOwnLimit,
  findIncreaseWait,
  type OwnLimitChange,
  type OwnLimitRequest,
  ownLimitId,
  specOwnLimit,
} from "./player-limits.ts";

const gb = { waitMs: dayMs, needsConfirmation: false };
const de = { waitMs: 7 * dayMs, needsConfirmation: false };

function euros(minorUnits: number): Money {
  return { minorUnits, currencyCode: "EUR" };
}

function set(amount: Money): OwnLimitRequest {
  return { kind: "set", period: "DAY", measure: "GROSS", amount, zone: "Europe/Berlin" };
}

const remove: OwnLimitRequest = { kind: "remove", period: "DAY", measure: "GROSS" };
const confirm: OwnLimitRequest = { kind: "confirm", period: "DAY", measure: "GROSS" };

const limit: OwnLimit = {
  period: "DAY",
  measure: "GROSS",
  amount: euros(5_000),
  setAtMs: noonMs - 90 * dayMs,
  zone: "Europe/Berlin",
};

function change(
  known: OwnLimit | undefined,
  request: OwnLimitRequest,
  nowMs = noonMs,
  wait = gb,
): OwnLimit | undefined {
  const changed = changeOwnLimit(known, request, { nowMs, ...wait });
  if (!changed.ok) throw new Error(changed.fault.message);
  return changed.limit;
}

function ruleOf(changed: OwnLimitChange): string {
  return changed.ok ? "" : changed.fault.rule;
}

describe("SEMANTICS 5.7: a player's own limit", () => {
  it("holds at once where none was set", () => {
    expect(change(undefined, set(euros(5_000)))).toEqual({ ...limit, setAtMs: noonMs });
  });

  it("is lowered at once, and what waits is cancelled", () => {
    const raised = change(limit, set(euros(9_000)));
    expect(change(raised, set(euros(4_000)))).toEqual({ ...limit, amount: euros(4_000), setAtMs: noonMs });
  });

  it("is raised after the wait, to the millisecond", () => {
    const raised = change(limit, set(euros(9_000)))!;
    expect(effectiveOwnLimit(raised, noonMs + dayMs - 1)?.amount).toEqual(euros(5_000));
    expect(effectiveOwnLimit(raised, noonMs + dayMs)).toEqual({
      ...limit,
      amount: euros(9_000),
      setAtMs: noonMs + dayMs,
    });
  });

  it("is removed after the wait", () => {
    const removed = change(limit, remove, noonMs, de)!;
    expect(effectiveOwnLimit(removed, noonMs + 7 * dayMs - 1)).toBeDefined();
    expect(effectiveOwnLimit(removed, noonMs + 7 * dayMs)).toBeUndefined();
  });

  it("waits anew for a new increase, a smaller one too", () => {
    const raised = change(limit, set(euros(9_000)))!;
    const again = change(raised, set(euros(8_000)), noonMs + dayMs - 1)!;
    expect(effectiveOwnLimit(again, noonMs + dayMs)?.amount).toEqual(euros(5_000));
    expect(effectiveOwnLimit(again, noonMs + 2 * dayMs - 1)?.amount).toEqual(euros(8_000));
  });

  it("set to what it is cancels what waits and stays", () => {
    expect(change(change(limit, remove), set(euros(5_000)))).toEqual(limit);
  });

  it("in another currency is not provably stricter, so it waits", () => {
    const changed = change(limit, set({ minorUnits: 1, currencyCode: "SEK" }))!;
    expect(effectiveOwnLimit(changed, noonMs)?.amount).toEqual(euros(5_000));
    expect(effectiveOwnLimit(changed, noonMs + dayMs)?.amount).toEqual({
      minorUnits: 1,
      currencyCode: "SEK",
    });
  });

  it("waits for a confirmation where a pack asks for one, which can't come before the wait is over", () => {
    const raised = change(limit, set(euros(9_000)), noonMs, { ...gb, needsConfirmation: true })!;
    const laterMs = noonMs + 30 * dayMs;
    expect(effectiveOwnLimit(raised, laterMs)?.amount).toEqual(euros(5_000));
    const early = changeOwnLimit(raised, confirm, { nowMs: noonMs + dayMs - 1, ...gb });
    expect(ruleOf(early)).toBe("too-early");
    expect(change(raised, confirm, laterMs)).toEqual({ ...limit, amount: euros(9_000), setAtMs: laterMs });
    const removed = change(limit, remove, noonMs, { ...gb, needsConfirmation: true });
    expect(change(removed, confirm, noonMs + dayMs)).toBeUndefined();
  });

  it("waits for the longer of two waits where the player moves meanwhile, counted from the request", () => {
    const raised = change(limit, set(euros(9_000)))!;
    expect(effectiveOwnLimit(raised, noonMs + 7 * dayMs - 1, de)?.amount).toEqual(euros(5_000));
    expect(effectiveOwnLimit(raised, noonMs + 7 * dayMs, de)?.amount).toEqual(euros(9_000));
    const slow = change(limit, set(euros(9_000)), noonMs, de)!;
    expect(effectiveOwnLimit(slow, noonMs + dayMs, gb)?.amount).toEqual(euros(5_000));
  });

  it("counts what waited and is in force now as the present amount", () => {
    const raised = change(limit, set(euros(9_000)));
    const lowered = change(raised, set(euros(7_000)), noonMs + dayMs);
    expect(lowered).toEqual({ ...limit, amount: euros(7_000), setAtMs: noonMs + dayMs });
  });

  it("may be nothing at all", () => {
    expect(change(limit, set(euros(0)))?.amount).toEqual(euros(0));
  });
});

test("a change that makes no sense is a fault that names the field", () => {
  const at = { nowMs: noonMs, ...gb };
  const faults = [
    changeOwnLimit(limit, set(euros(-1)), at),
    changeOwnLimit(limit, set(euros(1.5)), at),
    changeOwnLimit(limit, set({ minorUnits: 1, currencyCode: "XXX" }), at),
    changeOwnLimit(limit, { ...set(euros(1)), zone: "Mars/Olympus" } as OwnLimitRequest, at),
    changeOwnLimit(undefined, remove, at),
    changeOwnLimit(limit, confirm, at),
    changeOwnLimit(undefined, confirm, at),
  ].map((changed) => (changed.ok ? "" : `${changed.fault.field} ${changed.fault.rule}`));
  expect(faults).toEqual([
    "amount.minor_units not-negative",
    "amount.minor_units not-negative",
    "amount.currency_code currency",
    "zone time-zone",
    "remove nothing-set",
    "confirm nothing-waits",
    "confirm nothing-waits",
  ]);
});

test("the longest wait of the packs in force where the player is binds; 24 hours where there is none", () => {
  const pack = (jurisdiction: string, part: Partial<PackInfo>): PackInfo => ({
    id: jurisdiction.toLowerCase(),
    jurisdiction,
    physical: false,
    fromMs: undefined,
    untilMs: undefined,
    zone: "UTC",
    weekStart: 1,
    limitIncreaseWaitMs: dayMs,
    limits: [],
    confirmAfterWait: false,
    ...part,
  });
  const packs = [
    pack("GB", { confirmAfterWait: true }),
    pack("DE", { limitIncreaseWaitMs: 7 * dayMs }),
    pack("ES", { limitIncreaseWaitMs: 90 * dayMs, fromMs: noonMs + 1 }),
    pack("AU", { limitIncreaseWaitMs: 3 * dayMs, physical: true }),
    pack("NL", { limitIncreaseWaitMs: 8 * dayMs, untilMs: noonMs }),
  ];
  const find = (jurisdictions: readonly string[] | undefined, nowMs = noonMs, physicalCountry?: string) =>
    findIncreaseWait(packs, { jurisdictions, physicalCountry }, nowMs);
  expect(find(["DE", "GB", "ES", "NL"])).toEqual({ waitMs: 7 * dayMs, needsConfirmation: true });
  expect(find(["DE"])).toEqual(de);
  expect(find(["SE"])).toEqual(gb);
  expect(find(["ES"], noonMs + 1).waitMs).toBe(90 * dayMs);
  expect(find(undefined)).toEqual({ waitMs: 7 * dayMs, needsConfirmation: true });
  expect(find(["SE"], noonMs, "DE")).toEqual(gb);
  expect(find(["SE"], noonMs, "AU").waitMs).toBe(3 * dayMs);
});

test("an own limit is a limit of class SAFER_GAMBLING that closes on unknown", () => {
  expect(ownLimitId({ period: "ROLLING_WEEK", measure: "NET" })).toBe("player/rolling_week/net");
  expect(specOwnLimit({ ...limit, period: "ROLLING_MONTH" })).toMatchObject({
    id: "player/rolling_month/gross",
    ruleClass: "SAFER_GAMBLING",
    closesOnUnknown: true,
    purposes: ["rg"],
    window: { kind: "rolling", spanMs: 30 * dayMs },
  });
  expect(specOwnLimit(limit).window).toMatchObject({
    kind: "calendar",
    period: "DAY",
    zone: "Europe/Berlin",
  });
});
