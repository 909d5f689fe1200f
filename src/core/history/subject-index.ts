/**
 * The subjects of a process by number, without an object for any: their ids lie in shared slabs, and an open-addressing table finds them. Numbers are
 * dense, and those of removed subjects are given again.
 */
import { BlockSpace } from "./block-space.ts";
import type { Subject, SubjectKind } from "./history.ts";

const kinds: readonly SubjectKind[] = ["player", "card", "device", "ip", "bin", "psp", "mid", "brand", "key"];
const kindOf = new Map(kinds.map((kind, number) => [kind, number]));
/** Merchant and kind of a number that nobody has. */
const free = 0xffff_ffff;

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

/** `idFields` of each subject, side by side, because a search wants them all. */
const idFields = 3;
/** The merchant, and the kind in the lowest 4 bits; `free` where nobody has the number. */
const ownerField = 0;
/** Where the id is, in words; of a free number, the next free one + 1. */
const placeField = 1;
const lengthField = 2;
const kindBits = 4;
const kindMask = (1 << kindBits) - 1;
const chunkBytes = chunkSubjects * idFields * 4;

/** What was fetched, as a number of no meaning: reads whose values nobody keeps would be left out. */
const fetched = new Int32Array(1);

/** So far ahead an id is looked for among those that were fetched: of some nobody asks. */
const skippedMax = 4;

/** Pairs of a hash and the number + 1 of a subject, 0 where the slot is free. */
type Shard = { slots: Int32Array; used: number };

