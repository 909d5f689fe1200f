import { formatMoney } from "../core/money.ts";
import {
  type DecideResponse,
  DecideResponse_Verdict,
  type Edge,
  Edge_Action,
  type Experience,
  type MatchedRule,
  type Plan,
  type Step,
  Step_Kind,
  type ThreeDs,
  ThreeDs_Requirement,
} from "../gen/switchyard/v1/decision_pb.js";
import { type Money, Outcome_Class } from "../gen/switchyard/v1/payment_pb.js";
import { Action_Kind } from "../gen/switchyard/v1/rule_set_pb.js";
import type { Paint } from "./io.ts";
import { formatInstant } from "./session.ts";
import { formatReadings } from "./show-limits.ts";
import { formatReasons, nameClass } from "./show-reasons.ts";
import { formatTrace } from "./show-trace.ts";
import { type Cell, formatFields, formatTable } from "./table.ts";

/** A decision for people: the verdict and why, then the plan, then what led there. */
export function formatDecision(decision: DecideResponse, paint: Paint): string {
  const { verdict, experience, trace } = decision;
  const parts = [
    formatFields([
      [
        "Verdict",
        { text: DecideResponse_Verdict[verdict] ?? String(verdict), paint: paintOf(verdict, paint) },
      ],
      ["Payment", `${decision.paymentId}${decision.revision > 0 ? ` revision ${decision.revision}` : ""}`],
      ["Decision", `${decision.decisionId}${decision.replayed ? " (the stored answer)" : ""}`],
      ["Decided at", formatInstant(decision.decidedAt)],
      ["Retry after", formatInstant(decision.retryAfter)],
      ["Review until", formatInstant(decision.reviewUntil)],
      ["Rule set", formatRuleSet(decision)],
      ["Segments", decision.segments.join(", ")],
      ["Risk score", decision.riskScore > 0 ? String(decision.riskScore) : ""],
      ["Actions", decision.actions.map(({ kind, key }) => joinKey(Action_Kind[kind], key)).join(", ")],
      [
        "Removed actions",
        decision.removedActions.map(({ kind, key }) => joinKey(Action_Kind[kind], key)).join(", "),
      ],
      [
        "Degraded",
        decision.sources
          .filter(({ degraded }) => degraded)
          .map(({ source }) => source)
          .join(", "),
      ],
    ]),
    formatReasons(decision.reasons, paint),
    decision.plan === undefined ? "" : formatPlan(decision.plan, paint),
    formatReadings(decision.limits, paint),
    formatMatchedRules(decision, paint),
    experience === undefined ? "" : formatExperience(experience),
    trace === undefined ? "" : formatTrace(trace, paint),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function paintOf(verdict: DecideResponse_Verdict, paint: Paint): (text: string) => string {
  switch (verdict) {
    case DecideResponse_Verdict.APPROVE_ROUTE:
      return paint.green;
    case DecideResponse_Verdict.REVIEW:
      return paint.yellow;
    default:
      return paint.red;
  }
}

function formatRuleSet({ ruleSet, overrideRevision }: DecideResponse): string {
  if (ruleSet === undefined) return "";
  const overrides = overrideRevision > 0n ? `, overrides at revision ${overrideRevision}` : "";
  return `version ${ruleSet.version} ${ruleSet.hash.slice(0, 12)}${overrides}`;
}

/** Steps with where the most telling outcomes lead; `--json` has every edge. */
function formatPlan(plan: Plan, paint: Paint): string {
  const rows = plan.steps.map((step): Cell[] => [
    String(step.number),
    Step_Kind[step.kind] ?? "",
    step.psp,
    step.mid,
    formatThreeDs(step.threeDs),
    formatEdge(findEdge(step, Outcome_Class.GENERIC)),
    formatEdge(findEdge(step, Outcome_Class.SCA)),
    formatEdge(findEdge(step, Outcome_Class.TECH_NOT_PROCESSED)),
  ]);
  const titles = ["Step", "Kind", "PSP", "MID", "3DS", "On decline", "On SCA", "On outage"];
  const steps =
    plan.steps.length === 0
      ? ""
      : formatTable(
          titles.map((title) => ({ title })),
          rows,
          paint.bold,
        );
  const cut = formatReasons(plan.cut, paint);
  return [
    steps,
    formatFields([
      ["Next", formatEdge(plan.next)],
      ["Valid until", formatInstant(plan.validUntil)],
    ]),
    cut === "" ? "" : `Cut from the plan\n${cut}`,
  ].join("");
}

function findEdge({ edges }: Step, outcome: Outcome_Class): Edge | undefined {
  return edges.find((edge) => edge.outcome === outcome)?.edge;
}

function formatThreeDs(threeDs: ThreeDs | undefined): string {
  if (threeDs === undefined) return "";
  const { requirement, challengeIndicator, exemption, useProof, reason } = threeDs;
  const parts = [
    ThreeDs_Requirement[requirement],
    useProof ? "by proof" : challengeIndicator,
    exemption,
    reason === "" || exemption !== "" || useProof ? "" : `(${reason})`,
  ];
  return parts.filter((part) => part).join(" ");
}

function formatEdge(edge: Edge | undefined): string {
  if (edge === undefined) return "";
  const { action, step, notBefore, fields } = edge;
  const parts = [
    Edge_Action[action],
    step > 0 ? String(step) : "",
    notBefore === undefined ? "" : `not before ${formatInstant(notBefore)}`,
    fields.join(", "),
  ];
  return parts.filter((part) => part).join(" ");
}

function formatMatchedRules({ matchedRules, matchedRulesOmitted }: DecideResponse, paint: Paint): string {
  if (matchedRules.length === 0) return "";
  const rows = matchedRules.map((rule): Cell[] => [
    rule.id,
    nameClass(rule.class),
    rule.won.join(", "),
    rule.lost.map(({ facet, to }) => `${facet} to ${to}`).join(", "),
    describeMatch(rule),
  ]);
  const titles = ["Matched rule", "Class", "Won", "Lost", ""];
  const table = formatTable(
    titles.map((title) => ({ title })),
    rows,
    paint.bold,
  );
  return matchedRulesOmitted > 0 ? `${table}and ${matchedRulesOmitted} more\n` : table;
}

function describeMatch({ shadow, throughUnknown }: MatchedRule): string {
  return [shadow ? "shadow" : "", throughUnknown ? "through unknown" : ""].filter((part) => part).join(", ");
}

function formatExperience({ methods, hiddenMethods, amounts, messageKeys }: Experience): string {
  return formatFields([
    [
      "Methods",
      methods
        .map(({ method, maxAmount }) => (maxAmount ? `${method} (to ${showMoney(maxAmount)})` : method))
        .join(", "),
    ],
    [
      "Hidden",
      hiddenMethods
        .map(({ method, reasons }) => `${method} (${reasons.map(({ code }) => code).join(", ")})`)
        .join(", "),
    ],
    ["Amounts", amounts.map(showMoney).join(", ")],
    ["Messages", messageKeys.join(", ")],
  ]);
}

function showMoney({ minorUnits, currencyCode }: Money): string {
  return formatMoney({ minorUnits: Number(minorUnits), currencyCode });
}

function joinKey(kind: string | undefined, key: string): string {
  return key === "" ? (kind ?? "") : `${kind} ${key}`;
}
