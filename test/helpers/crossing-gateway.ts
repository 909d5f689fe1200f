/**
 * A gateway that runs payments of one card side by side, and an issuer that counts what reaches it. The gateway sends what it was shown: where a report or
 * its answer is lost it follows the edges that it has, and tells later.
 */

import { emptyBinTable } from "../../src/core/bin/bin-table.ts";
import type { Edge, Step } from "../../src/core/decision.ts";
import type { Hold } from "../../src/core/limits/limit.ts";
import type { OutcomeReport } from "../../src/core/outcome-report.ts";
import type { Payment, ReportedOutcome } from "../../src/core/payment.ts";
import { buildOverrideSet } from "../../src/core/rules/override-set.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import type { PlanNow } from "../../src/decide/decided.ts";
import { createDecider } from "../../src/decide/decider.ts";
import { readReport } from "../../src/decide/read-report.ts";
import { createReporter } from "../../src/decide/reporter.ts";
import { createMemoryState } from "./memory-state.ts";

const minute = 60_000;
/** Silence is final so long after the last word, and after the end of the plan (`SEMANTICS.md` 5.3). */
const silenceMs = 30 * minute;
const afterPlanMs = 5 * minute + 1;

/** What becomes of an attempt at the issuer. Of `timeout` only the issuer knows, until it is asked; `refused` reaches no issuer. */
export type Fate = "05" | "96" | "91" | "approved" | "refused" | "timeout-declined" | "timeout-approved";
/** What becomes of the report, and whether it says when the attempt was: else it is taken for as old as the report. */
export type Mail = { readonly post: "arrives" | "is lost" | "answer is lost"; readonly isDated: boolean };

export type Asked = {
  readonly card: string;
  readonly amountMinor: number;
  readonly initiator: "CIT" | "MIT";
};

/** An attempt as the issuer knows it. */
type Sent = {
  readonly flow: Flow;
  readonly asked: Asked;
  readonly fate: Fate;
  readonly atMs: number;
  readonly isDated: boolean;
  readonly step: Step;
  /** Whether the service heard of it, and of what became of it. */
  told: "nothing" | "that it is open" | "all";
  /** Whether silence was final before anything was told: what was planned since could not know of it. */
  wasForgotten: boolean;
};

/** A payment on its way. */
export type Flow = {
  asked: Asked;
  readonly paymentId: string;
  revision: number;
  /** What the gateway was shown last; undefined where it was shown nothing to do. */
  plan: PlanNow | undefined;
  next: Edge | undefined;
  readonly sent: Sent[];
  lastWordMs: number;
};

export class CrossingGateway {
  nowMs: number;
  /** In the order in which they were sent. */
  readonly sent: Sent[] = [];
  readonly #state: ReturnType<typeof createMemoryState>;
  readonly #decider: ReturnType<typeof createDecider>;
  readonly #reporter: ReturnType<typeof createReporter>;
  #snapshot: RuleSnapshot;
  #payments = 0;

