/** 1 MiB of ids a slab; no id lies in two. */
const slabShift = 20;
const slabBytes = 1 << slabShift;
const slabMask = slabBytes - 1;
/** Before the bytes of an id: whether they are UTF-16, and how many there are. */
const headerBytes = 3;
const utf8 = 0;
const utf16 = 1;
/** Comparisons between two chances to pause. */
const comparisonsMax = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A list of ids that is sorted in small steps, in the order of `compareIds`. A million ids are some 20 MB of bytes and no objects, so that nothing has to
 * wait for them, neither a turn of the process nor a garbage collection.
 *
 * Shapes: ids of at most 4,096 UTF-16 units, repeated ones too.
 */
export class SortedIds {
  readonly #slabs: Uint8Array[] = [];
  /** Where the next id goes in the last slab. */
  #end = slabBytes;
  /** Slab and offset of each id, in order. */
  #places = new Uint32Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(id: string): void {
    if (this.#end + headerBytes + 3 * id.length > slabBytes) {
      this.#slabs.push(new Uint8Array(slabBytes));
      this.#end = 0;
    }
    const slab = this.#slabs.at(-1)!;
    const start = this.#end + headerBytes;
    const isWellFormed = id.isWellFormed();
    const bytes = isWellFormed ? writeUtf8(slab, start, id) : writeUtf16(slab, start, id);
    slab[this.#end] = isWellFormed ? utf8 : utf16;
    slab[this.#end + 1] = bytes & 0xff;
    slab[this.#end + 2] = bytes >> 8;
    if (this.#size === this.#places.length) {
      const grown = new Uint32Array(Math.max(64, 2 * this.#size));
      grown.set(this.#places);
      this.#places = grown;
    }
    this.#places[this.#size++] = ((this.#slabs.length - 1) << slabShift) | this.#end;
    this.#end = start + bytes;
  }

  /** Sorts what was added. Pauses after every few comparisons; until it is through, `at` gives ids in no order. */
  *sort(): Generator<void, void> {
    const size = this.#size;
    let from = this.#places.slice(0, size);
    let into = new Uint32Array(size);
    let comparisons = 0;
    for (let width = 1; width < size; width *= 2) {
      for (let start = 0; start < size; start += 2 * width) {
        const middle = Math.min(start + width, size);
        const end = Math.min(start + 2 * width, size);
        if (++comparisons % comparisonsMax === 0) yield;
        if (middle === end || this.#compare(from[middle - 1]!, from[middle]!) <= 0) {
          into.set(from.subarray(start, end), start);
          continue;
        }
        let left = start;
        let right = middle;
        for (let to = start; to < end; to++) {
          if (++comparisons % comparisonsMax === 0) yield;
          const isLeft = right === end || (left < middle && this.#compare(from[left]!, from[right]!) <= 0);
          into[to] = isLeft ? from[left++]! : from[right++]!;
        }
      }
      [from, into] = [into, from];
    }
    this.#places = from;
  }

  /** The id at a place from 0 on. */
  at(index: number): string {
    const place = this.#places[index]!;
    const slab = this.#slabs[place >>> slabShift]!;
    const at = place & slabMask;
    const start = at + headerBytes;
    const end = start + slab[at + 1]! + (slab[at + 2]! << 8);
    return slab[at] === utf8 ? readUtf8(slab, start, end) : readUtf16(slab, start, end);
  }

  #compare(a: number, b: number): number {
    const slabA = this.#slabs[a >>> slabShift]!;
    const slabB = this.#slabs[b >>> slabShift]!;
    let atA = a & slabMask;
    let atB = b & slabMask;
    const encoding = slabA[atA]! - slabB[atB]!;
    if (encoding !== 0) return encoding;
    const bytesA = slabA[atA + 1]! + (slabA[atA + 2]! << 8);
    const bytesB = slabB[atB + 1]! + (slabB[atB + 2]! << 8);
    atA += headerBytes;
    atB += headerBytes;
    for (const end = atA + Math.min(bytesA, bytesB); atA < end; atA++, atB++) {
      const difference = slabA[atA]! - slabB[atB]!;
      if (difference !== 0) return difference;
    }
    return bytesA - bytesB;
  }
}

/** How many bytes were written. Most ids are ASCII, for which a loop is cheaper than a call. */
function writeUtf8(slab: Uint8Array, start: number, id: string): number {
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    if (unit > 0x7f) return encoder.encodeInto(id, slab.subarray(start)).written;
    slab[start + at] = unit;
  }
  return id.length;
}

function readUtf8(slab: Uint8Array, start: number, end: number): string {
  let id = "";
  for (let at = start; at < end; at++) {
    if (slab[at]! > 0x7f) return decoder.decode(slab.subarray(start, end));
    id += String.fromCharCode(slab[at]!);
  }
  return id;
}

function writeUtf16(slab: Uint8Array, start: number, id: string): number {
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    slab[start + 2 * at] = unit & 0xff;
    slab[start + 2 * at + 1] = unit >> 8;
  }
  return 2 * id.length;
}

function readUtf16(slab: Uint8Array, start: number, end: number): string {
  let id = "";
  for (let at = start; at < end; at += 2) id += String.fromCharCode(slab[at]! | (slab[at + 1]! << 8));
  return id;
}
