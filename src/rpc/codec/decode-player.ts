import type { OwnLimitPeriod, Restriction } from "../../core/player.ts";
import type { RestrictionInput } from "../../core/restriction-changes.ts";
import {
  type PlayerAttribute,
  PlayerLimit_PeriodSchema,
  Restriction_Kind,
  Restriction_KindSchema,
  type Restriction as RestrictionMessage,
  type SetPlayerLimitRequest,
} from "../../gen/switchyard/v1/player_pb.js";
import { Limit_MeasureSchema } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { OwnLimitInput } from "../../manage/own-limits.ts";
import type { AttributeUpdate } from "../../manage/players.ts";
import { decodeAttribute } from "./decode-payment.ts";
import type { FieldChecks } from "./field-checks.ts";
import { decodeDurationMs } from "./time.ts";

const attributesMax = 64;
const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

export function decodeUpdates(
  checks: FieldChecks,
  attributes: Readonly<Record<string, PlayerAttribute>>,
): ReadonlyMap<string, AttributeUpdate> {
  const entries = Object.entries(attributes);
  const updates = new Map<string, AttributeUpdate>();
  if (entries.length === 0)
    checks.note("attributes", "required", "attributes must hold at least one attribute");
  if (!checks.count("attributes", entries.length, attributesMax)) return updates;
  for (const [name, attribute] of entries) {
    const field = `attributes.${name.slice(0, 80)}`;
    if (!namePattern.test(name)) {
      checks.note(
        field,
        "malformed",
        "names of attributes are a lower-case letter, then up to 63 lower-case letters, digits or _",
      );
      continue;
    }
    if (attribute.value === undefined)
      checks.note(`${field}.value`, "required", `${field}.value is required; null removes the attribute`);
    updates.set(name, {
      value:
        attribute.value === undefined
          ? undefined
          : decodeAttribute(checks, `${field}.value`, attribute.value.kind),
      setAtMs: attribute.setAt === undefined ? undefined : checks.instant(`${field}.set_at`, attribute.setAt),
      ttlMs: decodePositiveDuration(checks, `${field}.ttl`, attribute.ttl),
      source: checks.text(`${field}.source`, attribute.source),
    });
  }
  return updates;
}

export function decodeRestriction(
  checks: FieldChecks,
  message: RestrictionMessage | undefined,
): RestrictionInput {
  if (message === undefined) checks.note("restriction", "required", "restriction is required");
  const kind = checks.enumName("restriction.kind", Restriction_KindSchema, message?.kind ?? 0);
  if (message?.kind === Restriction_Kind.KIND_UNSPECIFIED)
    checks.note("restriction.kind", "required", "restriction.kind is required");
  const { from, until, checkedAt } = message ?? {};
  const untilMs = until === undefined ? undefined : checks.instant("restriction.until", until);
  const maxAgeMs = decodePositiveDuration(checks, "restriction.max_age", message?.maxAge);
  return {
    kind: (kind ?? "OPERATOR_BLOCK") as Restriction["kind"],
    source: checks.required("restriction.source", message?.source ?? ""),
    fromMs: from === undefined ? undefined : checks.instant("restriction.from", from),
    checkedAtMs: checkedAt === undefined ? undefined : checks.instant("restriction.checked_at", checkedAt),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    clear: message?.clear ?? false,
    returned: message?.returned ?? false,
  };
}

function decodePositiveDuration(
  checks: FieldChecks,
  field: string,
  duration: Parameters<typeof decodeDurationMs>[0] | undefined,
): number | undefined {
  if (duration === undefined) return undefined;
  const ms = decodeDurationMs(duration);
  // google.protobuf.Duration goes up to about 10,000 years, which a double holds exactly in ms.
  if (ms <= 0 || ms > 315_576_000_000_000) checks.note(field, "positive", `${field} must be positive`);
  return ms;
}

/** What is asked of a player's own limit: an amount, its removal, or the confirmation of what waited; exactly one of them. */
export function decodeOwnLimit(checks: FieldChecks, request: SetPlayerLimitRequest): OwnLimitInput {
  const period = checks.enumName("period", PlayerLimit_PeriodSchema, request.period);
  if (request.period === 0) checks.note("period", "required", "period is required");
  const measure = checks.enumName("measure", Limit_MeasureSchema, request.measure);
  if (measure !== "GROSS" && measure !== "NET")
    checks.note("measure", "unknown-value", "measure must be GROSS or NET");
  const said = [request.amount !== undefined, request.remove, request.confirm].filter((each) => each).length;
  if (said !== 1) checks.note("amount", "one-of", "say exactly one of amount, remove and confirm");
  return {
    period: (period ?? "DAY") as OwnLimitPeriod,
    measure: measure === "NET" ? "NET" : "GROSS",
    asked: decodeAsked(checks, request),
    source: checks.required("source", request.source),
  };
}

function decodeAsked(checks: FieldChecks, request: SetPlayerLimitRequest): OwnLimitInput["asked"] {
  const { amount, remove, confirm } = request;
  if (remove) return { kind: "remove" };
  if (confirm || amount === undefined) return { kind: "confirm" };
  const minorUnits = checks.safeInt("amount.minor_units", amount.minorUnits);
  const currencyCode = checks.required("amount.currency_code", amount.currencyCode, 3);
  return { kind: "set", amount: { minorUnits, currencyCode } };
}
