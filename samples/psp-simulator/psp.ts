/** One PSP: authorisations by the merchant's key, status, void, refund, and everything that can go wrong with them. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Dice, drawLatencyMs } from "./dice.ts";
import { type Answer, type Authorisation, answerAuthorisation } from "./issuer.ts";
import type { Ledger, LedgerEntry } from "./ledger.ts";
import type { Outage, PspScript, Script } from "./script.ts";

/** What goes over the wire; `silent` never answers. */
export type Reply = { readonly status: number; readonly body: unknown } | "silent";

export type Psp = {
  readonly id: string;
  readonly authorise: (key: string, asked: Authorisation) => Promise<Reply>;
  readonly getStatus: (key: string) => Promise<Reply>;
  readonly void: (key: string) => Promise<Reply>;
  readonly refund: (key: string, amountMinor: number | undefined) => Promise<Reply>;
  /** Charges that stand, as a settlement file lists them. */
  readonly listSettled: () => Reply;
  /** What fails now; undefined where nothing does. */
  readonly findOutage: () => Outage | undefined;
  /** An outage by hand, from now on, in the place of the one before. */
  readonly setOutage: (outage: Omit<Outage, "from_s" | "to_s"> & { readonly seconds: number }) => void;
  readonly endOutage: () => void;
};

export type PspDeps = {
  readonly script: Script;
  readonly ledger: Ledger;
  readonly dice: Dice;
  readonly nowMs: () => number;
  /** Start of the simulation, from which scripted outages count. */
  readonly startMs: number;
};

/** An authorisation that the PSP knows. Where the answer is pending, `final` says what it will be. */
type Known = {
  readonly asked: Authorisation;
  readonly answer: Answer;
  readonly final?: { readonly answer: Answer; readonly atMs: number };
  readonly entry?: LedgerEntry;
};

type Trouble =
  | "none"
  | "slow"
  | "unavailable"
  | "code_96"
  | "bad_gateway"
  | "timeout_charged"
  | "timeout_not_charged"
  | "timeout_late";

/** What a brown-out is made of, by weight. */
const brownOut = [
  ["code_96", 0.35],
  ["unavailable", 0.25],
  ["timeout_not_charged", 0.15],
  ["timeout_charged", 0.08],
  ["bad_gateway", 0.07],
  ["slow", 0.1],
] as const satisfies readonly (readonly [Trouble, number])[];
const slowTimes = 5;

