import type { SlotSource } from "../core/cel/environment.ts";
import { explainCondition } from "../core/cel/explain.ts";
import type { Expr, Value } from "../core/cel/expr.ts";
import type { ConditionNames } from "../core/cel/format.ts";
import { readReads } from "../core/cel/reads.ts";
import { type Decision, type Facet, facets } from "../core/decision.ts";
import { type Fact, type FactInput, type Purpose, facts as vocabulary } from "../core/facts.ts";
import { formatMoney } from "../core/money.ts";
import { costOf } from "../core/routing/rank.ts";
import { nameSource, purposesOf as purposesOfSource } from "../core/rules/environment.ts";
import { findSkip } from "../core/rules/match-filters.ts";
import type { OverrideSet } from "../core/rules/override-set.ts";
import type { RuleSnapshot, Strategy } from "../core/rules/snapshot.ts";
import { facetBits, purposesOf, type Speaker } from "../core/rules/speaker.ts";
import { listCardReasons } from "./card.ts";
import type { Draft } from "./decide-with.ts";
import type { JudgedCondition, JudgedFact, JudgedPsp, Trace } from "./decided.ts";
import { openOverrides } from "./workspace.ts";

const conditionsMax = 1_000;
const defaultPurposes: readonly Purpose[] = ["payments", "fraud"];

/** Everything that led to a decision; built only for those who ask, from what the workspace still holds. */
export function buildTrace(draft: Draft, overrides: OverrideSet, decision: Decision): Trace {
  return {
    conditions: listConditions(draft, overrides),
    psps: listPsps(draft),
    facets: listFacets(draft, decision),
    facts: listFacts(draft),
    reasons: decision.reasons,
    notes: listNotes(draft),
  };
}

/** Segments, then rules, then the overrides that act; where there are too many, rules that matched before others. */
function listConditions(draft: Draft, overrides: OverrideSet): readonly JudgedCondition[] {
  const { workspace, resolution } = draft;
  const { snapshot, frame } = workspace;
  const names = nameParts(snapshot, snapshot.slots);
  const explain = (condition: Expr | undefined): JudgedCondition["condition"] =>
    condition === undefined ? undefined : explainCondition(condition, frame, names);
  const segments = snapshot.segments.slice(0, conditionsMax).map(({ id, purposes }, at): JudgedCondition => {
    const condition = snapshot.segmentCondition(at);
    return {
      path: `segments/${id}`,
      purposes,
      skipped: "",
      condition: explain(condition),
      reads: listReads(condition, snapshot, snapshot.slots),
    };
  });
  const rules = pickRules(draft, conditionsMax - segments.length).map((at): JudgedCondition => {
    const { id, purposes } = snapshot.rules[at]!;
    const expr = snapshot.ruleCondition(at);
    const condition = explain(expr);
    return {
      path: `rules/${id}`,
      purposes,
      skipped: findWhySkipped(draft, at, condition),
      condition,
      reads: listReads(expr, snapshot, snapshot.slots),
    };
  });
  const acting = resolution.speakers.filter(({ ruleClass }) => ruleClass === "OVERRIDE");
  return [...segments, ...rules, ...acting.map((speaker) => explainOverride(speaker, draft, overrides))];
}

function pickRules({ workspace, resolution, shadows }: Draft, most: number): readonly number[] {
  const { rules } = workspace.snapshot;
  const ordinals = rules.map((_, at) => at);
  if (ordinals.length <= most) return ordinals;
  const matched = new Set([...resolution.speakers, ...shadows].map(({ rule }) => rule));
  return [
    ...ordinals.filter((at) => matched.has(rules[at]!)),
    ...ordinals.filter((at) => !matched.has(rules[at]!)),
  ]
    .slice(0, Math.max(0, most))
    .sort((a, b) => a - b);
}

function findWhySkipped(
  { workspace, facts }: Draft,
  ordinal: number,
  condition: JudgedCondition["condition"],
): string {
  const rule = workspace.snapshot.rules[ordinal]!;
  const truth = condition?.truth ?? "true";
  if (truth === "false" || (truth === "unknown" && !rule.matchUnknown)) return "";
  return findSkip(rule, facts.payment, facts.nowMs) ?? (rule.shadow ? "shadow" : "");
}

function explainOverride(speaker: Speaker, { workspace }: Draft, set: OverrideSet): JudgedCondition {
  const { frame } = openOverrides(workspace, set);
  const condition = set.overrides.find(({ id }) => id === speaker.id)?.condition;
  const names = nameParts(workspace.snapshot, set.slots);
  return {
    path: `overrides/${speaker.id}`,
    purposes: purposesOf(speaker),
    skipped: "",
    condition: condition && explainCondition(condition.expr, frame, names),
    reads: listReads(condition?.expr, workspace.snapshot, set.slots),
  };
}

