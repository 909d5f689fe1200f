/**
 * The subjects of a process by number, without an object for any: their ids lie in shared slabs, and an open-addressing table finds them. Numbers are
 * dense, and those of removed subjects are given again.
 */
import { BlockSpace } from "./block-space.ts";
import type { Subject, SubjectKind } from "./history.ts";

const kinds: readonly SubjectKind[] = ["player", "card", "device", "ip", "bin", "psp", "mid", "brand", "key"];
const kindOf = new Map(kinds.map((kind, number) => [kind, number]));
const freeKind = 0xff;

/** UTF-16 units of an id. */
const idUnitsMax = 4096;
/** The top bit of a length: the id has units beyond Latin-1, and each takes two bytes. */
const wideBit = 0x8000;
/** 1 MiB of ids a slab. */
const slabShift = 18;

const chunkShift = 16;
const chunkSubjects = 1 << chunkShift;
const chunkMask = chunkSubjects - 1;

/** A table grows by itself when it is full, so a long list of subjects never waits for the whole. */
const shardCount = 256;
const shardSlotsMin = 16;

type IdChunk = {
  readonly merchant: Uint32Array;
  /** Where the id is, in words; of a free number, the next free one + 1. */
  readonly place: Uint32Array;
  readonly length: Uint16Array;
  readonly kind: Uint8Array;
};

/** Pairs of a hash and the number + 1 of a subject, 0 where the slot is free. */
type Shard = { slots: Int32Array; used: number };

export class SubjectIndex {
  readonly #merchants: string[] = [];
  readonly #merchantOf = new Map<string, number>();
  readonly #chunks: IdChunk[] = [];
  readonly #words = new BlockSpace(slabShift, (length) => new Uint32Array(length));
  readonly #bytes: Uint8Array[] = [];
  readonly #shards: readonly Shard[];
  #free = 0;
  #end = 0;
  #count = 0;

