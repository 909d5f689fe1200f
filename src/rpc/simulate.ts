import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FieldFault } from "../core/field-fault.ts";
import type { ActiveRules, Decided, Refused } from "../decide/decided.ts";
import type { DecideRequest, DecideResponse } from "../gen/switchyard/v1/decision_pb.js";
import type { SimulatedSchema } from "../gen/switchyard/v1/rule_set_service_pb.js";
import type { Merchants } from "../manage/merchants.ts";
import type { Door } from "../wire/transport.ts";
import { decodePayment } from "./codec/decode-payment.ts";
import { encodeDecision } from "./codec/encode-decision.ts";
import { refusal } from "./decision-service.ts";
import { invalidFields } from "./errors.ts";

/** Payments decided before the loop is let go, so that a simulation never holds up traffic for long. */
const sliceSize = 16;

/** Decides a payment on current state by the active rule set and by a draft, storing nothing. */
export type DecideBoth = (
  draft: ActiveRules,
  payment: Decided["payment"],
) => { readonly active: Decided | Refused | undefined; readonly draft: Decided | Refused };

export type Simulate = (input: {
  readonly merchantId: string;
  readonly draft: ActiveRules;
  readonly payments: readonly DecideRequest[];
  readonly door: Door;
}) => Promise<readonly MessageInitShape<typeof SimulatedSchema>[]>;

/**
 * Decides payments by a draft beside the active rule set.
 *
 * Fails: InvalidArgument naming the payment, such as `payments[3].kind`; a payment that the active rule set does not understand, but the
 * draft does, has no active answer.
 */
export function makeSimulate(merchants: Merchants, decideBoth: DecideBoth): Simulate {
  return async ({ merchantId, draft, payments, door }) => {
    const results: MessageInitShape<typeof SimulatedSchema>[] = [];
    for (const [at, request] of payments.entries()) {
      if (at > 0 && at % sliceSize === 0) await new Promise(setImmediate);
      // The call's merchant decides, whatever the payment says.
      const decoded = decodePayment({ ...request, merchantId }, merchants.get(merchantId)!.panExemptFields);
      if (!decoded.ok) throw invalidFields(prefix(at, decoded.faults));
      const both = decideBoth(draft, decoded.payment);
      if (!both.draft.ok) {
        throw both.draft.kind === "invalid"
          ? invalidFields(prefix(at, both.draft.faults))
          : refusal(both.draft);
      }
      const after = encodeDecision(both.draft, request.requestId, door);
      const before = both.active?.ok ? encodeDecision(both.active, request.requestId, door) : undefined;
      results.push({
        draft: after,
        ...(before === undefined ? {} : { active: before }),
        changed: before === undefined ? [] : findChanges(before, after),
      });
    }
    return results;
  };
}

/** What is different between two answers, in the order in which people ask. */
function findChanges(before: DecideResponse, after: DecideResponse): string[] {
  const parts: Readonly<Record<string, (response: DecideResponse) => unknown>> = {
    verdict: ({ verdict }) => verdict,
    reasons: ({ reasons }) => reasons.map(({ code, sourceId }) => [code, sourceId]),
    psps: ({ plan }) => plan?.steps.map(({ psp, mid, kind }) => [psp, mid, kind]),
    three_ds: ({ plan }) =>
      plan?.steps.map(({ threeDs }) => [
        threeDs?.requirement,
        threeDs?.challengeIndicator,
        threeDs?.exemption,
        threeDs?.useProof,
      ]),
    segments: ({ segments }) => segments,
    experience: ({ experience }) => experience,
    actions: ({ actions }) => actions.map(({ kind, key }) => [kind, key]),
  };
  return Object.entries(parts)
    .filter(([, read]) => toText(read(before)) !== toText(read(after)))
    .map(([name]) => name);
}

function toText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each)) ?? "";
}

function prefix(at: number, faults: readonly FieldFault[]): FieldFault[] {
  return faults.map((fault) => ({ ...fault, field: `payments[${at}].${fault.field}` }));
}
