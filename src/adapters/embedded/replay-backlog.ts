/**
 * Records of the journal that wait until somebody asks for their history, so that a start need not load what LMDB has already. There may be millions, of
 * as many histories: they stay in the bytes of their segments, and no text or object is made for any.
 */
import type { JournalRecord, RecordKind } from "./journal/format.ts";

/** Words of an entry: the entry before it + 1, buffer and key length, where the key starts, where the value ends, kind, sequence (two). */
const entryWords = 7;
const chunkShift = 16;
const chunkEntries = 1 << chunkShift;
const unit = 0x1_0000_0000;

/** Words of a history: buffer and length of its key, where that starts, the last of its entries + 1 (or `taken`). */
const historyWords = 3;
const keyWord = 0;
const startWord = 1;
const lastWord = 2;
const taken = 0xffff_ffff;
const historiesMin = 1_024;

/** What was fetched, as a number of no meaning: reads whose values nobody keeps would be left out. */
const fetched = new Int32Array(1);

/** Histories go by a number, from 0 on in the order in which they were opened. */
export class ReplayBacklog {
  /** Pairs of a hash and the number + 1 of a history, 0 where the slot is free; at most three quarters are taken. */
  #slots = new Int32Array(4 * historiesMin);
  #histories = new Uint32Array(historyWords * historiesMin);
  /** What LMDB has of them. */
  #sequences = new Float64Array(historiesMin);
  #count = 0;
  #waiting = 0;
  #chunks: Uint32Array[] = [];
  #entries = 0;
  #buffers: Uint8Array[] = [];

  /** Histories of which something waits. */
  size(): number {
    return this.#waiting;
  }