  constructor(snapshot: RuleSnapshot, nowMs: number) {
    this.#snapshot = snapshot;
    this.nowMs = nowMs;
    this.#state = createMemoryState({
      merchants: new Map([["default", { clock: "server" }]]),
      rules: {
        current: () => ({
          snapshot: this.#snapshot,
          overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }),
        }),
      },
      bins: emptyBinTable,
      clock: { nowMs: () => this.nowMs },
    });
    // PSPs that fail here are to go on failing.
    const deps = { ...this.#state, breakers: undefined, onOutcome: undefined };
    this.#decider = createDecider(deps);
    this.#reporter = createReporter(deps);
  }

  /** What the payment of a flow holds. */
  holdOf({ paymentId }: Flow): Hold | undefined {
    return this.#state.limits.get("default", paymentId);
  }

  /** Begins with a rule set and without payments: what was before is nobody's any more. */
  reset(snapshot: RuleSnapshot, nowMs: number, flows: readonly Flow[]): void {
    for (const { paymentId } of flows) void this.#state.limits.release("default", paymentId);
    this.sent.length = 0;
    this.#snapshot = snapshot;
    this.nowMs = nowMs;
  }

  open(asked: Asked): Flow {
    const paymentId = `pay-${this.#payments++}`;
    return { asked, paymentId, revision: -1, plan: undefined, next: undefined, sent: [], lastWordMs: 0 };
  }

  /** Decides at the next revision, with all that is known of what was sent; only where all of it is known. */
  decide(flow: Flow): void {
    if (flow.sent.some(({ fate, told }) => fate.startsWith("timeout") && told !== "all")) return;
    flow.revision++;
    this.#ask(flow);
    flow.lastWordMs = this.nowMs;
  }

  /** Asks once more. */
  repeat(flow: Flow): void {
    if (flow.revision >= 0) this.#ask(flow);
  }

  /** The step that the gateway sends now, if it sends one. */
  findStep({ plan, next }: Flow): Step | undefined {
    if (plan === undefined || next === undefined || this.nowMs > plan.validUntilMs) return undefined;
    if (next.action !== "STEP" && next.action !== "WAIT_UNTIL") return undefined;
    if (next.action === "WAIT_UNTIL" && this.nowMs < next.notBeforeMs) return undefined;
    return plan.steps.find(({ number }) => number === next.step);
  }

  send(flow: Flow, step: Step, fate: Fate, { post, isDated }: Mail): void {
    const attempt: Sent = {
      flow,
      asked: flow.asked,
      fate,
      atMs: this.nowMs,
      isDated,
      step,
      told: "nothing",
      wasForgotten: false,
    };
    flow.sent.push(attempt);
    this.sent.push(attempt);
    const met = fate.startsWith("timeout") ? "UNKNOWN" : classes[fate as keyof typeof classes];
    const { edge } = step.edges.find(({ outcomeClass }) => outcomeClass === met)!;
    flow.next = edge;
    if (post !== "is lost") this.#tell(attempt, post === "arrives", false);
  }

  /** Tells what was not told yet, the newest first where that is wanted, and what became of those that timed out. */
  catchUp(flow: Flow, isReversed: boolean): void {
    const late = flow.sent.filter(({ told }) => told !== "all");
    for (const attempt of isReversed ? late.reverse() : late) this.#tell(attempt, true, true);
  }

  /**
   * Attempts that the scheme counts against one with this card, amount and initiator now: declined or still out, since the last approval. Without those
   * that were not told of until silence was final: of these nobody could know.
   */
  countSeen({ card, amountMinor, initiator }: Asked, key: "CARD" | "CARD_AMOUNT", windowMs: number): number {
    const ofCap = this.sent.filter(
      ({ asked, fate }) =>
        fate !== "refused" &&
        asked.card === card &&
        asked.initiator === initiator &&
        (key === "CARD" || asked.amountMinor === amountMinor),
    );
    const since = ofCap.slice(ofCap.findLastIndex(isApproved) + 1);
    return since.filter((attempt) => attempt.atMs > this.nowMs - windowMs && !this.#isForgotten(attempt))
      .length;
  }

  #isForgotten({ told, flow, wasForgotten }: Sent): boolean {
    if (wasForgotten) return true;
    const finalMs = Math.max(flow.lastWordMs + silenceMs, (flow.plan?.validUntilMs ?? 0) + afterPlanMs);
    return told === "nothing" && this.nowMs >= finalMs;
  }

  #ask(flow: Flow): void {
    const late = flow.sent.filter(({ told }) => told !== "all");
    const previousAttempts = late.map((attempt) => readReport(this.#report(attempt, true), 0));
    const decided = this.#decider.decide(makePayment(flow, previousAttempts), "gateway");
    if (!decided.ok) {
      if (decided.kind !== "payment_closed") throw new Error(JSON.stringify(decided));
      flow.plan = undefined;
      return;
    }
    for (const attempt of late) this.#note(attempt, "all");
    if (late.length > 0) flow.lastWordMs = this.nowMs;
    flow.plan = decided.plan;
    flow.next = decided.plan?.next;
  }

  #tell(attempt: Sent, isAnswered: boolean, isSettled: boolean): void {
    const { flow } = attempt;
    const told = this.#reporter.report(this.#report(attempt, isSettled));
    if (!told.ok) {
      // After a week only its final state is kept.
      throw new Error(JSON.stringify(told));
    }
    this.#note(attempt, attempt.fate.startsWith("timeout") && !isSettled ? "that it is open" : "all");
    flow.lastWordMs = this.nowMs;
    if (!isAnswered || told.plan === undefined) return;
    flow.plan = told.plan;
    flow.next = told.plan.next;
  }

  #note(attempt: Sent, told: Sent["told"]): void {
    // The word is on all of the payment, so silence begins anew: what was forgotten before stays so.
    for (const each of attempt.flow.sent) each.wasForgotten = this.#isForgotten(each);
    attempt.told = told;
  }

  #report({ flow, fate, step, atMs, isDated }: Sent, isSettled: boolean): OutcomeReport {
    const { attemptId, psp } = step;
    const of = { merchantId: "default", paymentId: flow.paymentId, attemptId, psp } as const;
    const base = isDated ? { ...of, atMs } : of;
    if (fate === "approved" || (fate === "timeout-approved" && isSettled))
      return { ...base, result: "APPROVED" };
    if (fate === "refused") return { ...base, result: "DECLINED", failure: "CONNECT" };
    if (fate.startsWith("timeout") && !isSettled) return { ...base, result: "UNKNOWN" };
    return { ...base, result: "DECLINED", responseCode: fate === "timeout-declined" ? "05" : fate };
  }
}

const classes = {
  "05": "GENERIC",
  "96": "TECH_NOT_PROCESSED",
  "91": "ISSUER_DOWN",
  approved: "APPROVED",
  refused: "TECH_NOT_PROCESSED",
} as const;

function isApproved({ fate }: Sent): boolean {
  return fate === "approved" || fate === "timeout-approved";
}

function makePayment(
  { asked, paymentId, revision }: Flow,
  previousAttempts: readonly ReportedOutcome[],
): Payment {
  const { card, amountMinor, initiator } = asked;
  return {
    requestId: "r",
    merchantId: "default",
    paymentId,
    revision,
    playerId: `player-of-${card}`,
    brand: "",
    kind: "deposit",
    amountMinor,
    currency: "EUR",
    method: "card",
    card: { fingerprint: card, bin: "497010", scheme: "visa", issuerCountry: "US" },
    initiator,
    riskSignals: [],
    attributes: new Map(),
    previousAttempts,
    mode: "PAYMENT",
    trace: false,
  };
}
