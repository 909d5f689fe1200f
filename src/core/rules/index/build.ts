import type { Scalar } from "../../cel/expr.ts";
import { writeRanges } from "./build-ranges.ts";
import type { Dimension, IndexImage, Probe } from "./image.ts";
import { type IndexedCondition, type PlannedCondition, type ProbeTest, planIndex } from "./plan.ts";
import { ImageWriter } from "./rows.ts";
import type { Check } from "./terms.ts";
import { listPoints } from "./value-set.ts";

/**
 * Builds the index of a list of conditions; a condition's ordinal is its place in the list. Takes tens of milliseconds for 10,000
 * conditions, so it runs in a worker; the image is all flat buffers but for a small header. Never fails.
 */
export function buildIndex(conditions: readonly IndexedCondition[]): IndexImage {
  const plan = planIndex(conditions);
  const valueSlots = plan.slots.filter(({ kind }) => kind === "values").map(({ slot }) => slot);
  const placed = orderConditions(plan.conditions, valueSlots);
  const writer = new ImageWriter(placed.length);
  const allRow = writer.addRow(placed.keys());
  const matchUnknownRow = writer.addRow(findPositions(placed, ({ matchUnknown }) => matchUnknown));
  const incompleteRow = writer.addRow(findPositions(placed, ({ complete }) => !complete));
  const asked = new Set(findPositions(placed, ({ matchUnknown, complete }) => matchUnknown || !complete));
  const dimensions: Dimension[] = [];
  for (const { slot, kind } of plan.slots) {
    dimensions.push(
      kind === "values" ? writeValues(writer, placed, slot) : writeRanges(writer, placed, slot, asked),
    );
  }
  for (const which of ["segment", "access", "list"] as const) {
    if (placed.some((condition) => condition[which] !== undefined)) {
      dimensions.push(writeProbes(writer, placed, which));
    }
  }
  const header = {
    conditions: conditions.length,
    positions: placed.length,
    words: writer.words,
    summaryWords: writer.summaryWords,
    allRow,
    matchUnknownRow,
    incompleteRow,
    predicateRow: writer.addRow(asked),
    dimensions,
  };
  const ordinals = Int32Array.from(placed, ({ ordinal }) => ordinal);
  return { header, ...writer.finish(), ordinals, ...writeChecks(placed) };
}

/** How many dimensions the order of positions looks at: beyond it, runs of alike conditions are too short to matter. */
const ORDER_DEPTH = 4;

/** Puts conditions that ask for the same values side by side, so that most words of a decision's rows are zero together. */
function orderConditions(
  conditions: readonly PlannedCondition[],
  slots: readonly number[],
): PlannedCondition[] {
  const numbering = new Map<string, number>();
  const keyed = conditions.map((condition) => {
    const key = slots.slice(0, ORDER_DEPTH).map((slot) => {
      const points = listPoints(condition.constraints.get(slot)?.set ?? { kind: "flat", all: true });
      if (points === undefined || points.negated) {
        return -1;
      }
      // Conditions with several values would spoil the runs of those with one, so they lie apart.
      const [value, second] = points.values;
      const name = second === undefined ? `${slot} ${value}` : `${slot}`;
      const known = numbering.get(name) ?? numbering.size;
      numbering.set(name, known);
      return known;
    });
    return { condition, key };
  });
  keyed.sort((a, b) => {
    const at = a.key.findIndex((part, i) => part !== b.key[i]);
    return at === -1 ? a.condition.ordinal - b.condition.ordinal : a.key[at]! - b.key[at]!;
  });
  return keyed.map(({ condition }) => condition);
}

function findPositions(
  placed: readonly PlannedCondition[],
  holds: (condition: PlannedCondition) => boolean,
): number[] {
  return placed.flatMap((condition, position) => (holds(condition) ? [position] : []));
}

type DraftChange = { readonly added: number[]; readonly removed: number[] };

