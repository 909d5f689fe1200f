import type { Psp } from "../rules/snapshot.ts";

/** Why a PSP that could take a payment is not used now, or only to try it; details are in English. */
export type PspHealth =
  | { readonly kind: "maintenance"; readonly detail: string }
  | {
      readonly kind: "breaker";
      readonly detail: string;
      /** Of its calls when it opened, 0 to 1. */
      readonly failureShare: number;
    }
  /** The payment may try whether it works again, as its first step and nowhere else. */
  | {
      readonly kind: "probe";
      readonly detail: string;
      /** Nobody tried it for so long that the next who may does, wherever it ranks. */
      readonly isOverdue: boolean;
    };

export type Health = {
  /** Undefined where it is used as always. */
  readonly of: (psp: Psp) => PspHealth | undefined;
  /** Whether to use the one that fails least where breakers leave none. */
  readonly usesLeastBad: boolean;
};

export const allWell: Health = { of: () => undefined, usesLeastBad: false };

export type MaintenanceWindow = Psp["maintenance"][number];

/** The window that is on, `[fromMs, untilMs)`. */
export function findMaintenance(
  { maintenance }: Pick<Psp, "maintenance">,
  nowMs: number,
): MaintenanceWindow | undefined {
  return maintenance.find(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
}

/** The window that is on, or the next one. */
export function findNextMaintenance(
  { maintenance }: Pick<Psp, "maintenance">,
  nowMs: number,
): MaintenanceWindow | undefined {
  return maintenance.find(({ untilMs }) => nowMs < untilMs);
}
