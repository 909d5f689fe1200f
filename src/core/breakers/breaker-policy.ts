import type { Money } from "../payment.ts";

/** When a PSP is no longer sent payments, and when again (`DESIGN.md` §7, `DOMAIN.md` 3). */
export type BreakerPolicy = {
  readonly windowMs: number;
  readonly callsMax: number;
  readonly callsMin: number;
  /** Share of failures from which on it opens. */
  readonly failureShare: number;
  readonly timeoutsInRow: number;
  readonly openForMs: number;
  readonly probesMax: number;
  readonly closeAfter: number;
  readonly perMethod: boolean;
  readonly allDown: "REFUSE" | "LEAST_BAD";
  /** No probe of this amount or more. */
  readonly probeAmountMax: Money;
  /** Ordinals of segments whose players never probe. */
  readonly neverProbe: readonly number[];
  /** Shares of success that the change detector takes for normal and for broken. */
  readonly normalShare: number;
  readonly brokenShare: number;
};

/** The policy of the house (`DOMAIN.md` 3); a rule set takes from it what it does not say itself. */
export const defaultBreakerPolicy: BreakerPolicy = {
  windowMs: 60_000,
  callsMax: 50,
  callsMin: 20,
  failureShare: 0.5,
  timeoutsInRow: 5,
  openForMs: 30_000,
  probesMax: 1,
  closeAfter: 3,
  perMethod: false,
  allDown: "REFUSE",
  probeAmountMax: { minorUnits: 20_000, currencyCode: "EUR" },
  neverProbe: [],
  normalShare: 0.8,
  brokenShare: 0.15,
};