function writeValues(writer: ImageWriter, placed: readonly PlannedCondition[], slot: number): Dimension {
  const base: number[] = [];
  const atUnknown: DraftChange = { added: [], removed: [] };
  const changes = new Map<Scalar, DraftChange>();
  for (const [position, { constraints, matchUnknown }] of placed.entries()) {
    const constraint = constraints.get(slot);
    const { negated, values } = (constraint && listPoints(constraint.set)) ?? { negated: true, values: [] };
    if (negated) {
      base.push(position);
    }
    for (const value of values) {
      const change = changes.get(value) ?? { added: [], removed: [] };
      changes.set(value, change);
      (negated ? change.removed : change.added).push(position);
    }
    const stays = constraint === undefined || (constraint.unknown ?? matchUnknown);
    if (stays !== negated) {
      (stays ? atUnknown.added : atUnknown.removed).push(position);
    }
  }
  const row = writer.addRow(base);
  const keys = new Map([...changes].map(([value, change]) => [value, writer.addReplacement(row, change)]));
  return {
    kind: "values",
    slot,
    base: row,
    work: writer.copyRow(row),
    keys: writer.addKeys(keys),
    unknown: writer.addReplacement(row, atUnknown),
  };
}

function writeProbes(
  writer: ImageWriter,
  placed: readonly PlannedCondition[],
  which: "segment" | "access" | "list",
): Dimension {
  const groups = new Map<string, { readonly test: ProbeTest; readonly positions: number[] }>();
  for (const [position, condition] of placed.entries()) {
    const test = condition[which];
    if (test !== undefined) {
      const name = nameProbe(test);
      const group = groups.get(name) ?? { test, positions: [] };
      groups.set(name, group);
      group.positions.push(position);
    }
  }
  const base = writer.addRow(findPositions(placed, (condition) => condition[which] === undefined));
  const probes = [...groups.values()].map(({ test, positions }) =>
    writeProbe(writer, placed, { base, test, positions, which }),
  );
  return { kind: "probes", base, work: writer.copyRow(base), probes };
}

function nameProbe(test: ProbeTest): string {
  switch (test.kind) {
    case "segment":
      return `${test.segment}`;
    case "list":
      return `${test.slot} ${test.list}`;
    case "value":
      return `${test.slot}`;
  }
}

function writeProbe(
  writer: ImageWriter,
  placed: readonly PlannedCondition[],
  group: {
    readonly base: number;
    readonly test: ProbeTest;
    readonly positions: readonly number[];
    readonly which: "segment" | "access" | "list";
  },
): Probe {
  const { test, positions, which } = group;
  const { base } = group;
  const unknown = writer.addAddition(
    base,
    positions.filter((position) => placed[position]!.matchUnknown),
  );
  switch (test.kind) {
    case "segment":
      return {
        kind: "segment",
        segment: test.segment,
        posting: writer.addAddition(base, positions),
        unknown,
      };
    case "list": {
      const posting = writer.addAddition(base, positions);
      return { kind: "list", slot: test.slot, list: test.list, posting, unknown };
    }
    case "value": {
      const byValue = new Map<Scalar, number[]>();
      for (const position of positions) {
        const own = placed[position]![which];
        for (const value of own?.kind === "value" ? own.values : []) {
          // NaN equals nothing, though a map would find it.
          if (!Number.isNaN(value)) {
            byValue.set(value, [...(byValue.get(value) ?? []), position]);
          }
        }
      }
      const keys = new Map([...byValue].map(([value, own]) => [value, writer.addAddition(base, own)]));
      return { kind: "value", slot: test.slot, keys: writer.addKeys(keys), unknown };
    }
  }
}

function writeChecks(
  placed: readonly PlannedCondition[],
): Pick<IndexImage, "checkStarts" | "checks" | "tests"> {
  const numbers = new Map<string, number>();
  const tests: number[] = [];
  const checks: number[] = [];
  const starts = [0];
  for (const condition of placed) {
    // Segments first: they cost a load, lists a look-up.
    const ordered = condition.checks.toSorted(
      (a, b) => Number(a.kind === "list") - Number(b.kind === "list"),
    );
    for (const check of ordered) {
      checks.push(2 * numberTest(check, numbers, tests) + Number(check.wanted));
    }
    starts.push(checks.length);
  }
  return {
    checkStarts: Int32Array.from(starts),
    checks: Int32Array.from(checks),
    tests: Int32Array.from(tests),
  };
}

function numberTest(check: Check, numbers: Map<string, number>, tests: number[]): number {
  const slot = check.kind === "segment" ? -1 : check.slot;
  const target = check.kind === "segment" ? check.segment : check.list;
  const name = `${slot} ${target}`;
  const known = numbers.get(name);
  if (known !== undefined) {
    return known;
  }
  numbers.set(name, numbers.size);
  tests.push(slot, target);
  return numbers.size - 1;
}
