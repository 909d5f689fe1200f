import { type BinTable, lookUpBin, unknownBin } from "../core/bin/bin-table.ts";
import type { FactInput } from "../core/facts.ts";
import type { History, Subject } from "../core/history/history.ts";
import type { Hold } from "../core/limits/limit.ts";
import type { Payment } from "../core/payment.ts";
import type { Player } from "../core/player.ts";
import type { Reason } from "../core/reason.ts";
import { findMarketingStop, judgeRestrictions, restrictionId } from "../core/restrictions.ts";
import { matchOverrides, type OverrideSet } from "../core/rules/override-set.ts";
import { collectVoices, type Resolution, resolveRules, type Shadow } from "../core/rules/resolve.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { Speaker } from "../core/rules/speaker.ts";
import type { PspStateKind } from "../ports/psp-state-store.ts";
import type { BreakerBoard } from "./breakers.ts";
import { openOverrides, openWorkspace, type Workspace } from "./workspace.ts";

/** What a merchant decides by: one rule set, and the overrides held against it. */
export type ActiveRules = { readonly snapshot: RuleSnapshot; readonly overrides: OverrideSet };

/** The state of the world that a decision reads. */
export type DecisionState = {
  /** `undefined` where nothing is stored of the player. */
  readonly player: Player | undefined;
  /** The player's events; undefined where there are none. */
  readonly history?: History | undefined;
  /** Events of the merchant are complete from here on, ms since the epoch. */
  readonly coveredFromMs?: number | undefined;
  /** Truths of segments with a memory, advanced to now. */
  readonly remember?: (snapshot: RuleSnapshot, facts: FactInput) => Uint8Array | undefined;
  readonly pspStates: ReadonlyMap<string, PspStateKind>;
  /** Undefined where every breaker is closed. */
  readonly breakers?: BreakerBoard | undefined;
  readonly bins: BinTable;
  /** Whether the present is the machine's, and not that of each call. */
  readonly isServerClock?: boolean;
  /** What limits are read from; where absent nothing was ever paid. */
  readonly ledger?: {
    readonly historyOf: (subject: Subject) => History | undefined;
    readonly holdsOf: (subject: Subject) => readonly Hold[];
    /** Holds with attempts of a card. */
    readonly attemptsOf: (card: string) => readonly Hold[];
  };
};

/** A payment at an instant, with all that segments, rules and limits read of it. Read it before the next one is set: the workspace is shared. */
export type Scene = {
  readonly workspace: Workspace;
  readonly facts: FactInput;
  readonly state: DecisionState;
};

/** What rules, overrides and restrictions say of a payment; as short-lived as its scene. */
export type Judgement = {
  readonly workspace: Workspace;
  readonly facts: FactInput;
  readonly shadows: readonly Shadow[];
  readonly resolution: Resolution;
  /** Why a restriction forbids the payment; empty where none does. */
  readonly restrictions: readonly Reason[];
};

export type JudgeOptions = {
  /** RISK reviews that a reviewer approved. */
  readonly approvedReviews: readonly string[];
  /** Attempts that the payment has had; none where absent. */
  readonly attempts?: number;
  /** Which speakers count; all where absent. */
  readonly heard?: (speaker: Speaker) => boolean;
};

const noRestrictions: Player["restrictions"] = [];
const noAttributes: Player["attributes"] = new Map();

/** Sets the scene: facts -> features -> segments. */
export function setScene(
  snapshot: RuleSnapshot,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
): Scene {
  const workspace = openWorkspace(snapshot);
  const facts = readFacts(snapshot, payment, state, nowMs);
  readFrame(workspace, facts, state);
  snapshot.matchSegments(workspace.frame);
  return { workspace, facts, state };
}

/** Judges a payment where it stands: rules -> overrides -> restrictions -> who beats whom. The scene must be of the same rule set. */
export function judgePayment(
  { snapshot, overrides }: ActiveRules,
  { workspace, facts }: Scene,
  { approvedReviews, heard }: JudgeOptions,
): Judgement {
  const { frame, matches } = workspace;
  const { payment, nowMs } = facts;
  const found = snapshot.matchRules(frame, matches);
  const acting = findActing(workspace, overrides, facts);
  const { speakers, shadows } = collectVoices(snapshot.rules, { matches, found }, acting, { payment, nowMs });

  const { restrictions } = facts.player;
  const stop = restrictions.length === 0 ? undefined : findMarketingStop(restrictions, nowMs);
  const resolution = resolveRules(heard === undefined ? speakers : speakers.filter(heard), {
    payment,
    fx: snapshot.fx,
    riskThresholds: snapshot.riskThresholds,
    approvedReviews,
    marketingStop: stop === undefined ? undefined : restrictionId(stop),
  });
  const closing = judgeRestrictions(restrictions, { kind: payment.kind, nowMs });
  return { workspace, facts, shadows, resolution, restrictions: closing };
}

/** Fills the frame with all that segments and rules read. */
export function readFrame(
  { snapshot, frame, read }: Workspace,
  facts: FactInput,
  { coveredFromMs, remember }: Pick<DecisionState, "coveredFromMs" | "remember">,
): void {
  frame.evalErrors = 0;
  read(facts, frame);
  frame.coveredFromMs = coveredFromMs;
  frame.remembered = remember?.(snapshot, facts);
}

/** All that facts are read from. */
function readFacts(
  { licenceOfBrand }: RuleSnapshot,
  payment: Payment,
  { player, bins, history }: DecisionState,
  nowMs: number,
): FactInput {
  const bin = payment.card?.bin;
  return {
    payment,
    player: player ?? { playerId: payment.playerId, attributes: noAttributes, restrictions: noRestrictions },
    bin: bin === undefined ? unknownBin : lookUpBin(bins, bin),
    licence: licenceOfBrand.get(payment.brand),
    nowMs,
    history,
  };
}

function findActing(
  workspace: Workspace,
  overrides: OverrideSet,
  facts: FactInput,
): ReturnType<typeof matchOverrides> {
  if (overrides.overrides.length === 0) return [];
  const { frame, read } = openOverrides(workspace, overrides);
  read(facts, frame);
  return matchOverrides(overrides, { payment: facts.payment, frame, nowMs: facts.nowMs });
}
