import { createHash } from "node:crypto";
import { openRuleCompiler } from "../../src/adapters/compiler/rule-compiler.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { BinTable } from "../../src/core/bin/bin-table.ts";
import type { Payment } from "../../src/core/payment.ts";
import type { Player } from "../../src/core/player.ts";
import { buildOverrideSet } from "../../src/core/rules/override-set.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import type { Decided, Decider } from "../../src/decide/decided.ts";
import { createDecider } from "../../src/decide/decider.ts";
import type { ActiveRules } from "../../src/decide/judge.ts";
import { createKeeper } from "../../src/decide/keeper.ts";
import type { CompileInput } from "../../src/ports/rule-compiler.ts";
import { createPaymentStore, createPlayerStore } from "./memory-stores.ts";

/** Answers that the store of a bench keeps, and payments that a turn of replays repeats: half of it surely stay. */
const recordsMax = 256;
export const replaysMax = recordsMax / 2 - 1;

/** Compiles a document in the worker, as a push does. Throws where it is refused. */
export async function compileForBench(
  document: Uint8Array,
  format: CompileInput["format"],
): Promise<RuleSnapshot> {
  const compiler = openRuleCompiler();
  const nowMs = systemClock.nowMs();
  const result = await compiler.compile({ merchantId: "bench", document, format, version: 1, nowMs });
  await compiler.close();
  if (result.ok) return result.snapshot;
  const errors = result.compilation.faults.filter(({ severity }) => severity === "ERROR");
  throw new Error(`the document is refused: ${JSON.stringify(errors.slice(0, 3))}`);
}

/** A rule set as decisions read it, without overrides. */
export function activate(snapshot: RuleSnapshot): ActiveRules {
  return { snapshot, overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }) };
}

/** A decider of one merchant with its stores in memory. */
export function createBenchDecider(input: {
  readonly merchantId: string;
  readonly rules: () => ActiveRules;
  readonly players: readonly Player[];
  readonly bins: BinTable;
}): Decider {
  const payments = createPaymentStore(recordsMax);
  return createDecider({
    merchants: new Map([[input.merchantId, { clock: "server" }]]),
    rules: { current: input.rules },
    players: createPlayerStore(input.players),
    payments,
    histories: noHistories,
    limits: noLimits,
    recordFacts: noFacts,
    keeper: createKeeper({ payments, limits: noLimits, recordFacts: noFacts }),
    coveredFromMs: () => undefined,
    remember: () => undefined,
    pspStates: () => noStates,
    bins: input.bins,
    clock: systemClock,
  });
}

const noStates = new Map();
const written = Promise.resolve();
/** This bench is about rules: nothing ever happened to its players. */
const noHistories = { get: () => undefined, newestMs: () => undefined };
const noLimits = {
  get: () => undefined,
  holdsOf: () => [],
  attemptsOf: () => [],
  hold: () => written,
  release: () => written,
};
const noFacts = (): { readonly placed: readonly []; readonly durable: Promise<void> } => ({
  placed: [],
  durable: written,
});

/** Decides; throws where the call is refused, because then the bench is wrong. */
export function decideOrThrow(decider: Decider, payment: Payment): Decided {
  const answer = decider.decide(payment, "gateway");
  if (answer.ok) return answer;
  throw new Error(`${payment.paymentId} is refused: ${JSON.stringify(answer)}`);
}

/** The payment with its new texts as a decoder makes them: in one piece, where a template leaves parts to be joined by the first reader. */
export function flatten(payment: Payment): Payment {
  const whole = (text: string): string => Buffer.from(text, "latin1").toString("latin1");
  const { requestId, paymentId, playerId } = payment;
  return {
    ...payment,
    requestId: whole(requestId),
    paymentId: whole(paymentId),
    playerId: whole(playerId),
  };
}

/** What a hash of answers is made of: all that a gateway would act on. */
export function hashAnswers(answers: Iterable<Decided>): string {
  const hash = createHash("sha256");
  for (const { decision, payment } of answers) {
    const { verdict, reasons, plan, matchedRules, matchedRulesOmitted, segments, experience } = decision;
    const line = [
      payment.paymentId,
      verdict,
      reasons.map(({ code, sourceId }) => `${code} ${sourceId}`),
      plan?.steps.map(({ psp, kind }) => `${kind} ${psp}`),
      matchedRules.map(({ id, won }) => `${id} ${won.join()}`),
      matchedRulesOmitted,
      segments.map(({ id }) => id),
      experience?.methods?.map(({ method }) => method),
    ];
    hash.update(`${JSON.stringify(line)}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
