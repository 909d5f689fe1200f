/**
 * The breakers of all merchants: a mutable shell around the pure state machine (`core/breakers`). One per PSP, one for the 3DS that it runs, and one per
 * method where the policy asks. They live in memory alone and start closed; only PSPs and methods of the active rule set have any.
 */
import {
  type Breaker,
  type BreakerPhase,
  closedBreaker,
  countCalls,
  hearOutcome,
  leaseProbe,
  mayProbe,
  returnLease,
  settleBreaker,
} from "../core/breakers/breaker.ts";
import type { BreakerPolicy } from "../core/breakers/breaker-policy.ts";
import type { HealthSign } from "../core/breakers/calls.ts";
import type { HeardOutcome } from "../core/breakers/heard-outcome.ts";
import { policyOf } from "../core/breakers/policy-of.ts";
import { readPspSign, readThreeDsSign } from "../core/breakers/read-sign.ts";
import type { Step } from "../core/decision.ts";
import type { Payment } from "../core/payment.ts";
import type { Psp, RuleSnapshot } from "../core/rules/snapshot.ts";
import type { ActiveRules } from "./judge.ts";

/** What a breaker is about: the PSP, one of its methods, or its 3DS. */
export type BreakerPart = { readonly kind: "psp" | "method" | "three_ds"; readonly method: string };

/** A breaker that is not closed, as decisions read it. */
export type OpenBreaker = BreakerPart & { readonly breaker: Breaker };

/** The breakers of a merchant that are not closed. */
export type BreakerBoard = { readonly of: (psp: string) => readonly OpenBreaker[] };

/** A payment that is to try a PSP again. */
export type Probe = {
  readonly paymentId: string;
  readonly psp: string;
  readonly method: string;
  readonly needsThreeDs: boolean;
  /** Of the first step, and of those that step up or repeat there. */
  readonly attemptIds: readonly string[];
  readonly expiresAtMs: number;
};

export type BreakerStatus = BreakerPart & {
  readonly phase: BreakerPhase;
  readonly reason: string;
  readonly sinceMs: number | undefined;
  /** Of an open one. */
  readonly nextProbeAtMs: number | undefined;
  readonly calls: number;
  readonly failures: number;
  readonly probes: number;
};

export type BreakerTransition = BreakerPart & {
  readonly merchantId: string;
  readonly psp: string;
  readonly from: BreakerPhase;
  readonly to: BreakerPhase;
  readonly reason: string;
};

/** What becomes of probes. LOST: nobody said so before the lease expired. */
export type ProbeFate = "LEASED" | "SUCCEEDED" | "FAILED" | "NEUTRAL" | "RETURNED" | "LOST";

export type BreakerDeps = {
  readonly rules: { readonly current: (merchantId: string) => ActiveRules | undefined };
  readonly onTransition?: (transition: BreakerTransition) => void;
  readonly onProbe?: (probe: {
    readonly merchantId: string;
    readonly psp: string;
    readonly fate: ProbeFate;
  }) => void;
};

export type Breakers = {
  /** Hears what became of an attempt; of a PSP that the active rule set does not have, nothing. */
  readonly hear: (merchantId: string, outcome: HeardOutcome, nowMs: number) => void;
  /** Undefined where all are closed, as nearly always. */
  readonly boardOf: (merchantId: string) => BreakerBoard | undefined;
  /** Gives a payment the leases of every breaker that it tries. */
  readonly lease: (merchantId: string, probe: Probe, nowMs: number) => void;
  /** Takes the leases of an attempt back that will not be made. */
  readonly giveBack: (
    merchantId: string,
    attempt: Pick<HeardOutcome, "psp" | "paymentId" | "attemptId">,
  ) => void;
  /** That of the PSP first, then those of its methods, sorted, then that of its 3DS where it ever heard of any. Empty for what is no PSP. */
  readonly list: (merchantId: string, psp: string, nowMs: number) => readonly BreakerStatus[];
};

type Entry = BreakerPart & { readonly psp: string; breaker: Breaker };

type House = {
  readonly entries: Map<string, Entry[]>;
  /** Those that are not closed. */
  readonly open: Map<string, Entry[]>;
  /** The rule set that the entries are of. */
  snapshot: RuleSnapshot | undefined;
};

const none: readonly Entry[] = [];

