import type { Frame, Predicate } from "../../cel/expr.ts";
import { Checks } from "./checks.ts";
import { FoundSet } from "./found-set.ts";
import type { IndexImage } from "./image.ts";
import { type ProbeDimension, ProbeRows } from "./probe-rows.ts";
import { type RangeDimension, SlotRows, type ValueDimension } from "./slot-rows.ts";
import { FALSE, UNKNOWN } from "./truth.ts";

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

/** The dimensions of an image with their keys in maps. */
export type OpenDimensions = {
  readonly values: ValueDimension[];
  readonly ranges: RangeDimension[];
  readonly probes: ProbeDimension[];
};

/**
 * Finds all conditions that a frame matches, touching few of them: each dimension picks a row of bits, and only the conditions that survive
 * the conjunction of the rows are looked at one by one. Keeps scratch between calls, so calls must not nest, and remembers what
 * `frame.lists` said, so they must be the same in all of them.
 */
export class RuleIndex {
  /** Number of conditions that were indexed. */
  readonly conditions: number;
  readonly #pool: Int32Array;
  readonly #words: number;
  readonly #summaryWords: number;
  readonly #ordinals: Int32Array;
  readonly #matchUnknownRow: number;
  readonly #incompleteRow: number;
  readonly #slotRows: SlotRows;
  readonly #probeRows: ProbeRows;
  readonly #checks: Checks;
  readonly #predicates: readonly Predicate[];
  readonly #found: FoundSet;
  #sawUnknown = false;
  /** True between the start and the end of a call, and after one that threw. */
  #isRunning = false;

  constructor(image: IndexImage, dimensions: OpenDimensions, predicates: readonly Predicate[]) {
    const { header } = image;
    this.conditions = header.conditions;
    this.#pool = image.pool;
    this.#words = header.words;
    this.#summaryWords = header.summaryWords;
    this.#ordinals = image.ordinals;
    this.#matchUnknownRow = header.matchUnknownRow;
    this.#incompleteRow = header.incompleteRow;
    this.#slotRows = new SlotRows(image, dimensions.values, dimensions.ranges);
    this.#probeRows = new ProbeRows(image, dimensions.probes);
    this.#checks = new Checks(image);
    this.#predicates = predicates;
    this.#found = new FoundSet(header.conditions);
  }

  /**
   * Writes all matching conditions to `matches` and returns their number: those that are true, and those indexed with `matchUnknown` that
   * are unknown. Throws where `matches` is too small. `frame.evalErrors` may grow by the errors of the predicates that were asked.
   */
  match(frame: Frame, matches: Matches): number {
    if (matches.ordinals.length < this.conditions || matches.flags.length < this.conditions) {
      throw new RangeError(`index: room for ${matches.ordinals.length} of ${this.conditions} matches`);
    }
    if (this.#isRunning) {
      this.#probeRows.reset();
      this.#found.clear();
    }
    this.#isRunning = true;
    this.#checks.start();
    const slotUnknown = this.#slotRows.pick(frame);
    const probeUnknown = this.#probeRows.add(frame);
    this.#sawUnknown = slotUnknown || probeUnknown;
    this.#scan(frame);
    this.#probeRows.clean();
    this.#isRunning = false;
    return this.#found.drain(matches);
  }

  /** Goes through the words that no row's summary rules out. */
  #scan(frame: Frame): void {
    const pool = this.#pool;
    const { rows } = this.#slotRows;
    const count = rows.length;
    const words = this.#words;
    for (let s = 0; s < this.#summaryWords; s++) {
      let live = -1;
      for (let r = 0; r < count && live !== 0; r++) {
        live &= pool[rows[r]! + words + s]!;
      }
      for (; live !== 0; live &= live - 1) {
        const word = s * 32 + (31 - Math.clz32(live & -live));
        let bits = -1;
        for (let r = 0; r < count && bits !== 0; r++) {
          bits &= pool[rows[r]! + word]!;
        }
        if (bits !== 0) {
          bits = this.#probeRows.narrow(word, bits);
          if (bits !== 0) {
            this.#settle(frame, word, bits);
          }
        }
      }
    }
  }

  /** Looks at the survivors of one word: most are matches already, some need their checks or their predicate. */
  #settle(frame: Frame, word: number, survivors: number): void {
    const pool = this.#pool;
    const { doubts } = this.#slotRows;
    const unknowns = pool[this.#matchUnknownRow + word]!;
    let asked = pool[this.#incompleteRow + word]! | (this.#sawUnknown ? unknowns : 0);
    for (let d = 0; d < doubts.length; d++) {
      asked |= pool[doubts[d]! + word]!;
    }
    for (let left = survivors; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const position = word * 32 + (31 - Math.clz32(bit));
      const checked = this.#checks.judge(frame, position);
      const matchUnknown = (unknowns & bit) !== 0;
      if (checked === FALSE || (checked === UNKNOWN && !matchUnknown)) {
        continue;
      }
      if (checked === UNKNOWN || (asked & bit) !== 0) {
        this.#ask(frame, position, matchUnknown);
      } else {
        this.#found.add(this.#ordinals[position]!, 0);
      }
    }
  }

  /** Verifies one survivor by its predicate. */
  #ask(frame: Frame, position: number, matchUnknown: boolean): void {
    const errors = frame.evalErrors;
    const truth = this.#predicates[position]!(frame);
    if (truth === true) {
      this.#found.add(this.#ordinals[position]!, 0);
    } else if (truth === undefined && matchUnknown) {
      this.#found.add(this.#ordinals[position]!, frame.evalErrors === errors ? 1 : 2);
    }
  }
}
