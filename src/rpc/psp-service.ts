import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { findNextMaintenance } from "../core/routing/health.ts";
import type { BreakerStatus, Breakers } from "../decide/breakers.ts";
import {
  BreakerStatus_State,
  type BreakerStatusSchema,
  ListPspsRequestSchema,
  ListPspsResponseSchema,
  PspService,
  PspStatus_State,
  PspStatus_StateSchema,
  type PspStatusSchema,
  SetPspStateRequestSchema,
  SetPspStateResponseSchema,
} from "../gen/switchyard/v1/psp_pb.js";
import type { Merchants } from "../manage/merchants.ts";
import type { PspStateKind, PspStates, PspStatus } from "../manage/psp-states.ts";
import { implementService, type ServiceImplementation } from "../wire/transport.ts";
import { encodeInstant } from "./codec/time.ts";
import { checkRequest, resolveMerchant, unwrap } from "./request-fields.ts";

const reasonMax = 1_024;

export type PspServiceDeps = {
  readonly merchants: Merchants;
  readonly pspStates: PspStates;
  readonly breakers: Pick<Breakers, "list">;
  readonly survey: { readonly nowOf: (merchantId: string) => number };
};

/** PSPs at run time, for admins. */
export function makePspService(deps: PspServiceDeps): ServiceImplementation {
  const encode = (merchantId: string, psp: PspStatus): MessageInitShape<typeof PspStatusSchema> => {
    const nowMs = deps.survey.nowOf(merchantId);
    return encodePsp(psp, deps.breakers.list(merchantId, psp.psp, nowMs), nowMs);
  };
  return implementService(PspService, {
    listPsps(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      checkRequest(ListPspsRequestSchema, request, () => undefined);
      return create(ListPspsResponseSchema, {
        psps: deps.pspStates.list(merchantId).map((psp) => encode(merchantId, psp)),
      });
    },

    async setPspState(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const state = checkRequest(SetPspStateRequestSchema, request, (checks) => {
        const name = checks.enumName("state", PspStatus_StateSchema, request.state);
        if (request.state === PspStatus_State.STATE_UNSPECIFIED)
          checks.note("state", "required", "state is required");
        return {
          psp: checks.required("psp", request.psp, 64),
          state: (name ?? "ENABLED") as PspStateKind,
          author: checks.required("author", request.author),
          reason: checks.requiredProse("reason", request.reason, reasonMax),
        };
      });
      const psp = unwrap(await deps.pspStates.set(merchantId, state));
      return create(SetPspStateResponseSchema, { psp: encode(merchantId, psp) });
    },
  });
}

function encodePsp(
  { psp, name, enabledInRuleSet, methods, maintenance, set }: PspStatus,
  breakers: readonly BreakerStatus[],
  nowMs: number,
): MessageInitShape<typeof PspStatusSchema> {
  const window = findNextMaintenance({ maintenance }, nowMs);
  return {
    psp,
    name,
    enabledInRuleSet,
    methods: [...methods],
    state: PspStatus_State[set?.state ?? "ENABLED"],
    breakers: breakers.map(encodeBreaker),
    ...(window === undefined
      ? {}
      : { maintenance: { from: encodeInstant(window.fromMs), until: encodeInstant(window.untilMs) } }),
    ...(set === undefined
      ? {}
      : { author: set.author, reason: set.reason, since: encodeInstant(set.sinceMs) }),
  };
}

function encodeBreaker({
  kind,
  method,
  phase,
  reason,
  sinceMs,
  nextProbeAtMs,
  calls,
  failures,
  probes,
}: BreakerStatus): MessageInitShape<typeof BreakerStatusSchema> {
  return {
    method,
    threeDs: kind === "three_ds",
    state: BreakerStatus_State[phase],
    reason,
    calls,
    failures,
    probes,
    ...(sinceMs === undefined ? {} : { since: encodeInstant(sinceMs) }),
    ...(nextProbeAtMs === undefined ? {} : { nextProbeAt: encodeInstant(nextProbeAtMs) }),
  };
}
