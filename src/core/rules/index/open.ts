import type { Predicate, Scalar } from "../../cel/expr.ts";
import type { IndexImage, KeyRange } from "./image.ts";
import { type OpenDimensions, RuleIndex } from "./match.ts";

/** Keys or predicates handled between two yields: well under a millisecond even while the code is cold. */
const STEP_ITEMS = 256;

/**
 * Makes an image ready to match, in steps: between two yields other work may run. The index owns the image from then on, and writes in its
 * pool. `predicateOf` is asked, while it opens, for every condition that its terms do not decide alone.
 */
export function* openIndexInSteps(
  image: IndexImage,
  predicateOf: (ordinal: number) => Predicate,
): Generator<void, RuleIndex> {
  const dimensions: OpenDimensions = { values: [], ranges: [], probes: [] };
  let rank = 0;
  for (const dimension of image.header.dimensions) {
    switch (dimension.kind) {
      case "values":
        dimensions.values.push({
          ...dimension,
          keys: yield* openKeys(image, dimension.keys),
          rank: rank++,
          applied: -1,
        });
        break;
      case "ranges":
        dimensions.ranges.push({ ...dimension, rank: rank++ });
        break;
      case "probes": {
        const { base, work } = dimension;
        const open: OpenDimensions["probes"][number] = { base, work, segments: [], lists: [], values: [] };
        for (const probe of dimension.probes) {
          if (probe.kind === "segment") {
            open.segments.push(probe);
          } else if (probe.kind === "list") {
            const group = open.lists.find(({ slot }) => slot === probe.slot);
            if (group === undefined) {
              open.lists.push({ slot: probe.slot, probes: [probe], known: new Map() });
            } else {
              group.probes.push(probe);
            }
          } else {
            open.values.push({ ...probe, keys: yield* openKeys(image, probe.keys) });
          }
        }
        dimensions.probes.push(open);
        break;
      }
    }
    yield;
  }
  return new RuleIndex(image, dimensions, yield* openPredicates(image, predicateOf));
}

/** `openIndexInSteps` in one go, for tests, benches and small rule sets. */
export function openIndex(image: IndexImage, predicateOf: (ordinal: number) => Predicate): RuleIndex {
  const steps = openIndexInSteps(image, predicateOf);
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

function* openKeys(image: IndexImage, range: KeyRange): Generator<void, Map<Scalar, number>> {
  const keys = new Map<Scalar, number>();
  for (let i = 0; i < range.count; i++) {
    keys.set(readKey(image, range, i), image.keyPostings[range.firstPosting + i]!);
    if (i % STEP_ITEMS === STEP_ITEMS - 1) {
      yield;
    }
  }
  return keys;
}

function readKey(image: IndexImage, range: KeyRange, index: number): Scalar {
  const at = range.first + index;
  switch (range.type) {
    case "number":
      return image.numbers[at]!;
    case "bool":
      return image.numbers[at] === 1;
    case "text":
      return readText(image, at);
  }
}

/** Argument lists have a bounded length, so long keys are read in pieces. */
const UNITS_PER_CALL = 4096;

function readText(image: IndexImage, at: number): string {
  const end = image.textEnds[at]!;
  let text = "";
  for (let from = at === 0 ? 0 : image.textEnds[at - 1]!; from < end; from += UNITS_PER_CALL) {
    text += String.fromCharCode(...image.text.subarray(from, Math.min(end, from + UNITS_PER_CALL)));
  }
  return text;
}

function* openPredicates(
  image: IndexImage,
  predicateOf: (ordinal: number) => Predicate,
): Generator<void, Predicate[]> {
  const { positions, predicateRow } = image.header;
  const predicates: Predicate[] = [];
  for (let position = 0; position < positions; position++) {
    const asked = (image.pool[predicateRow + (position >>> 5)]! >>> (position & 31)) & 1;
    predicates.push(asked === 1 ? predicateOf(image.ordinals[position]!) : neverAsked);
    if (position % STEP_ITEMS === STEP_ITEMS - 1) {
      yield;
    }
  }
  return predicates;
}

function neverAsked(): never {
  throw new Error("index: the predicate of a condition that its terms decide was asked");
}
