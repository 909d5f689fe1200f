import type { Frame, Predicate, Scalar, Value } from "../../cel/expr.ts";
import type { Dimension, IndexImage, Probe } from "./image.ts";

/**
 * Where `RuleIndex.match` writes: `ordinals` ascending, and in `flags` how each matched: 0 true; 1 through unknown; 2 through unknown
 * because of an evaluation error. Both have room for as many as there are conditions.
 */
export type Matches = {
  readonly ordinals: Int32Array;
  readonly flags: Uint8Array;
};

/** Room for the matches of an index over so many conditions. */
export function createMatches(conditions: number): Matches {
  return { ordinals: new Int32Array(conditions), flags: new Uint8Array(conditions) };
}

type ValueDimension = Omit<Extract<Dimension, { kind: "values" }>, "keys"> & {
  readonly keys: ReadonlyMap<Value, number>;
  /** Its place among the rows of a call. */
  readonly rank: number;
  /** The posting that `work` is patched with, or -1. */
  applied: number;
};
type RangeDimension = Extract<Dimension, { kind: "ranges" }> & { readonly rank: number };
type SegmentProbe = Extract<Probe, { kind: "segment" }>;
/** All list probes of one slot in one dimension. `known` remembers, for values seen before, the postings of the lists that hold them. */
type ListGroup = {
  readonly slot: number;
  readonly probes: Extract<Probe, { kind: "list" }>[];
  readonly known: Map<Value, Int32Array>;
};
type ValueProbe = Omit<Extract<Probe, { kind: "value" }>, "keys"> & {
  readonly keys: ReadonlyMap<Value, number>;
};
type ProbeDimension = {
  readonly base: number;
  readonly work: number;
  readonly segments: SegmentProbe[];
  readonly lists: ListGroup[];
  readonly values: ValueProbe[];
};

/** The dimensions of an image with their keys in maps. */
export type OpenDimensions = {
  readonly values: ValueDimension[];
  readonly ranges: RangeDimension[];
  readonly probes: ProbeDimension[];
};

const FALSE = 0;
const TRUE = 1;
const UNKNOWN = 2;

/** Where stamps start again, before they would leave the 32 bits that they are kept in. */
const STAMP_MAX = 0x7fff_ffff;

/**
 * Finds all conditions that a frame matches, touching few of them: each dimension picks a row of bits, and only the conditions that survive
 * the conjunction of the rows are looked at one by one. Keeps scratch between calls, so calls must not nest, and remembers what
 * `frame.lists` said, so they must be the same in all of them.
 */
export class RuleIndex {
  /** Number of conditions that were indexed. */
  readonly conditions: number;
  readonly #image: IndexImage;
  readonly #dimensions: OpenDimensions;
  readonly #predicates: readonly Predicate[];
  // Fields of the image that are read all the time.
  readonly #pool: Int32Array;
  readonly #ordinals: Int32Array;
  readonly #checkStarts: Int32Array;
  readonly #checks: Int32Array;
  readonly #tests: Int32Array;
  readonly #matchUnknownRow: number;
  readonly #incompleteRow: number;
  readonly #words: number;
  readonly #summaryWords: number;
  /** Offsets of the rows of this call, first to last as they narrow best, and of the doubt rows. */
  readonly #rows: Int32Array;
  readonly #doubts: Int32Array;
  #doubtCount = 0;
  /** Postings added by the probes of this call: offsets of dense rows and numbers of sparse ones, and where each dimension's end. */
  readonly #dense: Int32Array;
  readonly #denseEnds: Int32Array;
  #denseCount = 0;
  readonly #sparse: Int32Array;
  readonly #sparseEnds: Int32Array;
  #sparseCount = 0;
  /** The last call that added each posting: a list slot may hold one element twice. */
  readonly #addedStamps: Int32Array;
  #sawUnknown = false;
  /** Truth of each test, valid where its stamp is that of the call. */
  readonly #truths: Uint8Array;
  readonly #stamps: Int32Array;
  #stamp = 0;
  /** Matches of this call by ordinal: a bit each, a bit per word that is not zero, and the flag. */
  readonly #found: Int32Array;
  readonly #foundSummary: Int32Array;
  readonly #foundFlags: Uint8Array;

