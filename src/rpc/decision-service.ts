import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CodeTable } from "../core/retry/code-table.ts";
import type { Decider, Refused, Reported, Reporter } from "../decide/decided.ts";
import {
  type DecideRequest,
  type DecideResponse,
  DecisionConflict_Kind,
  DecisionService,
  type ReportOutcomeRequest,
  type ReportOutcomeResponse,
  type ReportOutcomesResponse,
  type ReportOutcomesResponse_RefusalSchema,
  ReportOutcomesResponseSchema,
} from "../gen/switchyard/v1/decision_pb.js";
import { FieldFaultSchema } from "../gen/switchyard/v1/fault_pb.js";
import type { Merchants } from "../manage/merchants.ts";
import type { Metrics } from "../platform/metrics.ts";
import { type CallInfo, implementService, type ServiceImplementation } from "../wire/transport.ts";
import { decodeOutcomeReport } from "./codec/decode-outcome.ts";
import { decodePayment } from "./codec/decode-payment.ts";
import { encodeCodeTable } from "./codec/encode-code-table.ts";
import { encodeDecision } from "./codec/encode-decision.ts";
import { encodeReported } from "./codec/encode-reported.ts";
import { decisionConflict, invalidFields, missing } from "./errors.ts";
import { resolveMerchant } from "./request-fields.ts";

export type DecisionServiceDeps = {
  readonly merchants: Merchants;
  readonly decider: Decider;
  readonly reporter: Reporter;
  /** What answers mean by the active rule set of a merchant; the table of the house where none is active. */
  readonly codeTable: (merchantId: string) => CodeTable;
  readonly metrics: Metrics;
};

/** Decides payments; hosted on both doors. */
export function makeDecisionService(deps: DecisionServiceDeps): ServiceImplementation {
  return implementService(DecisionService, {
    decide: (request, call) => decide(deps, request, call),
    reportOutcome: (request, call) => reportOutcome(deps, request, call),
    reportOutcomes: (requests, call) => reportOutcomes(deps, requests, call),

    getCodeTable(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      return encodeCodeTable(deps.codeTable(merchantId));
    },
  });
}

async function decide(
  { merchants, decider, metrics }: DecisionServiceDeps,
  request: DecideRequest,
  call: CallInfo,
): Promise<DecideResponse> {
  const startedMs = performance.now();
  const merchantId = resolveMerchant(merchants, request.merchantId);
  const decoded = decodePayment(request, merchants.get(merchantId)!.panExemptFields);
  if (!decoded.ok) throw invalidFields(decoded.faults);
  const result = decider.decide(decoded.payment, call.door);
  if (!result.ok) throw refusal(result);
  // No answer leaves before the store has it.
  await result.durable;
  const response = encodeDecision(result, request.requestId, call.door);
  metrics.observeDecide(call.door, (performance.now() - startedMs) / 1_000);
  metrics.countDecision({
    merchant: merchantId,
    verdict: result.decision.verdict,
    mode: decoded.payment.mode,
    replayed: result.replayed,
  });
  return response;
}

async function reportOutcome(
  deps: DecisionServiceDeps,
  request: ReportOutcomeRequest,
  call: CallInfo,
): Promise<ReportOutcomeResponse> {
  const reported = takeReport(deps, request);
  if (!reported.ok) throw refusal(reported);
  await reported.durable;
  return encodeReported(reported, call.door);
}

/** Throws where the report is wrong in itself. */
function takeReport(deps: DecisionServiceDeps, request: ReportOutcomeRequest): Reported | Refused {
  const merchantId = resolveMerchant(deps.merchants, request.merchantId);
  const decoded = decodeOutcomeReport(request);
  if (!decoded.ok) throw invalidFields(decoded.faults);
  const reported = deps.reporter.report(decoded.report);
  deps.metrics.countOutcome({
    merchant: merchantId,
    result: decoded.report.result,
    verdict: reported.ok ? reported.verdict : "REFUSED",
  });
  if (reported.ok)
    for (const { code } of reported.alerts) deps.metrics.countAlert({ merchant: merchantId, code });
  return reported;
}

const namedRefusalsMax = 100;
const refusalFaultsMax = 16;
/** Reports whose writes are waited for together. */
const openReportsMax = 256;

async function reportOutcomes(
  deps: DecisionServiceDeps,
  requests: AsyncIterable<ReportOutcomeRequest>,
  _call: CallInfo,
): Promise<ReportOutcomesResponse> {
  const counts = { APPLIED: 0n, KNOWN: 0n, UNKNOWN_PAYMENT: 0n };
  const refused: MessageInitShape<typeof ReportOutcomesResponse_RefusalSchema>[] = [];
  let refusedCount = 0n;
  let index = 0n;
  let open: Promise<void>[] = [];
  for await (const request of requests) {
    const faults = tryReport(() => {
      const reported = takeReport(deps, request);
      if (!reported.ok) throw refusal(reported);
      counts[reported.verdict]++;
      if (reported.durable !== undefined) {
        // It may fail while the next report is waited for; the failure is met below, and must not end the process before.
        reported.durable.catch(() => {});
        open.push(reported.durable);
      }
    });
    if (faults !== undefined) {
      refusedCount++;
      if (refused.length < namedRefusalsMax)
        refused.push({ index, paymentId: request.paymentId, faults: faults.slice(0, refusalFaultsMax) });
    }
    index++;
    if (open.length >= openReportsMax) {
      await Promise.all(open);
      open = [];
    }
  }
  await Promise.all(open);
  return create(ReportOutcomesResponseSchema, {
    applied: counts.APPLIED,
    known: counts.KNOWN,
    unknownPayments: counts.UNKNOWN_PAYMENT,
    refused,
    refusedCount,
  });
}

/** What is wrong with one report; undefined where it was taken. What is no fault of the report is thrown on. */
function tryReport(take: () => void): readonly MessageInitShape<typeof FieldFaultSchema>[] | undefined {
  try {
    take();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code === Code.Unavailable) throw error;
    const faults = error.findDetails(FieldFaultSchema);
    if (faults.length > 0) return faults;
    return [{ field: "merchant_id", rule: "refused", message: error.rawMessage }];
  }
}

/** The error of a call that could not be answered. */
export function refusal(refused: Refused): Error {
  switch (refused.kind) {
    case "unknown_merchant":
      return missing("merchant", refused.merchantId);
    case "invalid":
      return invalidFields(refused.faults);
    case "no_active_rule_set":
      return decisionConflict("the merchant has no active rule set", {
        kind: DecisionConflict_Kind.NO_ACTIVE_RULE_SET,
      });
    case "idempotency_conflict":
      return decisionConflict(
        `payment ${refused.paymentId} was decided under revision ${refused.currentRevision} with another ${refused.fields.join(", ")}`,
        {
          kind: DecisionConflict_Kind.IDEMPOTENCY_CONFLICT,
          paymentId: refused.paymentId,
          fields: [...refused.fields],
          currentRevision: refused.currentRevision,
        },
      );
    case "stale_revision":
      return decisionConflict(`payment ${refused.paymentId} stands at revision ${refused.currentRevision}`, {
        kind: DecisionConflict_Kind.STALE_REVISION,
        paymentId: refused.paymentId,
        currentRevision: refused.currentRevision,
      });
    case "payment_closed":
      return decisionConflict(`payment ${refused.paymentId} is closed: ${refused.finalState}`, {
        kind: DecisionConflict_Kind.PAYMENT_CLOSED,
        paymentId: refused.paymentId,
        finalState: refused.finalState,
        currentRevision: refused.currentRevision,
      });
  }
}
