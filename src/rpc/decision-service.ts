import { create } from "@bufbuild/protobuf";
import { codeTable, codeTableVersion } from "../core/retry/code-table.ts";
import type { Decider, Refused } from "../decide/decided.ts";
import {
  type DecideRequest,
  type DecideResponse,
  DecisionConflict_Kind,
  DecisionService,
  GetCodeTableResponseSchema,
} from "../gen/switchyard/v1/decision_pb.js";
import { Outcome_Class } from "../gen/switchyard/v1/payment_pb.js";
import type { Merchants } from "../manage/merchants.ts";
import type { Metrics } from "../platform/metrics.ts";
import { type CallInfo, implementService, type ServiceImplementation } from "../wire/transport.ts";
import { decodePayment } from "./codec/decode-payment.ts";
import { encodeDecision } from "./codec/encode-decision.ts";
import { decisionConflict, invalidFields, missing } from "./errors.ts";
import { resolveMerchant } from "./request-fields.ts";

export type DecisionServiceDeps = {
  readonly merchants: Merchants;
  readonly decider: Decider;
  readonly metrics: Metrics;
};

/** Decides payments; hosted on both doors. */
export function makeDecisionService(deps: DecisionServiceDeps): ServiceImplementation {
  return implementService(DecisionService, {
    decide: (request, call) => decide(deps, request, call),

    getCodeTable(request) {
      resolveMerchant(deps.merchants, request.merchantId);
      return create(GetCodeTableResponseSchema, {
        version: codeTableVersion,
        entries: codeTable.map(({ scheme, code, outcomeClass, meaning, scaZoneOnly }) => ({
          scheme: scheme ?? "",
          code,
          outcome: Outcome_Class[outcomeClass],
          meaning,
          scaZoneOnly: scaZoneOnly ?? false,
        })),
      });
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
