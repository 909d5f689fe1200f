/** What the store notes of each history in memory, by its number in the table: a few bytes, and no object. */

const chunkShift = 16;
const chunkSubjects = 1 << chunkShift;
const chunkMask = chunkSubjects - 1;

const usedBit = 1;
const dirtyBit = 2;
const wholeBit = 4;

/** What was fetched, as a number of no meaning: reads whose values nobody keeps would be left out. */
const fetched = new Int32Array(1);

type MarkChunk = {
  readonly flags: Uint8Array;
  /** In which move it was written last, 1 to 255; 0 where it was not. */
  readonly movedIn: Uint8Array;
  /** Chunks that stand by themselves in LMDB + 1; 0 where LMDB has nothing of it. */
  readonly kept: Uint16Array;
  /** The most chunks that may stand there, counting those of moves that failed. */
  readonly keptMax: Uint16Array;
};

export class HistoryMarks {
  readonly #chunks: MarkChunk[] = [];

  /** Begins anew for a number: `chunks` is undefined where LMDB has nothing. */
  reset(subject: number, chunks: number | undefined): void {
    while (this.#chunks.length <= subject >>> chunkShift) this.#chunks.push(makeChunk());
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    chunk.flags[at] = usedBit;
    chunk.movedIn[at] = 0;
    chunk.kept[at] = chunks === undefined ? 0 : chunks + 1;
    chunk.keptMax[at] = chunks ?? 0;
  }

  /** Fetches from memory what is noted of these; -1 is none. */
  prefetch(subjects: Int32Array): void {
    let read = 0;
    for (const subject of subjects)
      if (subject >= 0) read ^= this.#chunk(subject).flags[subject & chunkMask]!;
    fetched[0] = read;
  }

  /** Its number stands for nothing now. */
  clear(subject: number): void {
    this.#chunk(subject).flags[subject & chunkMask] = 0;
  }

  /** LMDB has nothing of it, after all. */
  setUnkept(subject: number): void {
    this.#chunk(subject).kept[subject & chunkMask] = 0;
  }

  use(subject: number): void {
    this.#chunk(subject).flags[subject & chunkMask]! |= usedBit;
  }

  /** Whether it was used since this was asked last. */
  takeUsed(subject: number): boolean {
    const { flags } = this.#chunk(subject);
    const before = flags[subject & chunkMask]!;
    flags[subject & chunkMask] = before & ~usedBit;
    return (before & usedBit) !== 0;
  }

  /** False where it was dirty already. */
  setDirty(subject: number): boolean {
    const { flags } = this.#chunk(subject);
    const before = flags[subject & chunkMask]!;
    flags[subject & chunkMask] = before | dirtyBit;
    return (before & dirtyBit) === 0;
  }

  isDirty(subject: number): boolean {
    return (this.#chunk(subject).flags[subject & chunkMask]! & dirtyBit) !== 0;
  }

  /** Whether all of it is to be written, because nobody knows what LMDB has. */
  isWhole(subject: number): boolean {
    return (this.#chunk(subject).flags[subject & chunkMask]! & wholeBit) !== 0;
  }

  setWhole(subject: number): void {
    this.#chunk(subject).flags[subject & chunkMask]! |= dirtyBit | wholeBit;
  }

  /** It is on its way to LMDB as it stands, with so many chunks by themselves. */
  setMoved(subject: number, move: number, chunks: number): void {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    chunk.flags[at]! &= ~(dirtyBit | wholeBit);
    chunk.movedIn[at] = move;
    chunk.kept[at] = chunks + 1;
    chunk.keptMax[at] = Math.max(chunk.keptMax[at]!, chunks);
  }

  movedIn(subject: number): number {
    return this.#chunk(subject).movedIn[subject & chunkMask]!;
  }

  /** Undefined where LMDB has nothing of it. */
  chunksKept(subject: number): number | undefined {
    const kept = this.#chunk(subject).kept[subject & chunkMask]!;
    return kept === 0 ? undefined : kept - 1;
  }

  chunksMax(subject: number): number {
    return this.#chunk(subject).keptMax[subject & chunkMask]!;
  }

  #chunk(subject: number): MarkChunk {
    return this.#chunks[subject >>> chunkShift]!;
  }
}

function makeChunk(): MarkChunk {
  return {
    flags: new Uint8Array(chunkSubjects),
    movedIn: new Uint8Array(chunkSubjects),
    kept: new Uint16Array(chunkSubjects),
    keptMax: new Uint16Array(chunkSubjects),
  };
}
