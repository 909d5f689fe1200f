import { create } from "@bufbuild/protobuf";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { SegmentExplanation } from "../core/segments/explain.ts";
import { ConditionTrace_Truth, DecisionConflict_Kind } from "../gen/switchyard/v1/decision_pb.js";
import {
  ExplainSegmentRequestSchema,
  type ExplainSegmentResponse,
  ExplainSegmentResponseSchema,
  ListSegmentMembersRequestSchema,
  type ListSegmentMembersResponse,
  ListSegmentMembersResponseSchema,
  type PlayerService,
  WatchMembershipRequestSchema,
  type WatchMembershipResponse,
  WatchMembershipResponse_Kind,
  WatchMembershipResponseSchema,
} from "../gen/switchyard/v1/player_pb.js";
import { explainPlayer } from "../ingest/membership/explain-player.ts";
import { listMembers, type SurveyDeps } from "../ingest/membership/survey.ts";
import type { MembershipTracker } from "../ingest/membership/tracker.ts";
import type { Watched } from "../ingest/membership/watchers.ts";
import type { ActiveRules } from "../manage/active-rules.ts";
import type { Merchants } from "../manage/merchants.ts";
import type { CallInfo, ServiceHandlers } from "../wire/transport.ts";
import { encodeConditionNode } from "./codec/encode-trace.ts";
import { encodeInstant } from "./codec/time.ts";
import { decisionConflict, forgotten, invalidField, missing } from "./errors.ts";
import { checkRequest, decodeVersion, resolveMerchant } from "./request-fields.ts";

const segmentsMax = 2_000;

type WatchedChange = Extract<Watched, { readonly kind: "change" }>["change"];

export type MembershipHandlerDeps = {
  readonly merchants: Merchants;
  readonly active: ActiveRules;
  readonly memberships: MembershipTracker;
  readonly survey: SurveyDeps & { readonly nowOf: (merchantId: string) => number };
};

export type MembershipHandlers = Required<
  Pick<ServiceHandlers<typeof PlayerService>, "explainSegment" | "listSegmentMembers" | "watchMembership">
>;

/** The part of PlayerService that is about segments over time. */
export function makeMembershipHandlers(deps: MembershipHandlerDeps): MembershipHandlers {
  return {
    explainSegment: (request) => {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const asked = checkRequest(ExplainSegmentRequestSchema, request, (checks) => ({
        playerId: checks.required("player_id", request.playerId),
        segment: checks.required("segment", request.segment),
        atMs: request.at === undefined ? undefined : checks.instant("at", request.at),
      }));
      const snapshot = requireRules(deps, merchantId);
      const segment = findSegment(snapshot, asked.segment);
      const atMs = asked.atMs ?? deps.survey.nowOf(merchantId);
      return encodeExplanation(
        explainPlayer(deps.survey, { merchantId, playerId: asked.playerId, snapshot, segment, atMs }),
      );
    },

    listSegmentMembers: (request, call) => {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const asked = checkRequest(ListSegmentMembersRequestSchema, request, (checks) => ({
        segment: checks.required("segment", request.segment),
        atMs: request.at === undefined ? undefined : checks.instant("at", request.at),
      }));
      return streamMembers(deps, merchantId, asked, call);
    },

    watchMembership: (request, call) => {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const afterSequence = checkRequest(WatchMembershipRequestSchema, request, (checks) => {
        checks.count("segments", request.segments.length, segmentsMax);
        return request.afterSequence === undefined
          ? undefined
          : decodeVersion(checks, "after_sequence", request.afterSequence);
      });
      for (const id of request.segments) findSegment(requireRules(deps, merchantId), id);
      return streamChanges(deps, merchantId, { segments: new Set(request.segments), afterSequence }, call);
    },
  };
}

/** The active rule set. Throws where there is none. */
export function requireRules(
  { active }: Pick<MembershipHandlerDeps, "active">,
  merchantId: string,
): RuleSnapshot {
  const snapshot = active.current(merchantId)?.snapshot;
  if (snapshot !== undefined) return snapshot;
  throw decisionConflict("the merchant has no active rule set", {
    kind: DecisionConflict_Kind.NO_ACTIVE_RULE_SET,
  });
}

/** Ordinal of a segment that has members without a payment. Throws NotFound for an unknown one, InvalidArgument for one that only a payment tells. */
export function findSegment({ segments }: RuleSnapshot, id: string): number {
  const ordinal = segments.findIndex((segment) => segment.id === id);
  if (ordinal === -1) throw missing("segment", id);
  if (!segments[ordinal]!.needsPayment) return ordinal;
  throw invalidField(
    "segment",
    "needs-payment",
    `only a payment tells who is in ${id}, so it has no members`,
  );
}

async function* streamMembers(
  { survey, ...deps }: MembershipHandlerDeps,
  merchantId: string,
  asked: { readonly segment: string; readonly atMs: number | undefined },
  call: CallInfo,
): AsyncGenerator<ListSegmentMembersResponse> {
  const snapshot = requireRules(deps, merchantId);
  const segment = findSegment(snapshot, asked.segment);
  const atMs = asked.atMs ?? survey.nowOf(merchantId);
  const found = listMembers(survey, { merchantId, snapshot, segment, atMs, signal: call.signal() });
  for await (const { playerIds, lookedAt, players } of found) {
    yield create(ListSegmentMembersResponseSchema, {
      playerIds: [...playerIds],
      ruleSetVersion: BigInt(snapshot.version),
      at: encodeInstant(atMs),
      lookedAt: BigInt(lookedAt),
      players: BigInt(players),
    });
  }
}

async function* streamChanges(
  { memberships }: MembershipHandlerDeps,
  merchantId: string,
  wanted: { readonly segments: ReadonlySet<string>; readonly afterSequence: number | undefined },
  call: CallInfo,
): AsyncGenerator<WatchMembershipResponse> {
  for await (const watched of memberships.watch(merchantId, { ...wanted, signal: call.signal() })) {
    if (watched.kind === "lost") throw forgotten("after_sequence", watched.afterSequence, watched.newest);
    yield encodeChange(watched.change);
  }
}

function encodeChange(change: WatchedChange): WatchMembershipResponse {
  const { sequence, playerId, segment, kind, atMs, suppressedBy, ruleSetVersion } = change;
  return create(WatchMembershipResponseSchema, {
    sequence: BigInt(sequence),
    playerId,
    segment,
    kind: WatchMembershipResponse_Kind[kind],
    at: encodeInstant(atMs),
    suppressed: suppressedBy !== "",
    suppressedBy,
    ruleSetVersion: BigInt(ruleSetVersion),
  });
}

function encodeExplanation(explained: SegmentExplanation): ExplainSegmentResponse {
  const { truth, trace, nearMisses, flipsAtMs, isWarming, memberSinceMs } = explained;
  return create(ExplainSegmentResponseSchema, {
    truth:
      truth === undefined
        ? ConditionTrace_Truth.UNKNOWN
        : truth
          ? ConditionTrace_Truth.TRUE
          : ConditionTrace_Truth.FALSE,
    condition: encodeConditionNode(trace),
    nearMisses: nearMisses.map((miss) => ({ ...miss })),
    ...(flipsAtMs === undefined ? {} : { flipsAt: encodeInstant(flipsAtMs) }),
    warming: isWarming,
    ...(memberSinceMs === undefined ? {} : { memberSince: encodeInstant(memberSinceMs) }),
  });
}
