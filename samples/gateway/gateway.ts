/**
 * The loop of a gateway: ask what to do with a payment, do what `next` says, tell what came of it, do what `next` says now.
 *
 * It never thinks for itself about where to go, and is strict about three things only: an attempt is written down before it is sent, every outcome
 * is told, and of what nobody knows the PSP is asked until somebody does.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Edge_Action as Action,
  type DecideResponse,
  type Edge,
  type Plan,
  ThreeDs_Requirement as Requirement,
  ReportOutcomeRequest_Result as Result,
  type Step,
  DecideResponse_Verdict as Verdict,
} from "../../src/gen/switchyard/v1/decision_pb.js";
import { Outcome_Class as Class } from "../../src/gen/switchyard/v1/payment_pb.js";
import type { BookedAttempt, Books } from "./books.ts";
import type { Deposit } from "./players.ts";
import type { PspAnswer, PspClient } from "./psp-client.ts";
import { isOpen, makeReport } from "./report.ts";
import type { Switchyard } from "./switchyard.ts";

/** How a payment ended for the player. */
export type Ending =
  | { readonly kind: "approved"; readonly partly: boolean }
  | { readonly kind: "denied"; readonly reason: string }
  /** No way led on, or the player did not want to go on. */
  | { readonly kind: "declined"; readonly by: string }
  /** Nobody knows, however often the PSP was asked: for people to look at. */
  | { readonly kind: "unresolved" };

/** What the table at the end is made of. */
export type Witness = {
  readonly sent: (attempt: BookedAttempt, step: Step) => void;
  /** `outcome` is what Switchyard made of it. */
  readonly answered: (
    attempt: BookedAttempt,
    answer: PspAnswer,
    outcome: Class,
    latencyMs: number | undefined,
  ) => void;
  readonly asked: (attempt: BookedAttempt, answer: PspAnswer) => void;
  readonly voided: (attempt: BookedAttempt) => void;
};

export type GatewayDeps = {
  readonly switchyard: Switchyard;
  readonly psps: ReadonlyMap<string, PspClient>;
  readonly books: Books;
  readonly witness: Witness;
  readonly settings: GatewaySettings;
};

export type GatewaySettings = {
  /** First gap between questions for the status; it doubles up to `statusGapMaxMs`, each with jitter. */
  readonly statusGapMs: number;
  readonly statusGapMaxMs: number;
  /** Questions after which people have to look. */
  readonly statusTriesMax: number;
  /** How long a player waits for a payment to go on. */
  readonly patienceMs: number;
};

/** More than any plan takes: whoever goes in circles wants looking at. */
const turnsMax = 32;
/** Most times that a player changes data, amount or method. */
const revisionsMax = 3;
/** So often the PSP must say that it does not know the key before it is voided, or, where it can't be, taken as never processed. */
const notFoundBeforeVoid = 2;
const notFoundFinal = 5;

/** Takes a payment to its end. */
export async function executeDeposit(first: Deposit, deps: GatewayDeps): Promise<Ending> {
  let deposit = first;
  for (;;) {
    const decision = await deps.switchyard.decide(deposit.request);
    const course: Course = { plan: decision.plan };
    const end = await followDecision(deposit, decision, course, deps);
    if (end.kind === "declined") await tellAbandoned(deposit, course, deps);
    if (end.kind !== "revise") return end;
    const revised = deposit.request.revision < revisionsMax ? deposit.revise(end.edge) : undefined;
    if (revised === undefined) {
      await tellAbandoned(deposit, course, deps);
      return { kind: "declined", by: Action[end.edge.action] };
    }
    deposit = revised;
  }
}

type Followed = Ending | { readonly kind: "revise"; readonly edge: Edge };

/** The plan as it stands by the last answer: each may show other steps than the one before. */
type Course = { plan: Plan | undefined };