  /** The number of a history of which something waits, by its key as the journal has it; -1 where nothing does. */
  find(key: Uint8Array): number {
    if (this.#waiting === 0) return -1;
    const number = this.#lookUp(key, hashKey(key));
    return number >= 0 && this.#histories[number * historyWords + lastWord] !== taken ? number : -1;
  }

  /**
   * Fetches from memory what is known of the histories of these: every step is a loop of its own, whose reads do not wait for one another. Changes
   * nothing.
   */
  prefetch(records: readonly JournalRecord[]): void {
    if (this.#waiting === 0) return;
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    const hashes = records.map(({ key }) => hashKey(key));
    let read = 0;
    for (const hash of hashes) read ^= slots[2 * (hash & mask)]!;
    const numbers = hashes.map((hash) => this.#guess(hash));
    for (const number of numbers) if (number >= 0) read ^= this.#histories[number * historyWords]!;
    for (const number of numbers)
      if (number >= 0) read ^= this.#firstByteOf(number) ^ this.#sequences[number]!;
    fetched[0] = read;
  }

  /** The first history with this hash, -1 where there is none. */
  #guess(hash: number): number {
    const mask = this.#slots.length / 2 - 1;
    let slot = hash & mask;
    while (this.#slots[2 * slot + 1] !== 0 && this.#slots[2 * slot] !== hash) slot = (slot + 1) & mask;
    return this.#slots[2 * slot + 1]! - 1;
  }

  #firstByteOf(number: number): number {
    const at = number * historyWords;
    return this.#buffers[this.#histories[at + keyWord]! >>> 16]![this.#histories[at + startWord]!]!;
  }

  /** Expects records of the history of this one, of which nothing waits; LMDB has it up to `sequence`. Returns its number. */
  open({ key }: JournalRecord, sequence: number): number {
    const hash = hashKey(key);
    let number = this.#lookUp(key, hash);
    if (number < 0) {
      number = this.#count++;
      this.#reserve();
      const at = number * historyWords;
      this.#histories[at + keyWord] = this.#numberOf(key.buffer) * 0x1_0000 + key.length;
      this.#histories[at + startWord] = key.byteOffset;
      putSlot(this.#slots, hash, number + 1);
    }
    this.#histories[number * historyWords + lastWord] = 0;
    this.#sequences[number] = sequence;
    this.#waiting++;
    return number;
  }

  /** Takes a record of a history that is open, unless LMDB has it. */
  add(number: number, record: JournalRecord): void {
    if (record.sequence <= this.#sequences[number]!) return;
    const entry = this.#entries++;
    if (entry >>> chunkShift === this.#chunks.length) {
      this.#chunks.push(new Uint32Array(chunkEntries * entryWords));
    }
    const words = this.#chunks[entry >>> chunkShift]!;
    const at = (entry & (chunkEntries - 1)) * entryWords;
    const { key, value, kind, sequence } = record;
    words[at] = this.#histories[number * historyWords + lastWord]!;
    words[at + 1] = this.#numberOf(key.buffer) * 0x1_0000 + key.length;
    words[at + 2] = key.byteOffset;
    words[at + 3] = key.byteOffset + key.length + value.length;
    words[at + 4] = kind;
    words[at + 5] = sequence % unit;
    words[at + 6] = sequence / unit;
    this.#histories[number * historyWords + lastWord] = entry + 1;
  }

  /** The records of a history, oldest first; they wait no more. */
  take(key: Uint8Array): JournalRecord[] {
    const number = this.find(key);
    if (number < 0) return [];
    const records: JournalRecord[] = [];
    for (let entry = this.#histories[number * historyWords + lastWord]!; entry > 0; ) {
      const words = this.#chunks[(entry - 1) >>> chunkShift]!;
      const at = ((entry - 1) & (chunkEntries - 1)) * entryWords;
      records.push(this.#read(words, at));
      entry = words[at]!;
    }
    this.#close(number);
    return records.reverse();
  }

  /** The first number from `from` on of a history of which something waits, -1 where there is none. */
  next(from: number): number {
    for (let number = from; number < this.#count; number++) {
      if (this.#histories[number * historyWords + lastWord] !== taken) return number;
    }
    return -1;
  }

  /** The key of a history as the journal has it. */
  keyOf(number: number): Buffer {
    const word = this.#histories[number * historyWords + keyWord]!;
    const bytes = this.#buffers[word >>> 16]!;
    return Buffer.from(bytes.buffer, this.#histories[number * historyWords + startWord]!, word & 0xffff);
  }

  /** No more records come: what is open and waits for nothing is closed. */
  end(): void {
    for (let number = 0; number < this.#count; number++) {
      if (this.#histories[number * historyWords + lastWord] === 0) this.#close(number);
    }
  }

  #close(number: number): void {
    this.#histories[number * historyWords + lastWord] = taken;
    if (--this.#waiting === 0) this.#clear();
  }

  #lookUp(key: Uint8Array, hash: number): number {
    const mask = this.#slots.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[2 * slot + 1]! - 1;
      if (number < 0) return -1;
      if (this.#slots[2 * slot] === hash && this.#isKey(number, key)) return number;
    }
  }

  #isKey(number: number, key: Uint8Array): boolean {
    const word = this.#histories[number * historyWords + keyWord]!;
    if ((word & 0xffff) !== key.length) return false;
    const bytes = this.#buffers[word >>> 16]!;
    const start = this.#histories[number * historyWords + startWord]!;
    for (let at = 0; at < key.length; at++) if (bytes[start + at] !== key[at]) return false;
    return true;
  }

  /** Makes room for one more history. */
  #reserve(): void {
    if (this.#count > this.#sequences.length) {
      const histories = new Uint32Array(2 * this.#histories.length);
      histories.set(this.#histories);
      this.#histories = histories;
      const sequences = new Float64Array(2 * this.#sequences.length);
      sequences.set(this.#sequences);
      this.#sequences = sequences;
    }
    if (this.#count * 4 <= (this.#slots.length / 2) * 3) return;
    const slots = new Int32Array(2 * this.#slots.length);
    for (let at = 0; at < this.#slots.length; at += 2) {
      if (this.#slots[at + 1] !== 0) putSlot(slots, this.#slots[at]!, this.#slots[at + 1]!);
    }
    this.#slots = slots;
  }

  #read(words: Uint32Array, at: number): JournalRecord {
    const { buffer } = this.#buffers[words[at + 1]! >>> 16]!;
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
    for (let number = this.#buffers.length - 1; number >= 0; number--) {
      if (this.#buffers[number]!.buffer === buffer) return number;
    }
    return this.#buffers.push(new Uint8Array(buffer)) - 1;
  }

  #clear(): void {
    this.#slots = new Int32Array(4 * historiesMin);
    this.#histories = new Uint32Array(historyWords * historiesMin);
    this.#sequences = new Float64Array(historiesMin);
    this.#count = 0;
    this.#chunks = [];
    this.#entries = 0;
    this.#buffers = [];
  }
}

function putSlot(slots: Int32Array, hash: number, entry: number): void {
  const mask = slots.length / 2 - 1;
  let slot = hash & mask;
  while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
  slots[2 * slot] = hash;
  slots[2 * slot + 1] = entry;
}

function hashKey(key: Uint8Array): number {
  let hash = key.length;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key[at]!, 0x5bd1_e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return hash ^ (hash >>> 13);
}
