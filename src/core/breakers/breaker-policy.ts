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