export function createBreakers({ rules, onTransition, onProbe }: BreakerDeps): Breakers {
  const houses = new Map<string, House>();

  /** The breakers of a merchant by its active rule set, rid of those of PSPs and methods that it does not have. */
  const openHouse = (merchantId: string, snapshot: RuleSnapshot): House => {
    let house = houses.get(merchantId);
    if (house === undefined) {
      house = { entries: new Map(), open: new Map(), snapshot };
      houses.set(merchantId, house);
    }
    if (house.snapshot !== snapshot) {
      prune(house, snapshot);
      house.snapshot = snapshot;
    }
    return house;
  };

  const change = (merchantId: string, house: House, entry: Entry, next: Breaker): void => {
    const { breaker: last, kind, method, psp } = entry;
    entry.breaker = next;
    if (last.phase === next.phase) return;
    if (next.phase === "CLOSED" || last.phase === "CLOSED") indexOpen(house, psp);
    onTransition?.({ merchantId, psp, kind, method, from: last.phase, to: next.phase, reason: next.reason });
  };

  /** Lets time pass for a breaker. */
  const settle = (merchantId: string, house: House, entry: Entry, nowMs: number): void => {
    const settled = settleBreaker(entry.breaker, nowMs);
    const lost = entry.breaker.leases.length - settled.leases.length;
    for (let count = 0; count < lost; count++) onProbe?.({ merchantId, psp: entry.psp, fate: "LOST" });
    change(merchantId, house, entry, settled);
  };

  const hear: Breakers["hear"] = (merchantId, outcome, nowMs) => {
    const snapshot = rules.current(merchantId)?.snapshot;
    if (snapshot === undefined) return;
    const house = openHouse(merchantId, snapshot);
    const ordinal = snapshot.pspOrdinals.get(outcome.psp);
    if (ordinal === undefined) return;
    const psp = snapshot.psps[ordinal]!;
    const policy = policyOf(snapshot);
    const { issuerKey, atMs, latencyMs } = outcome;
    // Whoever waited in vain waited for as long as that PSP is waited for.
    const tookMs = latencyMs ?? (outcome.failure === "TIMEOUT" ? psp.timeoutMs : 0);
    const attempt = nameAttempt(outcome);
    const goesOn = outcome.outcomeClass === "SCA";
    for (const { sign, ...part } of listSigns(psp, policy, outcome)) {
      const known = findEntry(house, psp.id, part);
      if (known === undefined && sign === "NEUTRAL") continue;
      const entry = known ?? addEntry(house, psp.id, part);
      settle(merchantId, house, entry, nowMs);
      const before = entry.breaker;
      const heard = { attempt, sign, goesOn, issuerKey, atMs, sentAtMs: atMs - tookMs };
      change(merchantId, house, entry, hearOutcome(before, policy, heard, nowMs));
      if (before.phase === "HALF_OPEN" && entry.breaker !== before)
        onProbe?.({ merchantId, psp: psp.id, fate: fates[sign] });
    }
  };

  const lease: Breakers["lease"] = (merchantId, probe, nowMs) => {
    const snapshot = rules.current(merchantId)?.snapshot;
    if (snapshot === undefined) return;
    const house = openHouse(merchantId, snapshot);
    const policy = policyOf(snapshot);
    const attempts = probe.attemptIds.map((attemptId) =>
      nameAttempt({ paymentId: probe.paymentId, attemptId }),
    );
    for (const entry of house.open.get(probe.psp) ?? none) {
      if (!concerns(entry, probe.method, probe.needsThreeDs)) continue;
      settle(merchantId, house, entry, nowMs);
      const { expiresAtMs } = probe;
      const leased = leaseProbe(entry.breaker, policy, { attempts, expiresAtMs }, nowMs);
      if (leased === undefined) continue;
      change(merchantId, house, entry, leased);
      onProbe?.({ merchantId, psp: probe.psp, fate: "LEASED" });
    }
  };

  const giveBack: Breakers["giveBack"] = (merchantId, { psp, ...attempt }) => {
    for (const entry of houses.get(merchantId)?.open.get(psp) ?? none) {
      const returned = returnLease(entry.breaker, nameAttempt(attempt));
      if (returned === entry.breaker) continue;
      entry.breaker = returned;
      onProbe?.({ merchantId, psp, fate: "RETURNED" });
    }
  };

  const boardOf: Breakers["boardOf"] = (merchantId) => {
    const snapshot = rules.current(merchantId)?.snapshot;
    const isOpen = (houses.get(merchantId)?.open.size ?? 0) > 0;
    if (snapshot === undefined || !isOpen) return undefined;
    const { open } = openHouse(merchantId, snapshot);
    return open.size === 0 ? undefined : { of: (psp) => open.get(psp) ?? none };
  };

  const list: Breakers["list"] = (merchantId, pspId, nowMs) => {
    const snapshot = rules.current(merchantId)?.snapshot;
    if (snapshot === undefined) return [];
    const house = openHouse(merchantId, snapshot);
    const ordinal = snapshot.pspOrdinals.get(pspId);
    if (ordinal === undefined) return [];
    const policy = policyOf(snapshot);
    const parts = listParts(snapshot.psps[ordinal]!, policy);
    const known = house.entries.get(pspId) ?? none;
    const shown = known.some(({ kind }) => kind === "three_ds") ? [...parts, threeDsPart] : parts;
    return shown.map((part) =>
      describe(part, findEntry(house, pspId, part)?.breaker ?? closedBreaker, policy, nowMs),
    );
  };

  return { hear, boardOf, lease, giveBack, list };
}