export class SubjectIndex {
  readonly #merchants: string[] = [];
  readonly #merchantOf = new Map<string, number>();
  readonly #chunks: Uint32Array[] = [];
  readonly #words = new BlockSpace(slabShift, (length) => new Uint32Array(length));
  readonly #bytes: Uint8Array[] = [];
  readonly #shards: readonly Shard[];
  /** What was fetched last, with the numbers that these ids probably have: they are looked for in this order, and need no hash again. */
  #fetchedIds: readonly string[] = [];
  #fetchedNumbers: Int32Array = new Int32Array(0);
  #fetchedAt = 0;
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
    const owner = joinOwner(merchant, subject.kind);
    const recalled = this.#recall(owner, subject.id);
    return recalled >= 0 ? recalled : this.#lookUp(owner, subject.id, hashUnits(owner, subject.id));
  }

  /**
   * The number of a subject, a new one where it has none.
   *
   * Fails: throws a RangeError where its id is longer than 4,096 UTF-16 units.
   */
  open(merchantId: string, subject: Subject): number {
    const owner = joinOwner(this.#openMerchant(merchantId), subject.kind);
    const hash = hashUnits(owner, subject.id);
    const known = this.#lookUp(owner, subject.id, hash);
    if (known >= 0) return known;
    if (subject.id.length > idUnitsMax) {
      throw new RangeError(
        `the id of a ${subject.kind} has ${subject.id.length} characters, not ${idUnitsMax} at most`,
      );
    }
    const number = this.#takeNumber();
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = (number & chunkMask) * idFields;
    chunk[at + ownerField] = owner;
    this.#writeId(chunk, at, subject.id);
    this.#insert(this.#shards[hash >>> 24]!, hash, number);
    this.#count++;
    return number;
  }

  /**
   * Fetches what `find` will read for each of these ids. Every step is a loop of its own, whose reads do not wait for one another.
   *
   * `numbers` gets the number of each, -1 where there is none; in very rare cases it is another subject's.
   */
  prefetch(
    merchantId: string,
    { kind, ids }: { readonly kind: SubjectKind; readonly ids: readonly string[] },
    numbers: Int32Array,
  ): void {
    this.#fetchedIds = ids;
    this.#fetchedNumbers = numbers;
    this.#fetchedAt = 0;
    const merchant = this.#merchantOf.get(merchantId);
    if (merchant === undefined) {
      numbers.fill(-1, 0, ids.length);
      return;
    }
    const owner = joinOwner(merchant, kind);
    for (let at = 0; at < ids.length; at++) numbers[at] = hashUnits(owner, ids[at]!);
    let read = 0;
    for (let at = 0; at < ids.length; at++) {
      const { slots } = this.#shards[numbers[at]! >>> 24]!;
      read ^= slots[2 * (numbers[at]! & (slots.length / 2 - 1))]!;
    }
    for (let at = 0; at < ids.length; at++) {
      const number = this.#guess(numbers[at]!);
      numbers[at] = number;
      if (number >= 0) read ^= this.#ownerOf(number);
    }
    for (let at = 0; at < ids.length; at++) if (numbers[at]! >= 0) read ^= this.#firstByte(numbers[at]!);
    fetched[0] = read;
  }

  /** The number of a subject that was fetched lately; -1 where it was not, or had none then. */
  #recall(owner: number, id: string): number {
    const ids = this.#fetchedIds;
    const end = Math.min(this.#fetchedAt + skippedMax, ids.length);
    for (let at = this.#fetchedAt; at < end; at++) {
      if (ids[at] !== id) continue;
      this.#fetchedAt = at;
      const number = this.#fetchedNumbers[at]!;
      return number >= 0 && this.#isId(number, owner, id) ? number : -1;
    }
    return -1;
  }

  /** Fetches the ids of these subjects; removed ones are fine. */
  prefetchIds(numbers: Int32Array): void {
    let read = 0;
    for (const number of numbers) read ^= this.#ownerOf(number);
    for (const number of numbers) read ^= this.#firstByte(number);
    fetched[0] = read;
  }

  /** The number of the first subject with this hash, -1 where there is none. */
  #guess(hash: number): number {
    const { slots } = this.#shards[hash >>> 24]!;
    const mask = slots.length / 2 - 1;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== 0 && slots[2 * slot] !== hash) slot = (slot + 1) & mask;
    return slots[2 * slot + 1]! - 1;
  }

  #firstByte(number: number): number {
    const place = this.#placeOf(number);
    return this.#bytes[place >>> slabShift]?.[(place & this.#words.mask) * 4] ?? 0;
  }

  /** Forgets a subject; its number goes to the next new one. */
  remove(number: number): void {
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = (number & chunkMask) * idFields;
    const hash = hashUnits(chunk[at + ownerField]!, this.#readId(chunk, at));
    this.#erase(this.#shards[hash >>> 24]!, hash, number);
    const words = countWords(chunk[at + lengthField]!);
    if (words > 0) this.#words.give(chunk[at + placeField]!, words);
    chunk[at + ownerField] = free;
    chunk[at + placeField] = this.#free;
    this.#free = number + 1;
    this.#count--;
  }

  /** The first number in use at or after this one, -1 where there is none. */
  next(number: number): number {
    for (let at = number; at < this.#end; at++) {
      if (this.#ownerOf(at) !== free) return at;
    }
    return -1;
  }

  merchantOf(number: number): string {
    return this.#merchants[this.#ownerOf(number) >>> kindBits]!;
  }

  subjectOf(number: number): Subject {
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = (number & chunkMask) * idFields;
    return { kind: kinds[chunk[at + ownerField]! & kindMask]!, id: this.#readId(chunk, at) };
  }

  /**
   * Negative where one subject comes before another: those of a merchant and kind stand together, by their ids unit for unit. Of a removed one it is
   * any number.
   */
  compare(a: number, b: number): number {
    const owner = this.#ownerOf(a);
    if (owner !== this.#ownerOf(b)) return owner - this.#ownerOf(b);
    if (owner === free) return 0;
    const lengthA = this.#countIdBytes(a);
    const lengthB = this.#countIdBytes(b);
    const placeA = this.#placeOf(a);
    const placeB = this.#placeOf(b);
    const bytesA = this.#bytes[placeA >>> slabShift];
    const bytesB = this.#bytes[placeB >>> slabShift];
    const startA = (placeA & this.#words.mask) * 4;
    const startB = (placeB & this.#words.mask) * 4;
    for (let at = 0; at < lengthA && at < lengthB; at++) {
      const difference = bytesA![startA + at]! - bytesB![startB + at]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  #placeOf(number: number): number {
    return this.#chunks[number >>> chunkShift]![(number & chunkMask) * idFields + placeField]!;
  }

  #countIdBytes(number: number): number {
    const length = this.#chunks[number >>> chunkShift]![(number & chunkMask) * idFields + lengthField]!;
    return (length & wideBit) === 0 ? length : (length & ~wideBit) * 2;
  }

  bytes(): number {
    const slots = this.#shards.reduce((sum, shard) => sum + shard.slots.byteLength, 0);
    return slots + this.#words.bytes() + this.#chunks.length * chunkBytes;
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
      this.#free = this.#chunks[number >>> chunkShift]![(number & chunkMask) * idFields + placeField]!;
      return number;
    }
    if (this.#end === this.#chunks.length * chunkSubjects) {
      this.#chunks.push(new Uint32Array(chunkSubjects * idFields).fill(free));
    }
    return this.#end++;
  }

  #ownerOf(number: number): number {
    return this.#chunks[number >>> chunkShift]![(number & chunkMask) * idFields + ownerField]!;
  }

  #lookUp(owner: number, id: string, hash: number): number {
    const { slots } = this.#shards[hash >>> 24]!;
    const mask = slots.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[2 * slot + 1]!;
      if (entry === 0) return -1;
      if (slots[2 * slot] === hash && this.#isId(entry - 1, owner, id)) return entry - 1;
    }
  }

  #isId(number: number, owner: number, id: string): boolean {
    const chunk = this.#chunks[number >>> chunkShift]!;
    const at = (number & chunkMask) * idFields;
    const length = chunk[at + lengthField]!;
    if (chunk[at + ownerField] !== owner || (length & ~wideBit) !== id.length) return false;
    const place = chunk[at + placeField]!;
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

  #writeId(chunk: Uint32Array, at: number, id: string): void {
    let isWide = false;
    for (let i = 0; i < id.length; i++) isWide ||= id.charCodeAt(i) > 0xff;
    const length = isWide ? id.length | wideBit : id.length;
    chunk[at + lengthField] = length;
    const words = countWords(length);
    if (words === 0) {
      chunk[at + placeField] = 0;
      return;
    }
    const place = this.#words.take(words);
    chunk[at + placeField] = place;
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

  #readId(chunk: Uint32Array, at: number): string {
    const length = chunk[at + lengthField]!;
    const place = chunk[at + placeField]!;
    const bytes = this.#bytes[place >>> slabShift];
    let next = (place & this.#words.mask) * 4;
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

function joinOwner(merchant: number, kind: SubjectKind): number {
  return ((merchant << kindBits) | kindOf.get(kind)!) >>> 0;
}

/** A signed 32-bit hash; the top byte chooses the shard, the rest the slot. */
function hashUnits(owner: number, id: string): number {
  let h = Math.imul(owner + 1, 0x9e37_79b1);
  for (let i = 0; i < id.length; i++) {
    h = Math.imul(h ^ id.charCodeAt(i), 0x5bd1_e995);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