  constructor(image: IndexImage, dimensions: OpenDimensions, predicates: readonly Predicate[]) {
    const { conditions, words, summaryWords } = image.header;
    this.conditions = conditions;
    this.#image = image;
    this.#dimensions = dimensions;
    this.#predicates = predicates;
    this.#pool = image.pool;
    this.#ordinals = image.ordinals;
    this.#checkStarts = image.checkStarts;
    this.#checks = image.checks;
    this.#tests = image.tests;
    this.#matchUnknownRow = image.header.matchUnknownRow;
    this.#incompleteRow = image.header.incompleteRow;
    this.#words = words;
    this.#summaryWords = summaryWords;
    // Where there is no row to pick, all conditions survive.
    this.#rows = new Int32Array(Math.max(1, dimensions.values.length + dimensions.ranges.length));
    this.#rows[0] = image.header.allRow;
    this.#doubts = new Int32Array(dimensions.ranges.length);
    const postings = image.postings.length / 3;
    this.#dense = new Int32Array(postings);
    this.#denseEnds = new Int32Array(dimensions.probes.length);
    this.#sparse = new Int32Array(postings);
    this.#sparseEnds = new Int32Array(dimensions.probes.length);
    this.#addedStamps = new Int32Array(postings);
    this.#truths = new Uint8Array(image.tests.length / 2);
    this.#stamps = new Int32Array(image.tests.length / 2);
    this.#found = new Int32Array(Math.ceil(conditions / 32));
    this.#foundSummary = new Int32Array(Math.ceil(conditions / 1024));
    this.#foundFlags = new Uint8Array(conditions);
  }

  /**
   * Writes all matching conditions to `matches` and returns their number: those that are true, and those indexed with `matchUnknown` that
   * are unknown. Throws where `matches` is too small. `frame.evalErrors` may grow by the errors of the predicates that were asked.
   */
  match(frame: Frame, matches: Matches): number {
    if (matches.ordinals.length < this.conditions || matches.flags.length < this.conditions) {
      throw new RangeError(`index: room for ${matches.ordinals.length} of ${this.conditions} matches`);
    }
    this.#startCall();
    this.#pickValues(frame);
    this.#pickRanges(frame);
    this.#addProbes(frame);
    this.#scan(frame);
    return this.#writeFound(matches);
  }

