/**
 * Records of the journal that wait until somebody asks for their history, so that a start need not load what LMDB has already. There may be millions:
 * they stay in the bytes of their segments, and take 28 bytes each beside.
 */
import type { JournalRecord, RecordKind } from "./journal/format.ts";

/** Words of an entry: the entry before it + 1, buffer and key length, where the key starts, where the value ends, kind, sequence (two). */
const entryWords = 7;
const chunkShift = 16;
const chunkEntries = 1 << chunkShift;
const unit = 0x1_0000_0000;

/** What LMDB has of a history, and the last of its entries + 1. */
type Waiting = { readonly sequence: number; last: number };

export class ReplayBacklog {
  readonly #waiting = new Map<string, Waiting>();
  #chunks: Uint32Array[] = [];
  #entries = 0;
  #buffers: ArrayBufferLike[] = [];

  /** Histories of which something waits. */
  size(): number {
    return this.#waiting.size;
  }

  has(mapKey: string): boolean {
    return this.#waiting.has(mapKey);
  }

  /** Expects records of a history that LMDB has up to `sequence`. */
  open(mapKey: string, sequence: number): void {
    this.#waiting.set(mapKey, { sequence, last: 0 });
  }

  /** Takes a record of a history that is open, unless LMDB has it. */
  add(mapKey: string, record: JournalRecord): void {
    const waiting = this.#waiting.get(mapKey)!;
    if (record.sequence <= waiting.sequence) return;
    const entry = this.#entries++;
    if (entry >>> chunkShift === this.#chunks.length) {
      this.#chunks.push(new Uint32Array(chunkEntries * entryWords));
    }
    const words = this.#chunks[entry >>> chunkShift]!;
    const at = (entry & (chunkEntries - 1)) * entryWords;
    const { key, value, kind, sequence } = record;
    words[at] = waiting.last;
    words[at + 1] = this.#numberOf(key.buffer) * 0x1_0000 + key.length;
    words[at + 2] = key.byteOffset;
    words[at + 3] = key.byteOffset + key.length + value.length;
    words[at + 4] = kind;
    words[at + 5] = sequence % unit;
    words[at + 6] = sequence / unit;
    waiting.last = entry + 1;
  }

  /** The records of a history, newest first. */
  *peek(mapKey: string): Generator<JournalRecord> {
    for (let entry = this.#waiting.get(mapKey)?.last ?? 0; entry > 0; ) {
      const words = this.#chunks[(entry - 1) >>> chunkShift]!;
      const at = ((entry - 1) & (chunkEntries - 1)) * entryWords;
      yield this.#read(words, at);
      entry = words[at]!;
    }
  }

  /** The records of a history, oldest first; they wait no more. */
  take(mapKey: string): JournalRecord[] {
    const records = [...this.peek(mapKey)].reverse();
    this.#waiting.delete(mapKey);
    if (this.#waiting.size === 0) this.#clear();
    return records;
  }

  /** Histories of which something waits; go on with it while they are taken. */
  keys(): IteratorObject<string, undefined> {
    return this.#waiting.keys();
  }

  /** No more records come: what is open and waits for nothing is closed. */
  end(): void {
    for (const [mapKey, { last }] of this.#waiting) if (last === 0) this.#waiting.delete(mapKey);
    if (this.#waiting.size === 0) this.#clear();
  }

  #read(words: Uint32Array, at: number): JournalRecord {
    const buffer = this.#buffers[words[at + 1]! >>> 16]!;
    const start = words[at + 2]!;
    const keyBytes = words[at + 1]! & 0xffff;
    return {
      sequence: words[at + 6]! * unit + words[at + 5]!,
      kind: words[at + 4]! as RecordKind,
      key: Buffer.from(buffer, start, keyBytes),
      value: Buffer.from(buffer, start + keyBytes, words[at + 3]! - start - keyBytes),
    };
  }

  /** Records come segment by segment, so mostly it is the last one. */
  #numberOf(buffer: ArrayBufferLike): number {
    const known = this.#buffers.lastIndexOf(buffer);
    return known < 0 ? this.#buffers.push(buffer) - 1 : known;
  }

  #clear(): void {
    this.#chunks = [];
    this.#entries = 0;
    this.#buffers = [];
  }
}