export function openPsp(psp: PspScript, deps: PspDeps): Psp {
  const { script, ledger, dice, nowMs, startMs } = deps;
  const known = new Map<string, Known>();
  const cancelled = new Set<string>();
  let byHand: Outage | undefined;

  const findOutage = (): Outage | undefined => {
    const second = (nowMs() - startMs) / 1000;
    const isOn = ({ from_s: from, to_s: to }: Outage) => second >= from && second < to;
    if (byHand !== undefined && isOn(byHand)) return byHand;
    return psp.outages.find(isOn);
  };

  const findTrouble = (key: string): Trouble => {
    const outage = findOutage();
    if (outage !== undefined && dice(psp.id, key, "outage") < outage.share) {
      const draw = dice(psp.id, key, "trouble");
      if (outage.kind === "timeouts") return draw < 0.5 ? "timeout_charged" : "timeout_not_charged";
      if (outage.kind === "brown_out") return chooseTrouble(draw);
      return outage.kind === "code_96" ? "code_96" : "unavailable";
    }
    const { charged, not_charged: notCharged, late } = psp.timeouts;
    const draw = dice(psp.id, key, "timeout");
    if (draw < charged) return "timeout_charged";
    if (draw < charged + notCharged) return "timeout_not_charged";
    return draw < charged + notCharged + late ? "timeout_late" : "none";
  };

  /** Asks the issuer and books what it says. */
  const process = (key: string, asked: Authorisation): Known => {
    const answer = answerAuthorisation(script, psp, asked, key, dice);
    const isPending = answer.code !== undefined && dice(psp.id, key, "pending") < psp.pending.share;
    return keep(key, asked, answer, isPending);
  };

  /** Books what reached an issuer, and keeps the answer under its key. */
  const keep = (key: string, asked: Authorisation, answer: Answer, isPending = false): Known => {
    const { code, status, approvedMinor = 0 } = answer;
    const chargedMinor = status === "approved" ? approvedMinor : 0;
    const final = { answer, atMs: nowMs() + psp.pending.after_ms };
    const made: Known = {
      asked,
      ...(isPending ? { answer: { status: "pending" }, final } : { answer }),
      ...(code === undefined ? {} : { entry: ledger.book(psp.id, key, asked, { code, chargedMinor }) }),
    };
    known.set(key, made);
    return made;
  };

  const waitLatency = (key: string, times = 1): Promise<void> => {
    const latencyMs = drawLatencyMs(psp.latency_ms, dice(key, "latency"), dice(key, "latency", "2")) * times;
    return latencyMs < 1 ? Promise.resolve() : sleep(latencyMs);
  };

  const authorise: Psp["authorise"] = async (key, asked) => {
    if (cancelled.has(key)) return { status: 409, body: { status: "cancelled" } };
    const before = known.get(key);
    if (before !== undefined && psp.idempotent) {
      if (JSON.stringify(before.asked) !== JSON.stringify(asked))
        return { status: 400, body: { status: "key_conflict" } };
      return { status: 200, body: readAnswer(before) };
    }
    const trouble = findTrouble(key);
    switch (trouble) {
      case "none":
      case "slow":
        await waitLatency(key, trouble === "slow" ? slowTimes : 1);
        // It may have been cancelled while it was under way.
        if (cancelled.has(key)) return { status: 409, body: { status: "cancelled" } };
        return { status: 200, body: readAnswer(process(key, asked)) };
      case "code_96":
        await waitLatency(key);
        return { status: 200, body: readAnswer(keep(key, asked, { status: "declined", code: "96" })) };
      case "unavailable":
        return { status: 503, body: { status: "unavailable", processed: false } };
      case "bad_gateway":
        if (dice(psp.id, key, "gateway") < 0.5) process(key, asked);
        return { status: 502, body: { status: "bad_gateway" } };
      case "timeout_charged":
        process(key, asked);
        return "silent";
      case "timeout_not_charged":
        return "silent";
      case "timeout_late":
        setTimeout(() => {
          if (!cancelled.has(key)) process(key, asked);
        }, psp.timeouts.late_after_ms).unref();
        return "silent";
    }
  };

  const readAnswer = ({ answer, final, entry }: Known): Answer | { readonly status: "voided" } => {
    if (entry !== undefined) entry.told = true;
    if (entry?.voided === true) return { status: "voided" };
    return final !== undefined && nowMs() >= final.atMs ? final.answer : answer;
  };

  const getStatus: Psp["getStatus"] = async (key) => {
    await waitLatency(`${key}-status`);
    const found = known.get(key);
    if (found !== undefined) return { status: 200, body: readAnswer(found) };
    if (cancelled.has(key)) return { status: 200, body: { status: "voided" } };
    return { status: 404, body: { status: "not_found" } };
  };

  const voidCharge: Psp["void"] = async (key) => {
    await waitLatency(`${key}-void`);
    const found = known.get(key);
    if (found === undefined) {
      if (!psp.cancels_unknown) return { status: 404, body: { status: "not_found" } };
      cancelled.add(key);
      return { status: 200, body: { status: "voided" } };
    }
    if (found.entry === undefined || found.entry.chargedMinor === 0)
      return { status: 409, body: { status: "not_approved" } };
    found.entry.voided = true;
    return { status: 200, body: { status: "voided" } };
  };

  const refund: Psp["refund"] = async (key, amountMinor) => {
    await waitLatency(`${key}-refund`);
    const entry = known.get(key)?.entry;
    if (entry === undefined || entry.voided) return { status: 404, body: { status: "not_found" } };
    const wanted = amountMinor ?? entry.chargedMinor - entry.refundedMinor;
    if (wanted <= 0 || entry.refundedMinor + wanted > entry.chargedMinor)
      return { status: 409, body: { status: "too_much" } };
    entry.refundedMinor += wanted;
    return { status: 200, body: { status: "refunded", amountMinor: wanted } };
  };

  const listSettled: Psp["listSettled"] = () => ({
    status: 200,
    body: ledger.entries
      .filter(({ psp: at, chargedMinor, voided }) => at === psp.id && chargedMinor > 0 && !voided)
      .map(({ key, payment, chargedMinor }) => ({ key, payment, approvedMinor: chargedMinor })),
  });

  return {
    id: psp.id,
    authorise,
    getStatus,
    void: voidCharge,
    refund,
    listSettled,
    findOutage,
    setOutage({ kind, share, seconds }) {
      const from = (nowMs() - startMs) / 1000;
      byHand = { kind, share, from_s: from, to_s: from + seconds };
    },
    endOutage() {
      byHand = undefined;
    },
  };
}

function chooseTrouble(draw: number): Trouble {
  let left = draw;
  for (const [trouble, weight] of brownOut) {
    left -= weight;
    if (left < 0) return trouble;
  }
  return "slow";
}
