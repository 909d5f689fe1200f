import type { Verdict } from "../../decision.ts";
import type { Reason } from "../../reason.ts";
import type { RuleSnapshot } from "../snapshot.ts";
import { facetBits, lose, makeSpeakerReason, type Speaker, stands, verdictCode, win } from "../speaker.ts";

export type VerdictFacet = {
  /** What the rules say of the payment; routing may still deny it. */
  readonly verdict: Verdict;
  /** Those that carry the verdict, in total order. */
  readonly reasons: readonly Reason[];
  /** How long until a denial is worth asking again about; `undefined` where it is not. */
  readonly retryAfterMs: number | undefined;
  /** Sum of the scores of RISK, 0 to 1000. */
  readonly riskScore: number;
  /** RISK reviews of this decision, those included that a reviewer had approved before. */
  readonly reviewedRules: readonly string[];
};

export type VerdictContext = {
  readonly riskThresholds: RuleSnapshot["riskThresholds"];
  /** `reviewedRules` of the revision that a reviewer approved; empty where nobody did. */
  readonly approvedReviews: readonly string[];
  /** What the amount cap says. */
  readonly capDenial: Reason | undefined;
};

const scoreMax = 1000;
/** No rule can have this id. */
const scoreReviewPrefix = "$score:";

const nothing: VerdictFacet = {
  verdict: "APPROVE_ROUTE",
  reasons: [],
  retryAfterMs: undefined,
  riskScore: 0,
  reviewedRules: [],
};

/**
 * *Deny/review: the severest, after lifts* (`SEMANTICS.md` 3.2); the summed score speaks as RISK.
 *
 * Who carries the verdict wins; who wanted a milder one loses to the strongest of these, and so does an override that allows.
 */
export function resolveVerdict(speakers: readonly Speaker[], context: VerdictContext): VerdictFacet {
  const riskScore = sumScores(speakers);
  const reviewedRules: string[] = [];
  const denying: Speaker[] = [];
  const reviewing: Speaker[] = [];
  let allows = false;
  for (const speaker of speakers) {
    const { effects } = speaker;
    if (effects.allow !== undefined) allows = true;
    if (!stands(speaker, "verdict")) continue;
    if (effects.deny !== undefined) denying.push(speaker);
    else if (isApproved(speaker, context)) reviewedRules.push(speaker.id);
    else reviewing.push(speaker);
  }
  const scored = judgeScore(riskScore, context);
  if (scored.reviewedId !== undefined) reviewedRules.push(scored.reviewedId);
  const { capDenial } = context;
  const isDenied = denying.length > 0 || scored.verdict === "DENY" || capDenial !== undefined;
  const isReviewed = reviewing.length > 0 || scored.verdict === "REVIEW";
  if (!isDenied && !isReviewed && !allows && riskScore === 0 && reviewedRules.length === 0) return nothing;

  const carrying = isDenied ? denying : reviewing;
  for (const speaker of carrying) win(speaker, "verdict");
  const strongest =
    carrying[0]?.id ?? (isDenied ? (capDenial?.sourceId ?? "risk_thresholds") : "risk_thresholds");
  if (isDenied) for (const speaker of reviewing) lose(speaker, "verdict", strongest, "a denial stands");
  if (allows) noteAllows(speakers, isDenied || isReviewed ? strongest : undefined);
  for (const speaker of reviewing) if (speaker.ruleClass === "RISK") reviewedRules.push(speaker.id);

  const reasons = carrying.map((speaker) => makeVerdictReason(speaker));
  if (scored.verdict === (isDenied ? "DENY" : "REVIEW")) reasons.push(makeScoreReason(riskScore, context));
  if (capDenial !== undefined) reasons.push(capDenial);
  return {
    verdict: isDenied ? "DENY" : isReviewed ? "REVIEW" : "APPROVE_ROUTE",
    reasons,
    retryAfterMs: isDenied && reasons.length === denying.length ? longestWait(denying) : undefined,
    riskScore,
    reviewedRules: reviewedRules.sort(),
  };
}

/** A reviewer's word lifts exactly the RISK reviews that were reported (`SEMANTICS.md` 1.6). */
function isApproved(speaker: Speaker, { approvedReviews }: VerdictContext): boolean {
  if (speaker.ruleClass !== "RISK" || !approvedReviews.includes(speaker.id)) return false;
  lose(speaker, "verdict", "review", "approved by a reviewer");
  return true;
}

function sumScores(speakers: readonly Speaker[]): number {
  let sum = 0;
  for (const speaker of speakers) {
    if (!stands(speaker, "score")) continue;
    sum += speaker.effects.score!;
    win(speaker, "score");
  }
  return Math.min(sum, scoreMax);
}

/** A review of the score is approved up to the score that was reported: a higher one is another review. */
function judgeScore(
  score: number,
  { riskThresholds: { reviewFrom, denyFrom }, approvedReviews }: VerdictContext,
): { readonly verdict: "DENY" | "REVIEW" | undefined; readonly reviewedId: string | undefined } {
  if (denyFrom > 0 && score >= denyFrom) return { verdict: "DENY", reviewedId: undefined };
  if (reviewFrom === 0 || score < reviewFrom) return noScoreVerdict;
  const approved = approvedReviews.find((id) => id.startsWith(scoreReviewPrefix));
  const isLifted = approved !== undefined && score <= Number(approved.slice(scoreReviewPrefix.length));
  return { verdict: isLifted ? undefined : "REVIEW", reviewedId: `${scoreReviewPrefix}${score}` };
}

const noScoreVerdict = { verdict: undefined, reviewedId: undefined } as const;

/** Among overrides deny > review > allow, whatever the priority; and nothing that stands lets itself be allowed away. */
function noteAllows(speakers: readonly Speaker[], standing: string | undefined): void {
  for (const override of speakers) {
    if (override.effects.allow === undefined) continue;
    if (standing === undefined) {
      const lifts = (speaker: Speaker): boolean =>
        (speaker.speaks & facetBits.verdict) !== 0 &&
        speaker.lost.some(({ facet, to }) => facet === "verdict" && to === override.id);
      if (speakers.some(lifts)) win(override, "verdict");
    } else if (override.id !== standing) {
      lose(override, "verdict", standing, "a denial or review that it does not lift stands over an allow");
    }
  }
}

function makeVerdictReason(speaker: Speaker): Reason {
  const what = speaker.rule === undefined ? "override" : "rule";
  const how = speaker.flag === 0 ? "" : " (matched through unknown)";
  return makeSpeakerReason(speaker, verdictCode(speaker), `${what} ${speaker.id}${how}`);
}

function makeScoreReason(score: number, { riskThresholds }: VerdictContext): Reason {
  const { reviewFrom, denyFrom } = riskThresholds;
  return {
    stage: "risk",
    code: "RISK_SCORE",
    ruleClass: "RISK",
    sourceId: "risk_thresholds",
    detail: `the scores add up to ${score}; review from ${reviewFrom}, deny from ${denyFrom}`,
    playerMessageKey: "",
    purposes: ["fraud"],
  };
}

/** A denial is transient only where all that deny are. */
function longestWait(denying: readonly Speaker[]): number | undefined {
  let longest = 0;
  for (const { effects } of denying) {
    if (effects.deny?.retryAfterMs === undefined) return undefined;
    longest = Math.max(longest, effects.deny.retryAfterMs);
  }
  return longest;
}