  #startCall(): void {
    this.#cleanProbes();
    this.#sawUnknown = false;
    this.#doubtCount = 0;
    this.#denseCount = 0;
    this.#sparseCount = 0;
    this.#stamp++;
    if (this.#stamp === STAMP_MAX) {
      this.#stamps.fill(0);
      this.#addedStamps.fill(0);
      this.#stamp = 1;
    }
  }

  #pickValues(frame: Frame): void {
    const { postings } = this.#image;
    for (const dimension of this.#dimensions.values) {
      const value = frame.values[dimension.slot];
      let posting = dimension.unknown;
      if (value === undefined) {
        this.#sawUnknown = true;
      } else {
        posting = dimension.keys.get(value) ?? -1;
      }
      let row = dimension.base;
      if (posting !== -1) {
        const dense = postings[3 * posting]!;
        if (dense !== -1) {
          row = dense;
        } else {
          row = dimension.work;
          if (dimension.applied !== posting) {
            this.#replace(dimension, posting);
          }
        }
      }
      this.#rows[dimension.rank] = row;
    }
  }

  /** Makes the work row that of a posting. It is left so until another is wanted: alike payments come in bursts. */
  #replace(dimension: ValueDimension, posting: number): void {
    const { postings, patches } = this.#image;
    const pool = this.#pool;
    const { base, work, applied } = dimension;
    if (applied !== -1) {
      const end = postings[3 * applied + 2]!;
      for (let i = postings[3 * applied + 1]!; i < end; i += 2) {
        const word = patches[i]!;
        this.#setWord(work, word, pool[base + word]!);
      }
    }
    const end = postings[3 * posting + 2]!;
    for (let i = postings[3 * posting + 1]!; i < end; i += 2) {
      this.#setWord(work, patches[i]!, patches[i + 1]!);
    }
    dimension.applied = posting;
  }

  #setWord(row: number, word: number, bits: number): void {
    this.#pool[row + word] = bits;
    const at = row + this.#words + (word >>> 5);
    const bit = 1 << (word & 31);
    this.#pool[at] = bits === 0 ? this.#pool[at]! & ~bit : this.#pool[at]! | bit;
  }

  #pickRanges(frame: Frame): void {
    const { numbers, cellRows } = this.#image;
    for (const dimension of this.#dimensions.ranges) {
      const value = frame.values[dimension.slot];
      const cells = 2 * dimension.bounds + 1;
      let cell = cells;
      if (typeof value !== "number") {
        cell = cells + 1;
        this.#sawUnknown = true;
      } else if (!Number.isNaN(value)) {
        let low = 0;
        let high = dimension.bounds;
        while (low < high) {
          const middle = (low + high) >>> 1;
          if (numbers[dimension.firstBound + middle]! < value) {
            low = middle + 1;
          } else {
            high = middle;
          }
        }
        const equal = low < dimension.bounds && numbers[dimension.firstBound + low] === value;
        cell = 2 * low + (equal ? 1 : 0);
      }
      this.#rows[dimension.rank] = cellRows[dimension.firstCell + cell]!;
      if (dimension.firstDoubt !== -1) {
        this.#doubts[this.#doubtCount++] = cellRows[dimension.firstDoubt + cell]!;
      }
    }
  }

  #addProbes(frame: Frame): void {
    const { probes } = this.#dimensions;
    for (let d = 0; d < probes.length; d++) {
      const { work, segments, lists, values } = probes[d]!;
      for (let i = 0; i < segments.length; i++) {
        this.#addSegment(work, frame, segments[i]!);
      }
      for (let i = 0; i < lists.length; i++) {
        this.#addLists(work, frame, lists[i]!);
      }
      for (let i = 0; i < values.length; i++) {
        this.#addValues(work, frame.values[values[i]!.slot], values[i]!);
      }
      this.#denseEnds[d] = this.#denseCount;
      this.#sparseEnds[d] = this.#sparseCount;
    }
  }

  #addSegment(work: number, frame: Frame, probe: SegmentProbe): void {
    const truth = frame.segments[probe.segment];
    if (truth === TRUE) {
      this.#add(work, probe.posting);
    } else if (truth === UNKNOWN) {
      this.#sawUnknown = true;
      this.#add(work, probe.unknown);
    }
  }

  #addLists(work: number, frame: Frame, { slot, probes, known }: ListGroup): void {
    const value = frame.values[slot];
    if (value === undefined) {
      this.#sawUnknown = true;
      for (let i = 0; i < probes.length; i++) {
        this.#add(work, probes[i]!.unknown);
      }
      return;
    }
    const holding = known.get(value) ?? learnLists(frame, value as string, probes, known);
    for (let i = 0; i < holding.length; i++) {
      this.#add(work, holding[i]!);
    }
  }

  #addValues(work: number, value: Value, probe: ValueProbe): void {
    if (value === undefined) {
      this.#sawUnknown = true;
      this.#add(work, probe.unknown);
    } else if (typeof value === "object") {
      for (let i = 0; i < value.length; i++) {
        this.#addKey(work, value[i]!, probe);
      }
    } else {
      this.#addKey(work, value, probe);
    }
  }

  #addKey(work: number, value: Scalar, probe: ValueProbe): void {
    const posting = probe.keys.get(value);
    if (posting !== undefined) {
      this.#add(work, posting);
    }
  }

  #add(work: number, posting: number): void {
    const { postings, patches } = this.#image;
    if (this.#addedStamps[posting] === this.#stamp) {
      return;
    }
    this.#addedStamps[posting] = this.#stamp;
    const dense = postings[3 * posting]!;
    if (dense !== -1) {
      this.#dense[this.#denseCount++] = dense;
      return;
    }
    this.#sparse[this.#sparseCount++] = posting;
    const first = postings[3 * posting + 1]!;
    const end = postings[3 * posting + 2]!;
    for (let i = first; i < end; i += 2) {
      const at = work + patches[i]!;
      this.#pool[at] = this.#pool[at]! | patches[i + 1]!;
    }
  }

  /** Takes back what the call before added to the work rows (at the start of a call, so that nothing is left after one that threw). */
  #cleanProbes(): void {
    const { postings, patches } = this.#image;
    const { probes } = this.#dimensions;
    let next = 0;
    for (let d = 0; d < probes.length; d++) {
      const { base, work } = probes[d]!;
      for (; next < this.#sparseEnds[d]!; next++) {
        const posting = this.#sparse[next]!;
        const end = postings[3 * posting + 2]!;
        for (let i = postings[3 * posting + 1]!; i < end; i += 2) {
          const word = patches[i]!;
          this.#pool[work + word] = this.#pool[base + word]!;
        }
      }
    }
  }

  #scan(frame: Frame): void {
    const pool = this.#pool;
    const rows = this.#rows;
    const count = rows.length;
    const words = this.#words;
    for (let s = 0; s < this.#summaryWords; s++) {
      let live = -1;
      for (let r = 0; r < count && live !== 0; r++) {
        live &= pool[rows[r]! + words + s]!;
      }
      while (live !== 0) {
        const word = s * 32 + (31 - Math.clz32(live & -live));
        live &= live - 1;
        let bits = -1;
        for (let r = 0; r < count && bits !== 0; r++) {
          bits &= pool[rows[r]! + word]!;
        }
        if (bits !== 0) {
          bits = this.#probeWord(word, bits);
          if (bits !== 0) {
            this.#settle(frame, word, bits);
          }
        }
      }
    }
  }

  /** What the probe dimensions leave of a word. */
  #probeWord(word: number, bits: number): number {
    const pool = this.#pool;
    const { probes } = this.#dimensions;
    let left = bits;
    let next = 0;
    for (let d = 0; d < probes.length && left !== 0; d++) {
      let row = pool[probes[d]!.work + word]!;
      for (const end = this.#denseEnds[d]!; next < end; next++) {
        row |= pool[this.#dense[next]! + word]!;
      }
      left &= row;
    }
    return left;
  }

  /** Looks at the survivors of one word: most are matches already, some need their checks or their predicate. */
  #settle(frame: Frame, word: number, survivors: number): void {
    const pool = this.#pool;
    const ordinals = this.#ordinals;
    const checkStarts = this.#checkStarts;
    const unknowns = pool[this.#matchUnknownRow + word]!;
    let asked = pool[this.#incompleteRow + word]! | (this.#sawUnknown ? unknowns : 0);
    for (let d = 0; d < this.#doubtCount; d++) {
      asked |= pool[this.#doubts[d]! + word]!;
    }
    for (let left = survivors; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const position = word * 32 + (31 - Math.clz32(bit));
      const first = checkStarts[position]!;
      const end = checkStarts[position + 1]!;
      const checked = first === end ? TRUE : this.#runChecks(frame, first, end);
      if (checked === FALSE || (checked === UNKNOWN && (unknowns & bit) === 0)) {
        continue;
      }
      const ordinal = ordinals[position]!;
      if (checked === UNKNOWN || (asked & bit) !== 0) {
        this.#ask(frame, position, ordinal, (unknowns & bit) !== 0);
      } else {
        this.#find(ordinal, 0);
      }
    }
  }

  #ask(frame: Frame, position: number, ordinal: number, matchUnknown: boolean): void {
    const errors = frame.evalErrors;
    const truth = this.#predicates[position]!(frame);
    if (truth === true) {
      this.#find(ordinal, 0);
    } else if (truth === undefined && matchUnknown) {
      this.#find(ordinal, frame.evalErrors === errors ? 1 : 2);
    }
  }

  /** Kleene conjunction of the checks of one condition; each test is made at most once per call. */
  #runChecks(frame: Frame, first: number, end: number): number {
    const checks = this.#checks;
    let result = TRUE;
    for (let i = first; i < end; i++) {
      const check = checks[i]!;
      const truth = this.#test(frame, check >>> 1);
      if (truth === UNKNOWN) {
        result = UNKNOWN;
      } else if (truth !== (check & 1)) {
        return FALSE;
      }
    }
    return result;
  }

  #test(frame: Frame, test: number): number {
    const tests = this.#tests;
    if (this.#stamps[test] !== this.#stamp) {
      const slot = tests[2 * test]!;
      const target = tests[2 * test + 1]!;
      this.#truths[test] = slot === -1 ? frame.segments[target]! : lookUp(frame, slot, target);
      this.#stamps[test] = this.#stamp;
    }
    return this.#truths[test]!;
  }

  #find(ordinal: number, flag: number): void {
    this.#found[ordinal >>> 5]! |= 1 << (ordinal & 31);
    this.#foundSummary[ordinal >>> 10]! |= 1 << ((ordinal >>> 5) & 31);
    this.#foundFlags[ordinal] = flag;
  }

  /** Positions are in no order that means anything outside, so the matches are sorted by way of a bitmap, which is left empty. */
  #writeFound(matches: Matches): number {
    const { ordinals, flags } = matches;
    let count = 0;
    for (let s = 0; s < this.#foundSummary.length; s++) {
      for (let live = this.#foundSummary[s]!; live !== 0; live &= live - 1) {
        const word = s * 32 + (31 - Math.clz32(live & -live));
        for (let left = this.#found[word]!; left !== 0; left &= left - 1) {
          const ordinal = word * 32 + (31 - Math.clz32(left & -left));
          ordinals[count] = ordinal;
          flags[count] = this.#foundFlags[ordinal]!;
          count++;
        }
        this.#found[word] = 0;
      }
      this.#foundSummary[s] = 0;
    }
    return count;
  }
}

/** Values remembered per slot, and the longest one: BINs and countries come again and again, and a stream of others takes bounded memory. */
const KNOWN_MAX = 2048;
const KNOWN_LENGTH_MAX = 32;

/** Asks every list of a group about a value that is not remembered; the only place where a match allocates. */
function learnLists(
  frame: Frame,
  value: string,
  probes: ListGroup["probes"],
  known: ListGroup["known"],
): Int32Array {
  const holding = probes.filter(({ list }) => frame.lists[list]!.has(value)).map(({ posting }) => posting);
  const postings = Int32Array.from(holding);
  if (value.length <= KNOWN_LENGTH_MAX) {
    if (known.size >= KNOWN_MAX) {
      known.clear();
    }
    known.set(value, postings);
  }
  return postings;
}

/** Truth of a list test. */
function lookUp(frame: Frame, slot: number, list: number): number {
  const value = frame.values[slot];
  if (value === undefined) {
    return UNKNOWN;
  }
  return frame.lists[list]!.has(value as string) ? TRUE : FALSE;
}
