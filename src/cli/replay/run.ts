import type { ConnectError } from "@connectrpc/connect";
import { ReportOutcomeRequest_Result } from "../../gen/switchyard/v1/decision_pb.js";
import type { DecideResult, GatewayClient } from "../gateway-client.ts";
import type { ReplayPayment } from "./map-row.ts";
import { Tally } from "./tally.ts";

/** So many failures in a row, with no answer between them, end a replay: nobody is served by 400,000 errors of one kind. */
const failuresInRowMax = 1_000;
/** How far ahead of a player whose earlier payment is still in flight others may go, in multiples of what may be in flight. */
const lookAheadFactor = 16;

export type ReplayOptions = {
  /** Calls that may be in flight at a time. */
  readonly inFlightMax: number;
  /** Payments a second, sent when they are due whatever became of earlier ones (open loop); undefined: as fast as answers come. */
  readonly perSecond: number | undefined;
  readonly interrupted: AbortSignal;
  /** A clock in ms that only goes forward. */
  readonly nowMs: () => number;
  readonly onProgress: (done: number) => void;
};

export type ReplayRun = {
  readonly tally: Tally;
  readonly elapsedMs: number;
  /** Payments that were sent and answered. */
  readonly sent: number;
  readonly ended: "all sent" | "interrupted" | "only errors";
};

/** Decides a payment and, where the export says what became of it, reports that. */
type Send = (payment: ReplayPayment, done: (result: ReplayResult) => void) => void;

/** What became of one payment; `reportError` where its outcome could not be reported. */
export type ReplayResult = DecideResult & {
  readonly reported?: boolean;
  readonly reportError?: ConnectError;
};

/** Makes the sender over a gateway client: the outcome goes to the first step of the plan, at the payment's own time. */
export function makeSender(gateway: Pick<GatewayClient, "decide" | "report">): Send {
  return (payment, done) => {
    gateway.decide(payment.request, (result) => {
      const step = result.ok ? result.response.plan?.steps[0] : undefined;
      if (!result.ok || step === undefined || payment.outcome === undefined) return done(result);
      const report: Parameters<GatewayClient["report"]>[0] = {
        merchantId: payment.request.merchantId ?? "",
        paymentId: payment.request.paymentId ?? "",
        attemptId: step.attemptId,
        psp: step.psp,
        result: ReportOutcomeRequest_Result[payment.outcome],
        ...payment.answer,
        ...(payment.request.decideAt === undefined
          ? {}
          : { at: payment.request.decideAt, reportAt: payment.request.decideAt }),
      };
      gateway.report(report, (reported) =>
        done(reported.ok ? { ...result, reported: true } : { ...result, reportError: reported.error }),
      );
    });
  };
}

/**
 * Sends payments in their order, several at a time, but a player's one after the other: each is sent when the player's earlier one has
 * been answered.
 *
 * With a rate, latency counts from the instant at which a payment was due, so that waiting for a slow service is not hidden.
 */
export function replayPayments(
  payments: readonly ReplayPayment[],
  send: Send,
  options: ReplayOptions,
): Promise<ReplayRun> {
  return new Promise((resolve) => new Replayer(payments, send, options, resolve).start());
}

class Replayer {
  readonly #payments: readonly ReplayPayment[];
  readonly #send: Send;
  readonly #options: ReplayOptions;
  readonly #end: (run: ReplayRun) => void;
  readonly #tally: Tally;
  /** Players with a payment in flight, with the indices of those that wait behind it. */
  readonly #busy = new Map<string, number[]>();
  readonly #waitingMax: number;
  #startedMs = 0;
  #next = 0;
  #inFlight = 0;
  #waiting = 0;
  #done = 0;
  #failuresInRow = 0;
  #ended: ReplayRun["ended"] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pumping = false;

