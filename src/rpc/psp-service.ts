import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
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

/** PSPs at run time, for admins. */
export function makePspService(deps: {
  readonly merchants: Merchants;
  readonly pspStates: PspStates;
}): ServiceImplementation {
  return implementService(PspService, {
    listPsps(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      checkRequest(ListPspsRequestSchema, request, () => undefined);
      return create(ListPspsResponseSchema, { psps: deps.pspStates.list(merchantId).map(encodePsp) });
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
      return create(SetPspStateResponseSchema, { psp: encodePsp(psp) });
    },
  });
}

function encodePsp({
  psp,
  name,
  enabledInRuleSet,
  methods,
  set,
}: PspStatus): MessageInitShape<typeof PspStatusSchema> {
  return {
    psp,
    name,
    enabledInRuleSet,
    methods: [...methods],
    state: PspStatus_State[set?.state ?? "ENABLED"],
    ...(set === undefined
      ? {}
      : { author: set.author, reason: set.reason, since: encodeInstant(set.sinceMs) }),
  };
}
