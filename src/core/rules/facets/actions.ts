import type { DueAction } from "../../decision.ts";
import { marketingActions } from "../effects-by-class.ts";
import { type Action, type ActionKind, actionKinds } from "../snapshot.ts";
import { facetBits, lose, purposesOf, rank, type Speaker, win } from "../speaker.ts";

export type ActionsFacet = {
  /** Sorted by kind (in the order of the contract), then key; no two alike. */
  readonly actions: readonly DueAction[];
  readonly removedActions: readonly DueAction[];
};

const protective: ReadonlySet<ActionKind> = new Set([
  "COOL_OFF_PROMPT",
  "TIME_OUT",
  "LIMIT_PROMPT",
  "SUPPRESS_MARKETING",
]);

export const noActions: ActionsFacet = { actions: [], removedActions: [] };

/**
 * *Actions: a union, except that a protective action from 1-2, a restriction or a strong harm marker removes every offer, reward, nudge and CRM
 * trigger of lower classes, listed as losers* (`SEMANTICS.md` 3.2). A strong harm marker is a SAFER_GAMBLING rule that denies or reviews.
 *
 * `restriction` names the restriction that suppresses marketing, if one does. Overrides lift no action.
 */
export function resolveActions(speakers: readonly Speaker[], restriction: string | undefined): ActionsFacet {
  const stop = restriction ?? speakers.find(stopsMarketing)?.id;
  const kept: DueAction[] = [];
  const removed: DueAction[] = [];
  for (const speaker of speakers) {
    if (!speaksOfActions(speaker)) continue;
    const actions = speaker.effects.actions!;
    const isRemoved = ({ kind }: Action): boolean =>
      stop !== undefined && rank(speaker) > 2 && marketingActions.has(kind);
    if (!actions.every(isRemoved)) win(speaker, "actions");
    if (actions.some(isRemoved)) lose(speaker, "actions", stop!, "protection removes offers and triggers");
    const purposes = purposesOf(speaker);
    for (const action of actions) (isRemoved(action) ? removed : kept).push({ ...action, purposes });
  }
  return { actions: mergeActions(kept), removedActions: mergeActions(removed) };
}

/**
 * Adds what limits ask for to what rules do: a protective action of a limit of class 1 or 2 removes offers and triggers too.
 *
 * Shapes: as `resolveActions`.
 */
export function addLimitActions(
  facet: ActionsFacet,
  wanted: readonly {
    readonly actions: readonly Action[];
    readonly purposes: DueAction["purposes"];
    readonly isProtective: boolean;
  }[],
): ActionsFacet {
  const added = wanted.flatMap(({ actions, purposes }) => actions.map((action) => ({ ...action, purposes })));
  if (added.length === 0) return facet;
  const stops = wanted.some(
    ({ actions, isProtective }) => isProtective && actions.some(({ kind }) => protective.has(kind)),
  );
  const all = [...facet.actions, ...added];
  const isRemoved = ({ kind }: Action): boolean => stops && marketingActions.has(kind);
  return {
    actions: mergeActions(all.filter((action) => !isRemoved(action))),
    removedActions: mergeActions([...facet.removedActions, ...all.filter(isRemoved)]),
  };
}

function speaksOfActions({ speaks }: Speaker): boolean {
  return (speaks & facetBits.actions) !== 0;
}

function stopsMarketing(speaker: Speaker): boolean {
  const { effects, ruleClass } = speaker;
  if (rank(speaker) > 2) return false;
  if (effects.actions?.some(({ kind }) => protective.has(kind))) return true;
  return ruleClass === "SAFER_GAMBLING" && (speaker.speaks & facetBits.verdict) !== 0;
}

/** Sorts; an action that several rules want is listed once, for the purposes of all of them. */
function mergeActions(actions: DueAction[]): readonly DueAction[] {
  if (actions.length < 2) return actions;
  const merged: DueAction[] = [];
  for (const action of actions.sort(compareActions)) {
    const before = merged.at(-1);
    if (before === undefined || compareActions(before, action) !== 0) merged.push(action);
    else {
      const purposes = [...new Set([...before.purposes, ...action.purposes])].sort();
      merged[merged.length - 1] = { ...before, purposes };
    }
  }
  return merged;
}

function compareActions(a: Action, b: Action): number {
  const byKind = actionKinds.indexOf(a.kind) - actionKinds.indexOf(b.kind);
  return byKind || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