function listReads(
  condition: Expr | undefined,
  snapshot: RuleSnapshot,
  slots: readonly SlotSource[],
): JudgedCondition["reads"] {
  if (condition === undefined) return [];
  const reads = readReads(condition);
  return [
    ...[...reads.slots].flatMap((slot) => listPurposes(slots[slot]!, snapshot)),
    ...[...reads.segments].map((segment) => snapshot.segments[segment]!.purposes),
  ];
}

/** The purposes of what a slot reads, and of what that is made of: a value made of what may not be shown would tell of it. */
function listPurposes(source: SlotSource, snapshot: RuleSnapshot): readonly (readonly Purpose[])[] {
  const own = purposesOfSource(source, snapshot);
  return source.kind === "feature" ? [own, ...listMaterial(source.ordinal, snapshot)] : [own];
}

function listMaterial(feature: number, snapshot: RuleSnapshot): readonly (readonly Purpose[])[] {
  const { how } = snapshot.features[feature]!;
  switch (how.kind) {
    case "aggregate":
      return [...how.aggregate.events, ...how.aggregate.answers].flatMap((name) => {
        const purposes = snapshot.eventTypes.get(name)?.purposes;
        return purposes === undefined ? [] : [purposes];
      });
    case "derived": {
      const reads = readReads(how.expr);
      return [...reads.slots].flatMap((slot) => listPurposes(snapshot.slots[slot]!, snapshot));
    }
    case "model":
      return how.inputs.flatMap((input) => [
        snapshot.features[input]!.purposes,
        ...listMaterial(input, snapshot),
      ]);
  }
}

function nameParts(snapshot: RuleSnapshot, slots: readonly SlotSource[]): ConditionNames {
  return {
    slot: (slot) => nameSource(slots[slot]!),
    segment: (segment) => snapshot.segments[segment]!.id,
    list: (list) => snapshot.listIds[list]!,
  };
}

function listPsps({ workspace, route, resolution, routingCase, card }: Draft): readonly JudgedPsp[] {
  const [ofCard] = listCardReasons(card);
  return workspace.snapshot.psps.map((psp, at): JudgedPsp => {
    const removal = route.removalOf(at);
    if (removal === undefined && ofCard !== undefined) {
      const removedBy = ofCard.code === "SCHEME_CAP" ? "scheme_cap" : "block";
      return {
        psp: psp.id,
        removedBy,
        detail: ofCard.detail,
        purposes: ofCard.purposes,
        rank: 0,
        score: noScore,
      };
    }
    const score = new Map<string, string>();
    if (removal === undefined) {
      const weight = findWeight(resolution.strategy, at);
      if (weight !== undefined) score.set("weight", String(weight));
      const cost = resolution.strategy?.kind === "least_cost" ? costOf(psp, routingCase) : undefined;
      if (cost !== undefined) {
        score.set("cost", formatMoney({ minorUnits: cost, currencyCode: routingCase.currency }));
      }
    }
    return {
      psp: psp.id,
      removedBy: removal?.filter ?? "",
      detail: removal?.detail ?? "",
      purposes: removal?.purposes ?? defaultPurposes,
      rank: route.order.indexOf(at) + 1,
      score,
    };
  });
}

const noScore: ReadonlyMap<string, string> = new Map();

function findWeight(strategy: Strategy | undefined, psp: number): number | undefined {
  return strategy?.kind === "weighted"
    ? strategy.weights.find((each) => each.psp === psp)?.weight
    : undefined;
}

function listFacets(draft: Draft, decision: Decision): Trace["facets"] {
  const { speakers } = draft.resolution;
  return facets.map((facet) => ({
    facet,
    winners: speakers
      .filter(({ won }) => (won & facetBits[facet]) !== 0)
      .map((speaker) => ({ id: speaker.id, purposes: purposesOf(speaker) })),
    result: describeResult(facet, draft, decision),
  }));
}

