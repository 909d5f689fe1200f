import { create } from "@bufbuild/protobuf";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { openTimeline } from "../core/segments/timeline.ts";
import {
  AnalyticsService,
  GetSegmentStatsRequestSchema,
  type GetSegmentStatsResponse,
  GetSegmentStatsResponseSchema,
} from "../gen/switchyard/v1/analytics_pb.js";
import { countFlips } from "../ingest/membership/survey.ts";
import { type CallInfo, implementService, type ServiceImplementation } from "../wire/transport.ts";
import { encodeInstant } from "./codec/time.ts";
import { findSegment, type MembershipHandlerDeps, requireRules } from "./memberships.ts";
import { checkRequest, resolveMerchant } from "./request-fields.ts";

const segmentsMax = 2_000;

type Asked = {
  readonly segments: readonly string[];
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
};

/** Statistics, for admins. */
export function makeAnalyticsService(deps: MembershipHandlerDeps): ServiceImplementation {
  return implementService(AnalyticsService, {
    getSegmentStats(request, call) {
      const merchantId = resolveMerchant(deps.merchants, request.merchantId);
      const asked = checkRequest(GetSegmentStatsRequestSchema, request, (checks): Asked => {
        checks.count("segments", request.segments.length, segmentsMax);
        return {
          segments: request.segments,
          fromMs: request.from === undefined ? undefined : checks.instant("from", request.from),
          untilMs: request.until === undefined ? undefined : checks.instant("until", request.until),
        };
      });
      return streamStats(deps, merchantId, asked, call);
    },
  });
}

async function* streamStats(
  deps: MembershipHandlerDeps,
  merchantId: string,
  { segments, fromMs, untilMs: wantedUntilMs }: Asked,
  call: CallInfo,
): AsyncGenerator<GetSegmentStatsResponse> {
  const snapshot = requireRules(deps, merchantId);
  const ordinals = listOrdinals(snapshot, segments);
  // Flips are counted up to the newest event, whatever the clock of the machine says (`SEMANTICS.md` 6.2).
  const untilMs =
    wantedUntilMs ?? deps.survey.histories.newestMs(merchantId) ?? deps.survey.nowOf(merchantId);
  const found = countFlips(deps.survey, {
    merchantId,
    snapshot,
    segments: ordinals,
    fromMs: fromMs ?? Number.NEGATIVE_INFINITY,
    untilMs,
    signal: call.signal(),
  });
  for await (const { lookedAt, players, stats } of found) {
    yield create(GetSegmentStatsResponseSchema, {
      lookedAt: BigInt(lookedAt),
      players: BigInt(players),
      until: encodeInstant(untilMs),
      ruleSetVersion: BigInt(snapshot.version),
      segments: (stats ?? []).map((each) => ({
        segment: snapshot.segments[each.segment]!.id,
        entries: BigInt(each.entries),
        exits: BigInt(each.exits),
        players: BigInt(each.players),
        members: BigInt(each.members),
        medianStayMs: BigInt(Math.round(each.medianStayMs)),
      })),
    });
  }
}

/** Those that are named; all that have members without a payment where none is. */
function listOrdinals(snapshot: RuleSnapshot, ids: readonly string[]): readonly number[] {
  if (ids.length === 0) return openTimeline(snapshot).tracked;
  return [...new Set(ids)].sort().map((id) => findSegment(snapshot, id));
}