  constructor() {
    this.#shards = Array.from({ length: shardCount }, () => ({
      slots: new Int32Array(2 * shardSlotsMin),
      used: 0,
    }));
  }

  count(): number {
    return this.#count;
  }

  /** The number of a subject, -1 where it has none. */
  find(merchantId: string, subject: Subject): number {
    const merchant = this.#merchantOf.get(merchantId);
    if (merchant === undefined) return -1;
    const kind = kindOf.get(subject.kind)!;
    return this.#lookUp(merchant, kind, subject.id, hashUnits(merchant, kind, subject.id));
  }

  /**
   * The number of a subject, a new one where it has none.
   *
   * Fails: throws a RangeError where its id is longer than 4,096 UTF-16 units.
   */
  open(merchantId: string, subject: Subject): number {
    const merchant = this.#openMerchant(merchantId);
    const kind = kindOf.get(subject.kind)!;
    const hash = hashUnits(merchant, kind, subject.id);
    const known = this.#lookUp(merchant, kind, subject.id, hash);
    if (known >= 0) return known;
    if (subject.id.length > idUnitsMax) {
      throw new RangeError(
        `the id of a ${subject.kind} has ${subject.id.length} characters, not ${idUnitsMax} at most`,
      );
    }
    const number = this.#takeNumber();
    const chunk = this.#chunks[number >>> chunkShift]!;
    chunk.merchant[number & chunkMask] = merchant;
    chunk.kind[number & chunkMask] = kind;
    this.#writeId(chunk, number & chunkMask, subject.id);
    this.#insert(this.#shards[hash >>> 24]!, hash, number);
    this.#count++;
    return number;
  }

  /** Forgets a subject; its number goes to the next new one. */
  remove(number: number): void {
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = number & chunkMask;
    const hash = hashUnits(chunk.merchant[at]!, chunk.kind[at]!, this.#readId(chunk, at));
    this.#erase(this.#shards[hash >>> 24]!, hash, number);
    const words = countWords(chunk.length[at]!);
    if (words > 0) this.#words.give(chunk.place[at]!, words);
    chunk.kind[at] = freeKind;
    chunk.place[at] = this.#free;
    this.#free = number + 1;
    this.#count--;
  }

  /** The first number in use at or after this one, -1 where there is none. */
  next(number: number): number {
    for (let at = number; at < this.#end; at++) {
      if (this.#chunks[at >>> chunkShift]!.kind[at & chunkMask] !== freeKind) return at;
    }
    return -1;
  }

  merchantOf(number: number): string {
    return this.#merchants[this.#chunks[number >>> chunkShift]!.merchant[number & chunkMask]!]!;
  }

  subjectOf(number: number): Subject {
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = number & chunkMask;
    return { kind: kinds[chunk.kind[at]!]!, id: this.#readId(chunk, at) };
  }

  bytes(): number {
    const slots = this.#shards.reduce((sum, shard) => sum + shard.slots.byteLength, 0);
    return slots + this.#words.bytes() + this.#chunks.length * chunkSubjects * 11;
  }

  #openMerchant(merchantId: string): number {
    const known = this.#merchantOf.get(merchantId);
    if (known !== undefined) return known;
    this.#merchantOf.set(merchantId, this.#merchants.length);
    return this.#merchants.push(merchantId) - 1;
  }

  #takeNumber(): number {
    if (this.#free > 0) {
      const number = this.#free - 1;
      this.#free = this.#chunks[number >>> chunkShift]!.place[number & chunkMask]!;
      return number;
    }
    if (this.#end === this.#chunks.length * chunkSubjects) {
      this.#chunks.push({
        merchant: new Uint32Array(chunkSubjects),
        place: new Uint32Array(chunkSubjects),
        length: new Uint16Array(chunkSubjects),
        kind: new Uint8Array(chunkSubjects),
      });
    }
    return this.#end++;
  }

  #lookUp(merchant: number, kind: number, id: string, hash: number): number {
    const { slots } = this.#shards[hash >>> 24]!;
    const mask = slots.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[2 * slot + 1]!;
      if (entry === 0) return -1;
      if (slots[2 * slot] === hash && this.#isId(entry - 1, merchant, kind, id)) return entry - 1;
    }
  }

  #isId(number: number, merchant: number, kind: number, id: string): boolean {
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = number & chunkMask;
    const length = chunk.length[at]!;
    if (chunk.merchant[at] !== merchant || chunk.kind[at] !== kind) return false;
    if ((length & ~wideBit) !== id.length) return false;
    const place = chunk.place[at]!;
    const bytes = this.#bytes[place >>> slabShift]!;
    const start = (place & this.#words.mask) * 4;
    if ((length & wideBit) === 0) {
      for (let i = 0; i < id.length; i++) if (bytes[start + i] !== id.charCodeAt(i)) return false;
      return true;
    }
    for (let i = 0; i < id.length; i++) {
      const unit = bytes[start + 2 * i]! | (bytes[start + 2 * i + 1]! << 8);
      if (unit !== id.charCodeAt(i)) return false;
    }
    return true;
  }

  #writeId(chunk: IdChunk, at: number, id: string): void {
    let isWide = false;
    for (let i = 0; i < id.length; i++) isWide ||= id.charCodeAt(i) > 0xff;
    const length = isWide ? id.length | wideBit : id.length;
    chunk.length[at] = length;
    const words = countWords(length);
    if (words === 0) {
      chunk.place[at] = 0;
      return;
    }
    const place = this.#words.take(words);
    chunk.place[at] = place;
    while (this.#bytes.length < this.#words.slabs.length) {
      this.#bytes.push(new Uint8Array(this.#words.slabs[this.#bytes.length]!.buffer));
    }
    const bytes = this.#bytes[place >>> slabShift]!;
    let next = (place & this.#words.mask) * 4;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      bytes[next++] = unit;
      if (isWide) bytes[next++] = unit >> 8;
    }
  }

  #readId(chunk: IdChunk, at: number): string {
    const length = chunk.length[at]!;
    const bytes = this.#bytes[chunk.place[at]! >>> slabShift];
    let next = (chunk.place[at]! & this.#words.mask) * 4;
    let id = "";
    for (let i = 0; i < (length & ~wideBit); i++) {
      let unit = bytes![next++]!;
      if ((length & wideBit) !== 0) unit |= bytes![next++]! << 8;
      id += String.fromCharCode(unit);
    }
    return id;
  }

  #insert(shard: Shard, hash: number, number: number): void {
    if (shard.used * 8 >= (shard.slots.length / 2) * 6) grow(shard);
    putEntry(shard.slots, hash, number + 1);
    shard.used++;
  }

  /** Closes the gap, so that searches need no mark of what was there. */
  #erase(shard: Shard, hash: number, number: number): void {
    const { slots } = shard;
    const mask = slots.length / 2 - 1;
    let gap = hash & mask;
    while (slots[2 * gap + 1] !== number + 1) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
      const home = slots[2 * slot]! & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[2 * gap] = slots[2 * slot]!;
      slots[2 * gap + 1] = slots[2 * slot + 1]!;
      gap = slot;
    }
    slots[2 * gap + 1] = 0;
    shard.used--;
  }
}

function grow(shard: Shard): void {
  const { slots } = shard;
  const grown = new Int32Array(slots.length * 2);
  for (let at = 0; at < slots.length; at += 2) {
    if (slots[at + 1] !== 0) putEntry(grown, slots[at]!, slots[at + 1]!);
  }
  shard.slots = grown;
}

function putEntry(slots: Int32Array, hash: number, entry: number): void {
  const mask = slots.length / 2 - 1;
  let slot = hash & mask;
  while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
  slots[2 * slot] = hash;
  slots[2 * slot + 1] = entry;
}

function countWords(length: number): number {
  return (length & wideBit) === 0 ? (length + 3) >>> 2 : ((length & ~wideBit) + 1) >>> 1;
}

/** A signed 32-bit hash; the top byte chooses the shard, the rest the slot. */
function hashUnits(merchant: number, kind: number, id: string): number {
  let h = Math.imul(merchant * 16 + kind + 1, 0x9e37_79b1);
  for (let i = 0; i < id.length; i++) {
    h = Math.imul(h ^ id.charCodeAt(i), 0x5bd1_e995);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
