import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Value } from "../../core/cel/expr.ts";
import type { FeatureSpec } from "../../core/features/feature.ts";
import { findUnit } from "../../core/features/feature-unit.ts";
import type { FeatureReading } from "../../core/features/frame-reader.ts";
import type { LimitReading } from "../../core/limits/limit.ts";
import {
  isRemoved,
  type OwnLimit,
  type Player,
  type Restriction,
  type StoredAttribute,
} from "../../core/player.ts";
import { isMarketingSuppressed } from "../../core/restrictions.ts";
import type { PackStanding } from "../../core/rules/pack-standings.ts";
import type { PlayerDescription } from "../../decide/describe-player.ts";
import {
  type FeatureValueSchema,
  type LimitScopeSchema,
  PackStanding_Dependence,
  type PackStandingSchema,
  type PlayerAttribute,
  type PlayerAttributeSchema,
  PlayerLimit_Period,
  type PlayerLimitSchema,
  type PlayerSchema,
  Restriction_Kind,
  type RestrictionSchema,
} from "../../gen/switchyard/v1/player_pb.js";
import { Limit_Measure } from "../../gen/switchyard/v1/rule_set_pb.js";
import { encodeDuration, encodeInstant } from "./time.ts";

const aliasesMax = 64;
const brandsMax = 64;
/** Days are kept as instants; these attributes are written as days. */
const dayAttributes: ReadonlySet<string> = new Set(["birth_date"]);

export function encodePlayer(
  player: Player,
  isTimestamp: (name: string) => boolean,
): MessageInitShape<typeof PlayerSchema> {
  const attributes: Record<string, MessageInitShape<typeof PlayerAttributeSchema>> = {};
  for (const name of [...player.attributes.keys()].sort()) {
    const attribute = player.attributes.get(name)!;
    if (!isRemoved(attribute)) attributes[name] = encodeAttribute(name, attribute, isTimestamp(name));
  }
  return {
    playerId: player.playerId,
    attributes,
    restrictions: player.restrictions.map(encodeRestriction),
    marketingSuppressed: isMarketingSuppressed(player.restrictions),
    ownLimits: (player.ownLimits ?? []).map(encodeOwnLimit),
    aliases: (player.aliases ?? []).slice(0, aliasesMax),
  };
}

function encodeAttribute(
  name: string,
  { value, setAtMs, ttlMs, source }: StoredAttribute,
  isTimestamp: boolean,
): MessageInitShape<typeof PlayerAttributeSchema> {
  return {
    value: { kind: encodeValue(isTimestamp && typeof value === "number" ? encodeText(name, value) : value) },
    setAt: encodeInstant(setAtMs),
    source,
    ...(ttlMs === undefined ? {} : { ttl: encodeDuration(ttlMs) }),
  };
}

function encodeText(name: string, ms: number): string {
  const text = new Date(ms).toISOString();
  return dayAttributes.has(name) ? text.slice(0, 10) : text;
}

type ValueKind = PlayerAttribute["value"] extends infer V ? (V extends { kind: infer K } ? K : never) : never;

function encodeValue(value: StoredAttribute["value"]): ValueKind {
  if (typeof value === "boolean") return { case: "boolValue", value };
  if (typeof value === "number") return { case: "numberValue", value };
  if (typeof value === "string") return { case: "stringValue", value };
  const values = value.map((each) => ({ kind: encodeValue(each) }));
  return { case: "listValue", value: { values } } as ValueKind;
}

function encodeRestriction(restriction: Restriction): MessageInitShape<typeof RestrictionSchema> {
  const { kind, source, fromMs, untilMs, checkedAtMs, maxAgeMs, clear, returned } = restriction;
  return {
    kind: Restriction_Kind[kind],
    source,
    from: encodeInstant(fromMs),
    checkedAt: encodeInstant(checkedAtMs),
    clear,
    returned,
    ...(untilMs === undefined ? {} : { until: encodeInstant(untilMs) }),
    ...(maxAgeMs === undefined ? {} : { maxAge: encodeDuration(maxAgeMs) }),
  };
}

export function encodeOwnLimit(limit: OwnLimit): MessageInitShape<typeof PlayerLimitSchema> {
  const { period, measure, amount, setAtMs, pending, zone } = limit;
  return {
    period: PlayerLimit_Period[period],
    measure: Limit_Measure[measure],
    amount: { minorUnits: BigInt(amount.minorUnits), currencyCode: amount.currencyCode },
    setAt: encodeInstant(setAtMs),
    zone,
    ...(pending === undefined
      ? {}
      : {
          ...(pending.amount === undefined
            ? {}
            : {
                pendingAmount: {
                  minorUnits: BigInt(pending.amount.minorUnits),
                  currencyCode: pending.amount.currencyCode,
                },
              }),
          pendingRemoval: pending.amount === undefined,
          pendingAt: encodeInstant(pending.effectiveAtMs),
          needsConfirmation: pending.needsConfirmation,
        }),
  };
}

/** A feature as text: instants as ISO 8601. */
export function encodeFeature(
  { id, value, errorBound }: FeatureReading,
  spec: FeatureSpec | undefined,
): MessageInitShape<typeof FeatureValueSchema> {
  return {
    id,
    value: formatValue(value, spec?.type === "timestamp"),
    missing: value === undefined,
    errorBound,
    unit: spec === undefined ? "" : findUnit(spec),
  };
}

function formatValue(value: Value, isInstant: boolean): string {
  if (value === undefined) return "";
  if (typeof value === "number" && isInstant) return new Date(value).toISOString();
  return typeof value === "object" ? value.join(", ") : String(value);
}

/** Of the readings that are told. */
export function encodeScopes(
  scopes: PlayerDescription["limitScopes"],
  readings: readonly LimitReading[],
): MessageInitShape<typeof LimitScopeSchema>[] {
  const told = new Set(readings.map(({ limitId }) => limitId));
  return scopes
    .filter(({ limitId }) => told.has(limitId))
    .map(({ limitId, brands, withoutBrand }) => ({
      limitId,
      brands: brands.slice(0, brandsMax),
      withoutBrand,
    }));
}

/** `readings` are those that are told beside it. */
export function encodePackStanding(
  { pack, dependsOn, brands }: PackStanding,
  readings: readonly LimitReading[],
): MessageInitShape<typeof PackStandingSchema> {
  const told = new Set(readings.map(({ limitId }) => limitId));
  return {
    pack: pack.id,
    jurisdiction: pack.jurisdiction,
    dependsOn: dependsOn.map((each) => PackStanding_Dependence[each]),
    brands: brands.slice(0, brandsMax),
    limitIds: pack.limits.filter((id) => told.has(id)),
  };
}
