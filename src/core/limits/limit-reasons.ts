import { formatMoney } from "../money.ts";
import type { Reason } from "../reason.ts";
import type { Breach } from "./judge.ts";
import type { LimitReading } from "./limit.ts";

/** The reason of a breach, at its place in the precedence: limits of classes 1-2 before overrides, others after RISK (`SEMANTICS.md` 3.8). */
export function makeLimitReason({ limit, reading, code }: Breach): Reason {
  const { id, ruleClass, playerMessageKey, purposes } = limit.spec;
  return {
    stage: limit.isProtective ? "protective_limit" : "limit",
    code,
    ruleClass,
    sourceId: id,
    detail: explain(reading, code),
    playerMessageKey,
    purposes,
  };
}

function explain(reading: LimitReading, code: string): string {
  const { asked, used, limit, headroom, fitsAtMs, currency, subject } = reading;
  if (code === "FX_MISSING") return `no rate converts all amounts to ${currency}`;
  if (reading.unknown) return `the ${subject} or what it has used is unknown`;
  const show = (value: number): string =>
    currency === "" ? String(value) : formatMoney({ minorUnits: value, currencyCode: currency });
  const left = `${show(used)} of ${show(limit)} used, ${show(headroom)} left, ${show(asked)} asked`;
  return fitsAtMs === undefined ? left : `${left}; fits at ${new Date(fitsAtMs).toISOString()}`;
}
