import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { isRemoved, type Player, type Restriction, type StoredAttribute } from "../core/player.ts";
import type { RestrictionInput } from "../core/restriction-changes.ts";
import { isMarketingSuppressed } from "../core/restrictions.ts";
import {
  GetPlayerRequestSchema,
  GetPlayerResponseSchema,
  type PlayerAttribute,
  type PlayerAttributeSchema,
  type PlayerSchema,
  PlayerService,
  Restriction_Kind,
  Restriction_KindSchema,
  type Restriction as RestrictionMessage,
  type RestrictionSchema,
  SetRestrictionRequestSchema,
  SetRestrictionResponseSchema,
  UpdatePlayerRequestSchema,
  UpdatePlayerResponseSchema,
} from "../gen/switchyard/v1/player_pb.js";
import type { Merchants } from "../manage/merchants.ts";
import type { AttributeUpdate, Players } from "../manage/players.ts";
import { implementService, type ServiceImplementation } from "../wire/transport.ts";
import { decodeAttribute } from "./codec/decode-payment.ts";
import type { FieldChecks } from "./codec/field-checks.ts";
import { decodeDurationMs, encodeDuration, encodeInstant } from "./codec/time.ts";
import { missing } from "./errors.ts";
import { checkRequest, resolveMerchant, unwrap } from "./request-fields.ts";

const attributesMax = 64;
const namePattern = /^[a-z][a-z0-9_]{0,63}$/;
/** Days are kept as instants; these attributes are written as days. */
const dayAttributes: ReadonlySet<string> = new Set(["birth_date"]);

/** Segments of a player without a payment in sight. */
export type SegmentsOf = (
  merchantId: string,
  player: Player,
) => { readonly segments: readonly string[]; readonly unknownSegments: readonly string[] };

export type PlayerServiceDeps = {
  readonly merchants: Merchants;
  readonly players: Players;
  readonly segmentsOf: SegmentsOf;
  /** Which attributes are instants is for the active rule set to say. */
  readonly isTimestamp: (merchantId: string, attribute: string) => boolean;
};

/** What is stored of players, for admins. */
export function makePlayerService(deps: PlayerServiceDeps): ServiceImplementation {
  const encode = (merchantId: string, player: Player): MessageInitShape<typeof PlayerSchema> =>
    encodePlayer(player, (name) => deps.isTimestamp(merchantId, name));
  return implementService(PlayerService, {
    getPlayer(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const playerId = checkRequest(GetPlayerRequestSchema, request, (checks) =>
        checks.required("player_id", request.playerId),
      );
      const player = deps.players.get(merchantId, playerId);
      if (player === undefined) throw missing("player", playerId);
      const { segments, unknownSegments } = deps.segmentsOf(merchantId, player);
      return create(GetPlayerResponseSchema, {
        player: encode(merchantId, player),
        segments: [...segments],
        unknownSegments: [...unknownSegments],
      });
    },

    async updatePlayer(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const { playerId, updates } = checkRequest(UpdatePlayerRequestSchema, request, (checks) => ({
        playerId: checks.required("player_id", request.playerId),
        updates: decodeUpdates(checks, request.attributes),
      }));
      const { player, ignored } = unwrap(await deps.players.update(merchantId, playerId, updates));
      return create(UpdatePlayerResponseSchema, {
        player: encode(merchantId, player),
        ignored: [...ignored],
      });
    },

    async setRestriction(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const { playerId, restriction } = checkRequest(SetRestrictionRequestSchema, request, (checks) => ({
        playerId: checks.required("player_id", request.playerId),
        restriction: decodeRestriction(checks, request.restriction),
      }));
      const player = unwrap(await deps.players.restrict(merchantId, playerId, restriction));
      return create(SetRestrictionResponseSchema, { player: encode(merchantId, player) });
    },
  });
}

function decodeUpdates(
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

function decodeRestriction(checks: FieldChecks, message: RestrictionMessage | undefined): RestrictionInput {
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

function encodePlayer(
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
