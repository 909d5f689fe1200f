import type { Frame } from "../core/cel/expr.ts";
import { buildFrameReader, createFrame, type FrameReader } from "../core/features/frame-reader.ts";
import type { SubjectKind } from "../core/history/history.ts";
import { buildLimits, type LimitBook } from "../core/limits/build-limits.ts";
import { createRouter, type Router } from "../core/routing/route.ts";
import type { Removals } from "../core/rules/facets/psps.ts";
import type { OverrideSet } from "../core/rules/override-set.ts";
import type { Matches, RuleSnapshot } from "../core/rules/snapshot.ts";
import { type CardReader, createCardReader } from "./card.ts";

/** What every decision on one rule set writes into, allotted once: deciding is synchronous, so decisions never share it at one time. */
export type Workspace = {
  readonly snapshot: RuleSnapshot;
  readonly frame: Frame;
  readonly read: FrameReader;
  readonly matches: Matches;
  readonly router: Router;
  readonly removals: Removals;
  readonly limits: LimitBook;
  readonly cards: CardReader;
  /** What limits count by. */
  readonly subjectKinds: ReadonlySet<SubjectKind>;
  /** Whether some limit counts by PSP or account. */
  readonly hasPspLimits: boolean;
  /** Whether maintenance of some PSP is announced. */
  readonly hasMaintenance: boolean;
  /** Of the overrides that were seen last: their frame has slots of its own and the segments of the rule set. */
  overrides: OverrideWorkspace | undefined;
};

export type OverrideWorkspace = {
  readonly set: OverrideSet;
  readonly frame: Frame;
  readonly read: FrameReader;
};

/** Workspaces die with their rule sets. */
const workspaces = new WeakMap<RuleSnapshot, Workspace>();
/** The same rule set decides many payments in a row. */
let latest: Workspace | undefined;

/** The workspace of a rule set, made at its first decision. */
export function openWorkspace(snapshot: RuleSnapshot): Workspace {
  if (latest?.snapshot === snapshot) return latest;
  let workspace = workspaces.get(snapshot);
  if (workspace === undefined) {
    workspace = createWorkspace(snapshot);
    workspaces.set(snapshot, workspace);
  }
  latest = workspace;
  return workspace;
}

/** The part of the workspace that overrides are read into. */
export function openOverrides(workspace: Workspace, set: OverrideSet): OverrideWorkspace {
  let open = workspace.overrides;
  if (open?.set !== set) {
    const { snapshot, frame } = workspace;
    open = {
      set,
      frame: { ...createFrame(set.slots, snapshot), segments: frame.segments },
      read: buildFrameReader(set.slots, snapshot),
    };
    workspace.overrides = open;
  }
  return open;
}

function createWorkspace(snapshot: RuleSnapshot): Workspace {
  const { slots, rules, psps, limits } = snapshot;
  return {
    snapshot,
    frame: createFrame(slots, snapshot),
    read: buildFrameReader(slots, snapshot),
    matches: { ordinals: new Int32Array(rules.length), flags: new Uint8Array(rules.length) },
    router: createRouter(psps),
    removals: { excluded: new Uint8Array(psps.length), unrequired: new Uint8Array(psps.length) },
    limits: buildLimits(snapshot),
    cards: createCardReader(snapshot),
    subjectKinds: new Set(limits.map(({ subject }) => subject)),
    hasMaintenance: psps.some(({ maintenance }) => maintenance.length > 0),
    hasPspLimits: limits.some(({ subject }) => subject === "psp" || subject === "mid"),
    overrides: undefined,
  };
}