/** Takes back what leases a payment holds for steps that it will not make. */
export function giveBackSteps(
  breakers: Pick<Breakers, "giveBack"> | undefined,
  { merchantId, paymentId }: Pick<Payment, "merchantId" | "paymentId">,
  steps: readonly Pick<Step, "psp" | "attemptId">[],
): void {
  for (const { psp, attemptId } of steps) breakers?.giveBack(merchantId, { psp, paymentId, attemptId });
}

/** Whether a breaker speaks for a payment of the method. */
export function concerns({ kind, method: of }: BreakerPart, method: string, needsThreeDs: boolean): boolean {
  return kind === "psp" || (kind === "method" ? of === method : needsThreeDs);
}

const pspPart: BreakerPart = { kind: "psp", method: "" };
const threeDsPart: BreakerPart = { kind: "three_ds", method: "" };

const fates: Readonly<Record<HealthSign, ProbeFate>> = {
  SUCCESS: "SUCCEEDED",
  FAILURE: "FAILED",
  TIMEOUT: "FAILED",
  ISSUER_DOWN: "NEUTRAL",
  NEUTRAL: "NEUTRAL",
};

/** Attempts are named by their payments, too. */
export function nameAttempt({ paymentId, attemptId }: Pick<HeardOutcome, "paymentId" | "attemptId">): string {
  return `${paymentId}\0${attemptId}`;
}

function listParts({ methods }: Psp, { perMethod }: BreakerPolicy): readonly BreakerPart[] {
  if (!perMethod) return [pspPart];
  return [pspPart, ...[...methods].sort().map((method): BreakerPart => ({ kind: "method", method }))];
}

function listSigns(
  { methods }: Psp,
  { perMethod }: BreakerPolicy,
  outcome: HeardOutcome,
): readonly (BreakerPart & { readonly sign: HealthSign })[] {
  const sign = readPspSign(outcome);
  const { method } = outcome;
  const signs: (BreakerPart & { readonly sign: HealthSign })[] = [{ ...pspPart, sign }];
  if (perMethod && methods.includes(method)) signs.push({ kind: "method", method, sign });
  signs.push({ ...threeDsPart, sign: readThreeDsSign(outcome) });
  return signs;
}

function findEntry({ entries }: House, psp: string, part: BreakerPart): Entry | undefined {
  return entries.get(psp)?.find(({ kind, method }) => kind === part.kind && method === part.method);
}

function addEntry({ entries }: House, psp: string, part: BreakerPart): Entry {
  const entry: Entry = { ...part, psp, breaker: closedBreaker };
  const known = entries.get(psp);
  if (known === undefined) entries.set(psp, [entry]);
  else known.push(entry);
  return entry;
}

function indexOpen({ entries, open }: House, psp: string): void {
  const opened = (entries.get(psp) ?? []).filter(({ breaker }) => breaker.phase !== "CLOSED");
  if (opened.length === 0) open.delete(psp);
  else open.set(psp, opened);
}

function prune(house: House, snapshot: RuleSnapshot): void {
  const policy = policyOf(snapshot);
  for (const [pspId, known] of house.entries) {
    const ordinal = snapshot.pspOrdinals.get(pspId);
    const parts = ordinal === undefined ? [] : [...listParts(snapshot.psps[ordinal]!, policy), threeDsPart];
    const kept = known.filter((entry) =>
      parts.some(({ kind, method }) => kind === entry.kind && method === entry.method),
    );
    if (kept.length === 0) house.entries.delete(pspId);
    else house.entries.set(pspId, kept);
    indexOpen(house, pspId);
  }
}

function describe(
  { kind, method }: BreakerPart,
  breaker: Breaker,
  policy: BreakerPolicy,
  nowMs: number,
): BreakerStatus {
  const settled = settleBreaker(breaker, nowMs);
  const { phase, reason, sinceMs, probeFromMs, leases } = settled;
  return {
    kind,
    method,
    phase,
    reason,
    sinceMs,
    nextProbeAtMs: phase === "OPEN" ? probeFromMs : undefined,
    ...countCalls(settled, policy, nowMs),
    probes: leases.length,
  };
}

/** The first breaker that keeps a payment from a PSP, and where none does the last that it would have to try. */
export function askBreakers(
  board: BreakerBoard,
  policy: BreakerPolicy,
  asks: {
    readonly psp: string;
    readonly method: string;
    readonly needsThreeDs: boolean;
    readonly nowMs: number;
  },
): { readonly blocking: OpenBreaker | undefined; readonly tried: OpenBreaker | undefined } {
  let tried: OpenBreaker | undefined;
  for (const open of board.of(asks.psp)) {
    if (!concerns(open, asks.method, asks.needsThreeDs)) continue;
    if (!mayProbe(open.breaker, policy, asks.nowMs)) return { blocking: open, tried };
    tried = open;
  }
  return { blocking: undefined, tried };
}
