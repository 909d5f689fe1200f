import { create, fromJsonString, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import {
  ExpireOverrideRequestSchema,
  ExpireOverrideResponseSchema,
  ListOverridesRequestSchema,
  ListOverridesResponseSchema,
  type Override,
  OverrideSchema,
  OverrideService,
  OverrideStatus_State,
  type OverrideStatusSchema,
  PutOverrideRequestSchema,
  PutOverrideResponseSchema,
  type Subject,
  type SubjectSchema,
} from "../gen/switchyard/v1/override_pb.js";
import { EffectsSchema } from "../gen/switchyard/v1/rule_set_pb.js";
import type { Merchants } from "../manage/merchants.ts";
import type { OverrideStatus, Overrides, PutOverrideInput, StoredOverride } from "../manage/overrides.ts";
import { implementService, type ServiceImplementation } from "../wire/transport.ts";
import type { FieldChecks } from "./codec/field-checks.ts";
import { encodeInstant } from "./codec/time.ts";
import { checkRequest, decodeVersion, resolveMerchant, unwrap } from "./request-fields.ts";

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const reasonMax = 1_024;
const whenMax = 4_096;

/** Manual overrides, for admins. */
export function makeOverrideService(deps: {
  readonly merchants: Merchants;
  readonly overrides: Overrides;
}): ServiceImplementation {
  return implementService(OverrideService, {
    async putOverride(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const input = checkRequest(PutOverrideRequestSchema, request, (checks) => ({
        override: decodeOverride(checks, request.override),
        expectedRevision:
          request.expectedRevision === undefined
            ? undefined
            : decodeVersion(checks, "expected_revision", request.expectedRevision),
      }));
      const { status, revision } = unwrap(await deps.overrides.put({ merchantId, ...input }));
      return create(PutOverrideResponseSchema, {
        override: encodeStatus(status),
        revision: BigInt(revision),
      });
    },

    async expireOverride(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const { id, author } = checkRequest(ExpireOverrideRequestSchema, request, (checks) => ({
        id: checks.required("id", request.id, 64),
        author: checks.required("author", request.author),
      }));
      const { status, revision } = unwrap(await deps.overrides.expire(merchantId, id, author));
      return create(ExpireOverrideResponseSchema, {
        override: encodeStatus(status),
        revision: BigInt(revision),
      });
    },

    listOverrides(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      checkRequest(ListOverridesRequestSchema, request, () => undefined);
      return create(ListOverridesResponseSchema, {
        overrides: deps.overrides.list(merchantId, request.includeExpired).map(encodeStatus),
        revision: BigInt(deps.overrides.revision(merchantId)),
      });
    },
  });
}

type OverrideInput = PutOverrideInput["override"];

function decodeOverride(checks: FieldChecks, override: Override | undefined): OverrideInput {
  if (override === undefined) checks.note("override", "required", "override is required");
  const message = override ?? create(OverrideSchema);
  if (message.id === "") checks.note("override.id", "required", "override.id is required");
  else {
    checks.pattern(
      "override.id",
      message.id,
      idPattern,
      "a letter or digit, then up to 63 letters, digits, '.', '_' or '-'",
    );
  }
  if (message.until === undefined)
    checks.note("override.until", "required", "override.until is required: every override ends");
  if (message.effects === undefined)
    checks.note("override.effects", "required", "override.effects is required");
  return {
    id: message.id,
    subject: decodeSubject(checks, message.subject),
    when: checks.prose("override.when", message.when, whenMax),
    kinds: decodeKinds(checks, message.kinds),
    author: checks.required("override.author", message.author),
    reason: checks.requiredProse("override.reason", message.reason, reasonMax),
    fromMs: message.from === undefined ? undefined : checks.instant("override.from", message.from),
    untilMs: message.until === undefined ? 0 : checks.instant("override.until", message.until),
    priority: message.priority,
    effectsJson: toJsonString(EffectsSchema, message.effects ?? create(EffectsSchema)),
  };
}

function decodeSubject(checks: FieldChecks, message: Subject | undefined): StoredOverride["subject"] {
  const subject = message?.subject;
  switch (subject?.case) {
    case "playerId":
      return { kind: "player", id: checks.required("override.subject.player_id", subject.value) };
    case "cardFingerprint":
      return { kind: "card", id: checks.required("override.subject.card_fingerprint", subject.value) };
    case "deviceId":
      return { kind: "device", id: checks.required("override.subject.device_id", subject.value) };
    case "paymentId":
      return { kind: "payment", id: checks.required("override.subject.payment_id", subject.value) };
    case "segment":
      return { kind: "segment", id: checks.required("override.subject.segment", subject.value, 64) };
    case "everyone":
      if (!subject.value)
        checks.note("override.subject.everyone", "must-be-true", "everyone must be true, or absent");
      return { kind: "everyone" };
    default:
      checks.note("override.subject", "required", "override.subject must name exactly one subject");
      return { kind: "everyone" };
  }
}

function decodeKinds(checks: FieldChecks, kinds: readonly string[]): StoredOverride["kinds"] {
  kinds.forEach((kind, i) => {
    if (kind !== "deposit" && kind !== "withdrawal") {
      checks.note(`override.kinds[${i}]`, "unknown-value", "kinds are deposit and withdrawal");
    }
  });
  return kinds.length === 0 ? ["deposit"] : ([...new Set(kinds)].sort() as StoredOverride["kinds"]);
}

function encodeStatus({
  override,
  state,
  missing,
}: OverrideStatus): MessageInitShape<typeof OverrideStatusSchema> {
  return {
    override: {
      id: override.id,
      subject: encodeSubject(override.subject),
      when: override.when,
      kinds: [...override.kinds],
      author: override.author,
      reason: override.reason,
      from: encodeInstant(override.fromMs),
      until: encodeInstant(override.untilMs),
      priority: override.priority,
      effects: fromJsonString(EffectsSchema, override.effectsJson),
    },
    state: OverrideStatus_State[state],
    missing: [...missing],
  };
}

function encodeSubject(subject: StoredOverride["subject"]): MessageInitShape<typeof SubjectSchema> {
  switch (subject.kind) {
    case "player":
      return { subject: { case: "playerId", value: subject.id } };
    case "card":
      return { subject: { case: "cardFingerprint", value: subject.id } };
    case "device":
      return { subject: { case: "deviceId", value: subject.id } };
    case "payment":
      return { subject: { case: "paymentId", value: subject.id } };
    case "segment":
      return { subject: { case: "segment", value: subject.id } };
    case "everyone":
      return { subject: { case: "everyone", value: true } };
  }
}