async function followDecision(
  deposit: Deposit,
  decision: DecideResponse,
  course: Course,
  deps: GatewayDeps,
): Promise<Followed> {
  // A refusal may still leave earlier attempts to settle: then there is a plan without steps.
  for (let turn = 0; ; turn++) {
    const { plan } = course;
    const next = plan?.next;
    if (plan === undefined || next === undefined) return denied(decision);
    if (turn === turnsMax) return { kind: "unresolved" };
    switch (next.action) {
      case Action.STEP:
        course.plan = await sendStep(deposit, findStep(plan, next.step), deps);
        break;
      case Action.WAIT_UNTIL: {
        const step = findStep(plan, next.step);
        if (await waitUntil(next, deps.settings)) {
          course.plan = await sendStep(deposit, step, deps);
          break;
        }
        return { kind: "declined", by: "WAIT_UNTIL" };
      }
      case Action.STATUS_CHECK: {
        const resolved = await resolveOpen(deposit, plan, deps);
        if (resolved === "unresolved") return { kind: "unresolved" };
        course.plan = resolved;
        break;
      }
      case Action.VOID_FIRST:
        course.plan = await voidSurplus(deposit.request.paymentId, deps);
        break;
      case Action.DONE:
        return { kind: "approved", partly: plan.attempts.some(({ outcome }) => outcome === Class.PARTIAL) };
      case Action.ASK_AGAIN:
        if (!(await waitUntil(next, deps.settings))) return { kind: "declined", by: "ASK_AGAIN" };
        return { kind: "revise", edge: next };
      case Action.CHANGE_DATA:
      case Action.LOWER_AMOUNT:
      case Action.OTHER_METHOD:
        return decision.verdict === Verdict.APPROVE_ROUTE ? { kind: "revise", edge: next } : denied(decision);
      default:
        return { kind: "declined", by: Action[next.action] };
    }
  }
}

function denied({ verdict, reasons }: DecideResponse): Ending {
  return { kind: "denied", reason: reasons[0]?.code ?? Verdict[verdict] };
}

function findStep(plan: Plan, number: number): Step {
  const step = plan.steps.find((each) => each.number === number);
  if (step === undefined) throw new Error(`the plan has no step ${number}`);
  return step;
}

/** Sends one step to its PSP and tells the outcome. Gives the plan as it now stands. */
async function sendStep(deposit: Deposit, step: Step, deps: GatewayDeps): Promise<Plan | undefined> {
  const { request } = deposit;
  const attempt = deps.books.open({
    payment: request.paymentId,
    attemptId: step.attemptId,
    psp: step.psp,
    key: step.idempotencyKey,
    revision: request.revision,
    amountMinor: Number(request.amount.minorUnits),
    currency: request.amount.currencyCode,
  });
  deps.witness.sent(attempt, step);
  const startMs = performance.now();
  const body = {
    ...deposit.authorisation,
    mid: step.mid,
    threeDs: {
      run: step.threeDs?.requirement === Requirement.THREE_DS,
      challengeIndicator: step.threeDs?.challengeIndicator ?? "",
      exemption: step.threeDs?.exemption ?? "",
    },
  };
  const timeoutMs = step.timeout === undefined ? undefined : durationMs(step.timeout);
  const answer = await findPsp(deps, step.psp).authorise(attempt.key, body, timeoutMs);
  return tell(attempt, answer, performance.now() - startMs, deps);
}

/** The player goes no further: what is held for the steps that were not sent is free again. */
async function tellAbandoned({ request }: Deposit, { plan }: Course, deps: GatewayDeps): Promise<void> {
  const { paymentId } = request;
  const sent = new Set(deps.books.ofPayment(paymentId).map(({ attemptId }) => attemptId));
  const last = plan?.steps.findLastIndex(({ attemptId }) => sent.has(attemptId)) ?? -1;
  const step = plan?.steps[last + 1];
  if (step === undefined) return;
  const { attemptId, psp } = step;
  await deps.switchyard.report({ paymentId, attemptId, psp, result: Result.ABANDONED });
}

function findPsp({ psps }: GatewayDeps, psp: string): PspClient {
  const client = psps.get(psp);
  if (client === undefined) throw new Error(`no address for the PSP ${psp}`);
  return client;
}

/** Tells of a charge that came to light afterwards. */
export function tellLate(
  attempt: BookedAttempt,
  approvedMinor: number,
  deps: GatewayDeps,
): Promise<Plan | undefined> {
  return tell(attempt, { kind: "approved", approvedMinor }, undefined, deps);
}

