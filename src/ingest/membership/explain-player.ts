import type { Player } from "../../core/player.ts";
import type { RuleSnapshot } from "../../core/rules/snapshot.ts";
import { explainSegment, type SegmentExplanation } from "../../core/segments/explain.ts";
import { standBefore, sweepPlayer } from "../../core/segments/sweep.ts";
import { openTimeline } from "../../core/segments/timeline.ts";
import type { SurveyDeps } from "./survey.ts";

/** Far more instants than the history of one player has. */
const looksMax = 1_000_000;

/**
 * Explains whether a player is in a segment at an instant, as the whole of the player's history has it.
 *
 * `segment` is the ordinal of one that has members without a payment.
 */
export function explainPlayer(
  { players, histories, coveredFromMs }: SurveyDeps,
  asked: {
    readonly merchantId: string;
    readonly playerId: string;
    readonly snapshot: RuleSnapshot;
    readonly segment: number;
    readonly atMs: number;
  },
): SegmentExplanation {
  const { merchantId, playerId, snapshot, segment, atMs } = asked;
  const named = players.get(merchantId, playerId);
  const kept = named?.mergedInto === undefined ? named : players.get(merchantId, named.mergedInto);
  const player: Player = kept ?? { playerId, attributes: new Map(), restrictions: [] };
  const timeline = openTimeline(snapshot);
  const facts = {
    merchantId,
    player,
    history: histories.get(merchantId, { kind: "player", id: player.playerId }),
    coveredFromMs: coveredFromMs(merchantId),
  };
  const { standing } = sweepPlayer(timeline, facts, {
    standing: standBefore(timeline),
    nextMs: Number.POSITIVE_INFINITY,
    toMs: atMs,
    looksMax,
  });
  return explainSegment(timeline, facts, { segment, atMs, standing });
}
