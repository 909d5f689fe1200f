/** What PSPs settled against what we wrote down: a charge that we took for none is told now, and voided where the payment was approved elsewhere. */
import { setTimeout as sleep } from "node:timers/promises";
import { Edge_Action as Action, type Plan } from "../../src/gen/switchyard/v1/decision_pb.js";
import { type GatewayDeps, type GatewaySettings, tellLate, voidAttempt, voidSurplus } from "./gateway.ts";
import type { PspClient, Settled } from "./psp-client.ts";

/** How many charges were news. */
export async function reconcile(deps: GatewayDeps): Promise<number> {
  let late = 0;
  for (const psp of deps.psps.values()) {
    for (const { key, approvedMinor } of await readSettled(psp, deps.settings)) {
      const attempt = deps.books.ofKey(key);
      if (attempt === undefined || attempt.state === "approved") continue;
      late++;
      if (attempt.state === "voided") await voidAttempt(attempt, deps);
      else await settle(await tellLate(attempt, approvedMinor, deps), attempt.payment, deps);
    }
  }
  return late;
}

/** A PSP that is down has its file later. */
async function readSettled(psp: PspClient, settings: GatewaySettings): Promise<readonly Settled[]> {
  for (let tried = 1; ; tried++) {
    try {
      return await psp.listSettled();
    } catch (error) {
      if (tried === settings.statusTriesMax) throw error;
      await sleep(settings.statusGapMaxMs);
    }
  }
}

async function settle(plan: Plan | undefined, payment: string, deps: GatewayDeps): Promise<void> {
  if (plan?.next?.action === Action.VOID_FIRST) await voidSurplus(payment, deps);
}