async function tell(
  attempt: BookedAttempt,
  answer: PspAnswer,
  latencyMs: number | undefined,
  { switchyard, witness }: GatewayDeps,
): Promise<Plan | undefined> {
  const report = makeReport(attempt, answer, latencyMs);
  attempt.state = findState(answer);
  const { plan, outcome } = await switchyard.report(report);
  witness.answered(attempt, answer, outcome, latencyMs);
  return plan;
}

function findState(answer: PspAnswer): BookedAttempt["state"] {
  if (answer.kind === "refused") return "unknown";
  if (answer.kind === "not_found" || answer.kind === "three_ds_failed") return "declined";
  if (answer.kind !== "failed") return answer.kind;
  return isOpen(answer) ? "unknown" : "declined";
}

/**
 * Asks for what nobody knows, at growing gaps, until it is known: more often than `not_before` proposes, for the player waits.
 *
 * A PSP that does not know the key may still get it, so it is told to void it: then it can't be charged any more. One that can't do that has to
 * deny it several times; should it charge after all, its settlement file tells (`reconcile.ts`).
 */
async function resolveOpen(
  { request }: Deposit,
  plan: Plan,
  deps: GatewayDeps,
): Promise<Plan | undefined | "unresolved"> {
  const { settings, books, witness } = deps;
  const open = plan.attempts.filter(
    ({ outcome, voided }) => !voided && (outcome === Class.UNKNOWN || outcome === Class.PENDING),
  );
  const attempt = books
    .ofPayment(request.paymentId)
    .find(({ attemptId }) => open.some((each) => each.attemptId === attemptId));
  if (attempt === undefined) return "unresolved";
  const psp = findPsp(deps, attempt.psp);
  let notFound = 0;
  for (let asked = 0; asked < settings.statusTriesMax; asked++) {
    await sleep(jitter(Math.min(settings.statusGapMs * 2 ** asked, settings.statusGapMaxMs)));
    let answer = await psp.getStatus(attempt.key);
    witness.asked(attempt, answer);
    if (answer.kind === "not_found" && ++notFound >= notFoundBeforeVoid) {
      const voided = await psp.void(attempt.key);
      if (voided.kind === "voided") answer = voided;
    }
    const isFinal = answer.kind !== "not_found" || notFound >= notFoundFinal;
    if (isFinal && answer.kind !== "failed" && !isOpen(answer)) return tell(attempt, answer, undefined, deps);
  }
  return "unresolved";
}

function jitter(ms: number): number {
  return ms * (0.5 + Math.random());
}

/** Voids every approval but the first that was heard of, and tells it. Gives the plan as it now stands. */
export async function voidSurplus(payment: string, deps: GatewayDeps): Promise<Plan | undefined> {
  const approved = deps.books.ofPayment(payment).filter(({ state }) => state === "approved");
  if (approved.length < 2) throw new Error(`${payment} has no approval to void`);
  let plan: Plan | undefined;
  for (const attempt of approved.slice(1)) plan = await voidAttempt(attempt, deps);
  return plan;
}

/** Asks until the void is acknowledged, then tells it. */
export async function voidAttempt(attempt: BookedAttempt, deps: GatewayDeps): Promise<Plan | undefined> {
  const { settings, witness } = deps;
  for (let asked = 0; asked < settings.statusTriesMax; asked++) {
    const answer = await findPsp(deps, attempt.psp).void(attempt.key);
    if (answer.kind === "voided") {
      witness.voided(attempt);
      return tell(attempt, answer, undefined, deps);
    }
    await sleep(jitter(Math.min(settings.statusGapMs * 2 ** asked, settings.statusGapMaxMs)));
  }
  throw new Error(`${attempt.psp} does not void ${attempt.key}: somebody has to`);
}

/** Waits for the instant of the edge; false where the player would not wait so long. */
async function waitUntil({ notBefore }: Edge, { patienceMs }: GatewaySettings): Promise<boolean> {
  if (notBefore === undefined) return true;
  const waitMs = timestampMs(notBefore) - Date.now();
  if (waitMs > patienceMs) return false;
  if (waitMs > 0) await sleep(waitMs + 1);
  return true;
}