function describeResult(facet: Facet, draft: Draft, decision: Decision): string {
  const { resolution, route, workspace } = draft;
  const namePsp = (psp: number): string => workspace.snapshot.psps[psp]!.id;
  switch (facet) {
    case "verdict":
      return decision.verdict;
    case "score":
      return String(decision.riskScore);
    case "exclude":
    case "require":
      return route.order.map(namePsp).join(", ");
    case "cap": {
      const { maxMinor } = resolution.cap;
      if (maxMinor === undefined) return "";
      return formatMoney({ minorUnits: maxMinor, currencyCode: draft.routingCase.currency });
    }
    case "three_ds":
      return resolution.threeDs.wish.level;
    case "strategy":
      return resolution.strategy === undefined
        ? "by id"
        : `${resolution.strategy.kind} ${resolution.strategy.id}`;
    case "retry":
      return resolution.retryPolicy ?? "default";
    case "experience":
      return resolution.experience.methodOrder.join(", ");
    case "actions":
      return decision.actions.map(({ kind, key }) => (key === "" ? kind : `${kind} ${key}`)).join(", ");
  }
}

/** Sorted by name. */
function listFacts({ workspace, facts }: Draft): readonly JudgedFact[] {
  const { snapshot } = workspace;
  const known = vocabulary.map(
    (fact): JudgedFact => ({
      name: fact.path,
      value: formatValue(fact, fact.read(facts)),
      source: findSource(fact.path, facts),
      purposes: fact.purposes ?? defaultPurposes,
    }),
  );
  const sent = [...facts.payment.attributes].map(
    ([name, value]): JudgedFact => ({
      name: `attr.${name}`,
      value: JSON.stringify(value),
      source: "request",
      purposes: snapshot.attributes.get(name)?.purposes ?? defaultPurposes,
    }),
  );
  const stored = [...snapshot.playerAttributes.values()].map(
    ({ name, purposes }): JudgedFact => ({
      name: `player.${name}`,
      value: formatStored(facts, name),
      source: "player",
      purposes,
    }),
  );
  return [...known, ...sent, ...stored]
    .filter(({ name }, at, all) => all.findIndex((each) => each.name === name) === at)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function formatStored({ player, nowMs }: FactInput, name: string): string {
  const stored = player.attributes.get(name);
  if (stored === undefined) return "unknown";
  const hasEnded = stored.ttlMs !== undefined && nowMs >= stored.setAtMs + stored.ttlMs;
  return hasEnded ? "unknown" : JSON.stringify(stored.value);
}

function formatValue({ type }: Fact, value: Value): string {
  if (value === undefined) return "unknown";
  if (type === "timestamp" && typeof value === "number") return new Date(value).toISOString();
  return typeof value === "string" ? value : JSON.stringify(value);
}

const cardFields = {
  scheme: "scheme",
  funding: "funding",
  issuer: "issuer",
  issuer_country: "issuerCountry",
} as const;

function findSource(path: string, { payment }: FactInput): JudgedFact["source"] {
  if (path.startsWith("context.") || path === "player.age") return "derived";
  if (path.startsWith("player.") && path !== "player.id") return "player";
  if (path.startsWith("card.table_") || path === "card.prepaid") return "bin_table";
  const name = path.slice("card.".length);
  if (!path.startsWith("card.") || !(name in cardFields)) {
    return path.startsWith("card.funding_") ? "derived" : "request";
  }
  const given = payment.card?.[cardFields[name as keyof typeof cardFields]];
  return given === undefined ? "bin_table" : "request";
}

function listNotes({ facts, threeDs, card, route, workspace }: Draft): readonly string[] {
  const notes = [...listConflicts(facts)];
  if (route.isProbe) {
    const { id } = workspace.snapshot.psps[route.order[0]!]!;
    notes.push(`${id} is half-open: the payment tries whether it works again`);
  }
  for (const { id, used, declines } of card.caps)
    if (used > 0) notes.push(`scheme cap ${id}: ${used} of ${declines} declines`);
  const { unattended } = threeDs;
  if (!threeDs.applies || unattended === undefined) return notes;
  const who =
    unattended === "MIT" ? "the merchant starts the payment" : "the payment is by mail or telephone";
  notes.push(`${who}: only a floor of rules asks for 3DS, and no step-up is possible`);
  if (unattended === "MIT" && facts.payment.originalNetworkId === undefined) {
    notes.push("no original_network_id: the issuer cannot tell under which agreement, and may ask for SCA");
  }
  return notes;
}

/** Where caller and BIN table differ (`SEMANTICS.md` 2.4). */
function listConflicts({ payment, bin }: FactInput): readonly string[] {
  return Object.entries(cardFields).flatMap(([name, field]) => {
    const given = payment.card?.[field];
    const listed = bin[field];
    if (given === undefined || listed === undefined || given === listed) return [];
    const effect =
      name === "funding" ? "; REGULATORY and SAFER_GAMBLING see credit if either says credit" : "";
    return [
      `BIN conflict: card.${name} is ${given} by the caller, who counts for routing, and ${listed} by the BIN table${effect}`,
    ];
  });
}
