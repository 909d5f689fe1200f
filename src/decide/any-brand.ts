import { type FactInput, readJurisdictions } from "../core/facts.ts";
import type { LimitReading } from "../core/limits/limit.ts";
import type { DecisionState } from "./judge.ts";
import { readPossibleLimits } from "./limits.ts";
import type { Workspace } from "./workspace.ts";

/** Limits that payments of a player may fall under, whichever brand they are at. */
export type LimitsOfAnyBrand = {
  /** The tightest first. */
  readonly readings: readonly LimitReading[];
  /** Those that hold at some brands only, by id. */
  readonly scopes: readonly LimitScope[];
};

export type LimitScope = {
  readonly limitId: string;
  /** Declared brands at which it holds, sorted. */
  readonly brands: readonly string[];
  /** Whether it holds for payments that name no brand. */
  readonly withoutBrand: boolean;
};

/**
 * Reads the limits of a player without a payment in sight, under the jurisdictions that payments can have: the verified country with the licence of
 * each brand, or with none (`SEMANTICS.md` 2.3). What else only a payment tells stays unknown.
 *
 * `facts` are of no payment, and the frame must be filled for them; it is left as it was.
 */
export function readLimitsOfAnyBrand(
  workspace: Workspace,
  facts: FactInput,
  state: DecisionState,
): LimitsOfAnyBrand {
  const { snapshot, frame } = workspace;
  const { licenceOfBrand } = snapshot;
  const jurisdictionSlots = findSlots(workspace, "context.jurisdictions");
  const licenceSlots = findSlots(workspace, "context.licence");
  const suppose = (licence: string | undefined, jurisdictions: readonly string[] | undefined): void => {
    for (const slot of jurisdictionSlots) frame.values[slot] = jurisdictions;
    for (const slot of licenceSlots) frame.values[slot] = licence;
    snapshot.matchSegments(frame);
  };
  const licences = [...new Set([undefined, ...licenceOfBrand.values()])];
  const possible = readPossibleLimits(workspace, facts, state, {
    count: licences.length,
    suppose: (at) => suppose(licences[at], readJurisdictions({ ...facts, licence: licences[at] })),
  });
  suppose(undefined, undefined);
  const brands = [...snapshot.brands].sort();
  const scopes = [...possible.heldUnder]
    .filter(([, held]) => held.size < licences.length)
    .map(([limitId, held]) => ({
      limitId,
      brands: brands.filter((brand) => held.has(licences.indexOf(licenceOfBrand.get(brand)))),
      withoutBrand: held.has(0),
    }));
  return { readings: possible.readings, scopes: scopes.sort((a, b) => (a.limitId < b.limitId ? -1 : 1)) };
}

function findSlots({ snapshot: { slots } }: Workspace, path: string): readonly number[] {
  return [...slots.keys()].filter((slot) => {
    const source = slots[slot]!;
    return source.kind === "field" && source.path === path;
  });
}
