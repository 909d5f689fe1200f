import type { Frame, Scalar, Value } from "../../cel/expr.ts";
import type { IndexImage, Probe } from "./image.ts";
import { CALLS_MAX, TRUE, UNKNOWN } from "./truth.ts";

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

export type ProbeDimension = {
  readonly base: number;
  readonly work: number;
  readonly segments: SegmentProbe[];
  readonly lists: ListGroup[];
  readonly values: ValueProbe[];
};

/** The rows of the probe dimensions: each a base row with the postings of all probes that hold added. */
export class ProbeRows {
  readonly #image: IndexImage;
  readonly #pool: Int32Array;
  readonly #dimensions: readonly ProbeDimension[];
  /** Postings that this call has added: offsets of dense rows and numbers of sparse ones, and where each dimension's end. */
  readonly #dense: Int32Array;
  readonly #denseEnds: Int32Array;
  #denseCount = 0;
  readonly #sparse: Int32Array;
  readonly #sparseEnds: Int32Array;
  #sparseCount = 0;
  /** The last call that added each posting: a list slot may hold one element twice. */
  readonly #stamps: Int32Array;
  #call = 0;
  #sawUnknown = false;

  constructor(image: IndexImage, dimensions: readonly ProbeDimension[]) {
    const postings = image.postings.length / 3;
    this.#image = image;
    this.#pool = image.pool;
    this.#dimensions = dimensions;
    this.#dense = new Int32Array(postings);
    this.#denseEnds = new Int32Array(dimensions.length);
    this.#sparse = new Int32Array(postings);
    this.#sparseEnds = new Int32Array(dimensions.length);
    this.#stamps = new Int32Array(postings);
  }

  /** Adds the postings of a frame, and tells whether some probe was unknown. `clean` takes them back. */
  add(frame: Frame): boolean {
    this.#denseCount = 0;
    this.#sparseCount = 0;
    this.#sawUnknown = false;
    this.#call++;
    if (this.#call === CALLS_MAX) {
      this.#stamps.fill(0);
      this.#call = 1;
    }
    for (let d = 0; d < this.#dimensions.length; d++) {
      this.#addDimension(frame, this.#dimensions[d]!);
      this.#denseEnds[d] = this.#denseCount;
      this.#sparseEnds[d] = this.#sparseCount;
    }
    return this.#sawUnknown;
  }

  /** What the dimensions leave of a word of survivors. */
  narrow(word: number, bits: number): number {
    let left = bits;
    let next = 0;
    for (let d = 0; d < this.#dimensions.length && left !== 0; d++) {
      let row = this.#pool[this.#dimensions[d]!.work + word]!;
      for (const end = this.#denseEnds[d]!; next < end; next++) {
        row |= this.#pool[this.#dense[next]! + word]!;
      }
      left &= row;
    }
    return left;
  }

  /** Takes back what the last call added. */
  clean(): void {
    const { postings, patches } = this.#image;
    let next = 0;
    for (let d = 0; d < this.#dimensions.length; d++) {
      const { base, work } = this.#dimensions[d]!;
      for (const end = this.#sparseEnds[d]!; next < end; next++) {
        const posting = this.#sparse[next]!;
        const last = postings[3 * posting + 2]!;
        for (let i = postings[3 * posting + 1]!; i < last; i += 2) {
          const word = patches[i]!;
          this.#pool[work + word] = this.#pool[base + word]!;
        }
      }
    }
  }

  /** Makes all work rows their base rows again, after a call that did not come to its end. */
  reset(): void {
    const { words } = this.#image.header;
    for (const { base, work } of this.#dimensions) {
      this.#pool.copyWithin(work, base, base + words);
    }
  }

  #addDimension(frame: Frame, { work, segments, lists, values }: ProbeDimension): void {
    for (let i = 0; i < segments.length; i++) {
      this.#addSegment(work, frame, segments[i]!);
    }
    for (let i = 0; i < lists.length; i++) {
      this.#addLists(work, frame, lists[i]!);
    }
    for (let i = 0; i < values.length; i++) {
      this.#addValues(work, frame.values[values[i]!.slot], values[i]!);
    }
  }

  #addSegment(work: number, frame: Frame, probe: SegmentProbe): void {
    const truth = frame.segments[probe.segment];
    if (truth === TRUE) {
      this.#addPosting(work, probe.posting);
    } else if (truth === UNKNOWN) {
      this.#sawUnknown = true;
      this.#addPosting(work, probe.unknown);
    }
  }

  #addLists(work: number, frame: Frame, { slot, probes, known }: ListGroup): void {
    const value = frame.values[slot];
    if (value === undefined) {
      this.#sawUnknown = true;
      for (let i = 0; i < probes.length; i++) {
        this.#addPosting(work, probes[i]!.unknown);
      }
      return;
    }
    const holding = known.get(value) ?? learnLists(frame, value as string, probes, known);
    for (let i = 0; i < holding.length; i++) {
      this.#addPosting(work, holding[i]!);
    }
  }

  #addValues(work: number, value: Value, probe: ValueProbe): void {
    if (value === undefined) {
      this.#sawUnknown = true;
      this.#addPosting(work, probe.unknown);
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
      this.#addPosting(work, posting);
    }
  }

  #addPosting(work: number, posting: number): void {
    const { postings, patches } = this.#image;
    if (this.#stamps[posting] === this.#call) {
      return;
    }
    this.#stamps[posting] = this.#call;
    const dense = postings[3 * posting]!;
    if (dense !== -1) {
      this.#dense[this.#denseCount++] = dense;
      return;
    }
    this.#sparse[this.#sparseCount++] = posting;
    const end = postings[3 * posting + 2]!;
    for (let i = postings[3 * posting + 1]!; i < end; i += 2) {
      const at = work + patches[i]!;
      this.#pool[at] = this.#pool[at]! | patches[i + 1]!;
    }
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