  constructor(
    payments: readonly ReplayPayment[],
    send: Send,
    options: ReplayOptions,
    end: (run: ReplayRun) => void,
  ) {
    this.#payments = payments;
    this.#send = send;
    this.#options = options;
    this.#end = end;
    this.#tally = new Tally(payments.length);
    this.#waitingMax = options.inFlightMax * lookAheadFactor;
  }

  start(): void {
    const { interrupted, nowMs } = this.#options;
    this.#startedMs = nowMs();
    interrupted.addEventListener("abort", () => this.#stop("interrupted"), { once: true });
    if (interrupted.aborted) this.#stop("interrupted");
    else this.#pump();
  }

  /** Sends whatever may be sent now; ends when nothing is left. */
  #pump(): void {
    // An answer that comes while a payment is being sent is picked up by the loop that sends it.
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#ended === undefined && this.#canTakeNext()) this.#take(this.#next++);
    this.#pumping = false;
    if (this.#ended === undefined && this.#next === this.#payments.length && this.#waiting === 0) {
      this.#ended = "all sent";
    }
    if (this.#ended !== undefined && this.#inFlight === 0) this.#finish(this.#ended);
    else this.#wakeWhenDue();
  }

  #canTakeNext(): boolean {
    return (
      this.#next < this.#payments.length &&
      this.#inFlight < this.#options.inFlightMax &&
      this.#waiting < this.#waitingMax &&
      this.#dueMs(this.#next) <= this.#options.nowMs()
    );
  }

  #take(index: number): void {
    const { playerId } = this.#payments[index]!;
    const waiting = this.#busy.get(playerId);
    if (waiting !== undefined) {
      waiting.push(index);
      this.#waiting++;
      return;
    }
    this.#busy.set(playerId, []);
    this.#sendNow(index);
  }

  #sendNow(index: number): void {
    const payment = this.#payments[index]!;
    const { playerId } = payment;
    const { nowMs, perSecond } = this.#options;
    const fromMs = perSecond === undefined ? nowMs() : this.#dueMs(index);
    this.#inFlight++;
    this.#send(payment, (result) => {
      this.#inFlight--;
      this.#record(result, nowMs() - fromMs);
      this.#freePlayer(playerId);
      this.#pump();
    });
  }

  #freePlayer(playerId: string): void {
    const next = this.#ended === undefined ? this.#busy.get(playerId)?.shift() : undefined;
    if (next === undefined) {
      this.#busy.delete(playerId);
      return;
    }
    this.#waiting--;
    this.#sendNow(next);
  }

  #record(result: ReplayResult, latencyMs: number): void {
    this.#options.onProgress(++this.#done);
    if (result.ok) {
      this.#tally.add(result.response, latencyMs);
      if (result.reported === true) this.#tally.reported++;
      if (result.reportError !== undefined) this.#tally.failReport(result.reportError);
      this.#failuresInRow = 0;
    } else {
      this.#tally.fail(result.error, latencyMs);
      if (++this.#failuresInRow >= failuresInRowMax) this.#stop("only errors");
    }
  }

  #dueMs(index: number): number {
    const { perSecond } = this.#options;
    return perSecond === undefined ? 0 : this.#startedMs + (index * 1000) / perSecond;
  }

  #wakeWhenDue(): void {
    if (this.#options.perSecond === undefined || this.#timer !== undefined) return;
    if (this.#ended !== undefined || this.#next === this.#payments.length) return;
    const waitMs = this.#dueMs(this.#next) - this.#options.nowMs();
    // What is due already waits for an answer, not for the clock.
    if (waitMs <= 0 && this.#inFlight > 0) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#pump();
      },
      Math.max(1, waitMs),
    );
  }

  #stop(why: "interrupted" | "only errors"): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    clearTimeout(this.#timer);
    if (!this.#pumping && this.#inFlight === 0) this.#finish(why);
  }

  #finish(ended: ReplayRun["ended"]): void {
    clearTimeout(this.#timer);
    const elapsedMs = this.#options.nowMs() - this.#startedMs;
    this.#end({ tally: this.#tally, elapsedMs, sent: this.#done, ended });
  }
}
