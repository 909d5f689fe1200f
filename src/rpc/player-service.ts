import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ownLimitId } from "../core/limits/player-limits.ts";
import type { Player } from "../core/player.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { Decider } from "../decide/decided.ts";
import type { PlayerDescription } from "../decide/describe-player.ts";
import {
  DeletePlayerRequestSchema,
  DeletePlayerResponseSchema,
  GetPlayerRequestSchema,
  type GetPlayerResponse,
  GetPlayerResponseSchema,
  type PlayerSchema,
  PlayerService,
  SetPlayerLimitRequestSchema,
  SetPlayerLimitResponseSchema,
  SetRestrictionRequestSchema,
  SetRestrictionResponseSchema,
  UpdatePlayerRequestSchema,
  UpdatePlayerResponseSchema,
} from "../gen/switchyard/v1/player_pb.js";
import type { ActiveRules } from "../manage/active-rules.ts";
import type { Deletions } from "../manage/deletions.ts";
import type { Merchants } from "../manage/merchants.ts";
import type { OwnLimits, OwnLimitUpdate } from "../manage/own-limits.ts";
import type { Players } from "../manage/players.ts";
import { implementService, type ServiceImplementation } from "../wire/transport.ts";
import { decodeOwnLimit, decodeRestriction, decodeUpdates } from "./codec/decode-player.ts";
import { encodeReading } from "./codec/encode-limits.ts";
import {
  encodeFeature,
  encodeOwnLimit,
  encodePackStanding,
  encodePlayer,
  encodeScopes,
} from "./codec/encode-player.ts";
import { encodeInstant } from "./codec/time.ts";
import { missing } from "./errors.ts";
import type { MembershipHandlers } from "./memberships.ts";
import { checkRequest, resolveMerchant, unwrap } from "./request-fields.ts";

const reasonMax = 1_024;
const limitsMax = 64;
const packsMax = 64;
const unresolvedMax = 100;

export type PlayerServiceDeps = {
  readonly merchants: Merchants;
  readonly active: ActiveRules;
  readonly players: Players;
  readonly ownLimits: OwnLimits;
  readonly deletions: Deletions;
  readonly decider: Pick<Decider, "describe">;
  /** Segments over time. */
  readonly memberships: MembershipHandlers;
};

/** What is known of players, for admins. */
export function makePlayerService(deps: PlayerServiceDeps): ServiceImplementation {
  const encode = (merchantId: string, player: Player): MessageInitShape<typeof PlayerSchema> =>
    encodePlayer(player, (name) => isTimestamp(deps.active.current(merchantId)?.snapshot, name));
  return implementService(PlayerService, {
    ...deps.memberships,

    explainSegment(request, call) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const { playerId } = request;
      // Of nobody it could only be said that they are out, which hides a slip of the pen.
      if (playerId !== "" && !isKnown(deps, merchantId, playerId)) throw missing("player", playerId);
      return deps.memberships.explainSegment(request, call);
    },

    getPlayer(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const playerId = checkRequest(GetPlayerRequestSchema, request, (checks) =>
        checks.required("player_id", request.playerId),
      );
      return getPlayer(deps, merchantId, playerId, encode);
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

    async setPlayerLimit(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const { playerId, input } = checkRequest(SetPlayerLimitRequestSchema, request, (checks) => ({
        playerId: checks.required("player_id", request.playerId),
        input: decodeOwnLimit(checks, request),
      }));
      const update = unwrap(await deps.ownLimits.set(merchantId, playerId, input));
      const reading = deps.decider
        .describe(merchantId, update.player)
        ?.limits.find(({ limitId }) => limitId === ownLimitId(input));
      return create(SetPlayerLimitResponseSchema, {
        ...(update.limit === undefined ? {} : { limit: encodeOwnLimit(update.limit) }),
        detail: describeUpdate(update, reading?.overrun === true),
        ...(reading === undefined ? {} : { reading: encodeReading(reading) }),
      });
    },

    async deletePlayer(request) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const { playerId, author, reason } = checkRequest(DeletePlayerRequestSchema, request, (checks) => ({
        playerId: checks.required("player_id", request.playerId),
        author: checks.required("author", request.author),
        reason: checks.requiredProse("reason", request.reason, reasonMax),
      }));
      const { eventsDeleted, kept } = unwrap(
        await deps.deletions.delete(merchantId, playerId, { author, reason }),
      );
      return create(DeletePlayerResponseSchema, { eventsDeleted: BigInt(eventsDeleted), kept });
    },
  });
}

/** Whether anything is known of a player: something is stored, happened, or is under way. */
function isKnown({ players, decider }: PlayerServiceDeps, merchantId: string, playerId: string): boolean {
  if (players.get(merchantId, playerId) !== undefined) return true;
  return isSeen(decider.describe(merchantId, { playerId, attributes: new Map(), restrictions: [] }));
}

function isSeen(described: PlayerDescription | undefined): boolean {
  return described !== undefined && described.events + described.openPayments > 0;
}

function getPlayer(
  deps: PlayerServiceDeps,
  merchantId: string,
  playerId: string,
  encode: (merchantId: string, player: Player) => MessageInitShape<typeof PlayerSchema>,
): GetPlayerResponse {
  const player = deps.players.get(merchantId, playerId);
  const known = player ?? { playerId, attributes: new Map(), restrictions: [] };
  const described = deps.decider.describe(merchantId, known);
  if (player === undefined && !isSeen(described)) throw missing("player", playerId);
  const message = encode(
    merchantId,
    described === undefined ? known : { ...known, ownLimits: described.ownLimits },
  );
  if (described === undefined) return create(GetPlayerResponseSchema, { player: message });
  const features = deps.active.current(merchantId)?.snapshot.features ?? [];
  const limits = described.limits.slice(0, limitsMax);
  return create(GetPlayerResponseSchema, {
    player: message,
    segments: [...described.segments],
    unknownSegments: [...described.unknownSegments],
    features: described.features.map((feature, at) => encodeFeature(feature, features[at])),
    limits: limits.map(encodeReading),
    lifecycles: Object.fromEntries(described.lifecycles),
    events: BigInt(described.events),
    ...(described.lastEventAtMs === undefined ? {} : { lastEventAt: encodeInstant(described.lastEventAtMs) }),
    unresolvedPayments: described.unresolvedPayments.slice(0, unresolvedMax),
    limitScopes: encodeScopes(described.limitScopes, limits),
    packs: described.packs.slice(0, packsMax).map((standing) => encodePackStanding(standing, limits)),
  });
}

function describeUpdate({ became, limit }: OwnLimitUpdate, isOverrun: boolean): string {
  switch (became) {
    case "removed":
      return "the limit is removed";
    case "waiting": {
      const at = new Date(limit!.pending!.effectiveAtMs).toISOString();
      const what = limit!.pending!.needsConfirmation ? "may be confirmed" : "takes effect";
      return `what was asked for is looser: it waits, and ${what} at ${at}`;
    }
    case "set":
      return isOverrun
        ? "the limit holds now; more is used already, so nothing is left of it"
        : "the limit holds now";
  }
}

/** Which attributes are instants is for the active rule set to say. */
function isTimestamp(snapshot: RuleSnapshot | undefined, name: string): boolean {
  if (name === "registered_at" || name === "birth_date") return true;
  return snapshot?.playerAttributes.get(name)?.type === "TIMESTAMP";
}
