import { checkAttributes } from "../core/features/frame-reader.ts";
import type { FieldFault } from "../core/field-fault.ts";
import type { Payment } from "../core/payment.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { Refused } from "./decided.ts";
import type { ActiveRules } from "./judge.ts";

export type CallDeps = {
  readonly merchants: ReadonlyMap<string, { readonly clock: "server" | "request" }>;
  readonly rules: { readonly current: (merchantId: string) => ActiveRules | undefined };
  readonly clock: Clock;
};

export type Door = "gateway" | "admin";

export type OpenedCall = { readonly ok: true; readonly rules: ActiveRules; readonly nowMs: number } | Refused;

/** One rule set and one instant for the whole call. */
export function openCall(deps: CallDeps, payment: Payment, door: Door, draft?: ActiveRules): OpenedCall {
  const merchant = deps.merchants.get(payment.merchantId);
  if (merchant === undefined) return { ok: false, kind: "unknown_merchant", merchantId: payment.merchantId };
  const faults: FieldFault[] = [];
  if (payment.decideAtMs !== undefined && merchant.clock !== "request") {
    const message = `merchant ${payment.merchantId} decides by the clock of the server`;
    faults.push({ field: "decide_at", rule: "clock", message });
  }
  if (payment.review !== undefined && door !== "admin") {
    const message = "reviews are settled on the admin listener only";
    faults.push({ field: "review", rule: "admin-only", message });
  }
  if (payment.mode === "CASHIER") faults.push(...checkAskedOnly(payment));
  if (faults.length > 0) return invalid(faults);
  const rules = draft ?? deps.rules.current(payment.merchantId);
  if (rules === undefined) return { ok: false, kind: "no_active_rule_set" };
  return { ok: true, rules, nowMs: payment.decideAtMs ?? deps.clock.nowMs() };
}

/** The cashier stores nothing, so what would have to be stored is refused instead of lost. */
function checkAskedOnly({ review, previousAttempts }: Payment): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  const note = (field: string): void => {
    faults.push({ field, rule: "payment-mode", message: `mode CASHIER stores nothing, so no ${field}` });
  };
  if (previousAttempts.length > 0) note("previous_attempts");
  if (review !== undefined) note("review");
  return faults;
}

/** What the rule set must have declared: attributes, and the brand, on whose licence the law hangs. */
export function checkDeclared(payment: Payment, { attributes, brands }: RuleSnapshot): readonly FieldFault[] {
  const faults = checkAttributes(payment, attributes);
  if (payment.brand === "" || brands.has(payment.brand)) return faults;
  const message = `the rule set declares no brand ${payment.brand}`;
  return [{ field: "brand", rule: "declared", message }, ...faults];
}

export function invalid(faults: readonly FieldFault[]): Refused {
  return { ok: false, kind: "invalid", faults };
}
