/**
 * The hashes that decisions rest on: rollout buckets, weighted draws, idempotency keys, content versions.
 *
 * All hash the UTF-8 form of their fields joined by NUL (so `"ab","c"` and `"a","bc"` differ; ids never hold a NUL). A lone surrogate counts as
 * U+FFFD, as in every UTF-8 encoder. Other languages get the same numbers: the golden vectors are in `test/cases/hash/`. MurmurHash3 is
 * neither a secret nor a signature: whoever can choose the fields can make two of them collide.
 */

/** Bytes that are hashed without an allocation; longer input gets a buffer of its own. */
const scratchBytes = 4096;
const scratch = new Uint8Array(scratchBytes);
const scratchWords = new DataView(scratch.buffer);

/**
 * MurmurHash3 x86 32 of the fields, seed 0: an integer 0..2^32-1.
 *
 * Source: `SEMANTICS.md` 3.7.
 */
export function hash32(...fields: readonly string[]): number {
  const bytes = bufferFor(fields);
  return murmur32(bytes, writeFields(bytes, fields));
}

/** MurmurHash3 x86 128 of the fields, seed 0: 32 lower-case hex digits, the four 32-bit words in order. */
export function hash128(...fields: readonly string[]): string {
  const bytes = bufferFor(fields);
  return murmur128(bytes, writeFields(bytes, fields));
}

/**
 * The first 53 bits of `hash128` of the fields as an integer, with no text made in between: for what is hashed once per event.
 *
 * Two of a million texts meet with a chance of 1 in 18,000.
 */
export function hash53(...fields: readonly string[]): number {
  const bytes = bufferFor(fields);
  mixMurmur128(bytes, writeFields(bytes, fields));
  return (mixed[0]! >>> 0) * 0x200000 + (mixed[1]! >>> 11);
}

/**
 * The bucket 0..9999 of a player in a rollout: inside where it is below the share in bps, so a growing share only adds players.
 *
 * `salt` is the rollout's salt, or the rule's id where it has none. Source: `SEMANTICS.md` 3.7.
 */
export function rolloutBucket(merchantId: string, salt: string, playerId: string): number {
  return scaleDown(hash32(merchantId, salt, playerId), 10_000);
}

/**
 * The key that a PSP gets with one authorisation: 32 hex digits, equal for the status query and the re-send of that attempt, different for
 * every other attempt. It is not a secret.
 *
 * Source: `SEMANTICS.md` 4.3.
 */
export function idempotencyKey(attempt: {
  readonly merchantId: string;
  readonly paymentId: string;
  readonly revision: number;
  readonly attemptId: string;
  readonly psp: string;
}): string {
  const { merchantId, paymentId, revision, attemptId, psp } = attempt;
  if ((attemptId.length + psp.length) * 3 > keyTailBytes || !startKey(merchantId, paymentId, revision)) {
    return hash128(merchantId, paymentId, String(revision), attemptId, psp);
  }
  let end = writeUtf8(keyScratch, keyStart.end, attemptId);
  keyScratch[end++] = 0;
  end = writeUtf8(keyScratch, end, psp);
  return murmur128(keyScratch, end);
}

/** The keys of one plan begin alike: what they begin with stays here from one to the next. */
const keyScratch = new Uint8Array(scratchBytes);
const keyWords = new DataView(keyScratch.buffer);
const keyTailBytes = 1024;
const keyStart = { merchantId: "", paymentId: "", revision: -1, end: 0 };

/** Whether the scratch begins with these fields, and has room for those that follow. */
function startKey(merchantId: string, paymentId: string, revision: number): boolean {
  const { merchantId: merchant, paymentId: payment, revision: before } = keyStart;
  if (payment === paymentId && before === revision && merchant === merchantId) return true;
  if ((merchantId.length + paymentId.length) * 3 > scratchBytes - keyTailBytes - 32) return false;
  let end = writeUtf8(keyScratch, 0, merchantId);
  keyScratch[end++] = 0;
  end = writeUtf8(keyScratch, end, paymentId);
  keyScratch[end++] = 0;
  end = writeUtf8(keyScratch, end, String(revision));
  keyScratch[end++] = 0;
  keyStart.merchantId = merchantId;
  keyStart.paymentId = paymentId;
  keyStart.revision = revision;
  keyStart.end = end;
  return true;
}

/** A PSP with its share in a weighted strategy; `weight` is a whole number 0..2^31-1 of no particular unit. */
export type WeightedCandidate = { readonly id: string; readonly weight: number };

/**
 * The ids of the candidates in the order in which this payment draws them, without replacement; a weight of 0 is never drawn and left out.
 *
 * Draw k (1 for the first) takes `floor(hash32(merchant, payment, strategy, k) * total / 2^32)`, k as decimal text and total the weight that
 * is left, and finds it in the running sum over the candidates that are left, ordered by id (UTF-16 code units). So the order of the
 * input does not matter. Give all configured PSPs and skip the ineligible ones afterwards: a breaker then does not re-route everyone.
 *
 * Shapes: at most 32 candidates with distinct ids in, at most as many ids out. Source: `SEMANTICS.md` 3.7.
 */
export function weightedOrder(draw: {
  readonly merchantId: string;
  readonly paymentId: string;
  readonly strategyId: string;
  readonly candidates: readonly WeightedCandidate[];
}): readonly string[] {
  const left: WeightedCandidate[] = [];
  let total = 0;
  for (const candidate of draw.candidates) {
    if (candidate.weight <= 0) continue;
    left.push(candidate);
    total += candidate.weight;
  }
  // Rule sets list them by id, and sorting even two costs more than the draw.
  if (!isSorted(left)) left.sort(byId);

  const order: string[] = [];
  for (let k = 1; left.length > 0; k++) {
    // Whatever the last hash is, there is but one to draw.
    const at = left.length === 1 ? 0 : findWeight(left, scaleDown(hashDraw(draw, k), total));
    const drawn = left[at]!;
    left.copyWithin(at, at + 1);
    left.length--;
    total -= drawn.weight;
    order.push(drawn.id);
  }
  return order;
}

function hashDraw(
  draw: { readonly merchantId: string; readonly paymentId: string; readonly strategyId: string },
  k: number,
): number {
  return hash32(draw.merchantId, draw.paymentId, draw.strategyId, String(k));
}

function isSorted(candidates: readonly WeightedCandidate[]): boolean {
  for (let at = 1; at < candidates.length; at++) {
    if (byId(candidates[at - 1]!, candidates[at]!) > 0) return false;
  }
  return true;
}

function byId(a: WeightedCandidate, b: WeightedCandidate): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Index of the candidate in whose stretch of the running sum `point` lies. */
function findWeight(candidates: readonly WeightedCandidate[], point: number): number {
  let sum = 0;
  for (let at = 0; at < candidates.length; at++) {
    sum += candidates[at]!.weight;
    if (point < sum) return at;
  }
  throw new Error(`weight ${point} lies beyond the total ${sum}`);
}

/** `floor(hash * total / 2^32)`, exact for totals to 2^36: the product alone would pass 2^53. */
function scaleDown(hash: number, total: number): number {
  const high = hash >>> 16;
  const low = hash & 0xffff;
  return Math.floor((high * total + Math.floor((low * total) / 0x10000)) / 0x10000);
}

/** A buffer that surely holds the fields: a UTF-16 unit becomes at most 3 bytes. */
function bufferFor(fields: readonly string[]): Uint8Array {
  let bytesMax = fields.length;
  for (const field of fields) bytesMax += field.length * 3;
  return bytesMax <= scratchBytes ? scratch : new Uint8Array(bytesMax);
}

function writeFields(bytes: Uint8Array, fields: readonly string[]): number {
  let end = 0;
  for (let i = 0; i < fields.length; i++) {
    if (i > 0) bytes[end++] = 0;
    end = writeUtf8(bytes, end, fields[i]!);
  }
  return end;
}

/** Written out because a `TextEncoder` call costs more than the hash of an id. */
function writeUtf8(bytes: Uint8Array, start: number, text: string): number {
  let end = start;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[end++] = unit;
    } else if (unit < 0x800) {
      bytes[end++] = 0xc0 | (unit >> 6);
      bytes[end++] = 0x80 | (unit & 0x3f);
    } else {
      const point = pointAt(text, i);
      if (point > 0xffff) {
        i++;
        bytes[end++] = 0xf0 | (point >> 18);
        bytes[end++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[end++] = 0xe0 | (point >> 12);
      }
      bytes[end++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[end++] = 0x80 | (point & 0x3f);
    }
  }
  return end;
}

function pointAt(text: string, at: number): number {
  const point = text.codePointAt(at)!;
  return point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
}

function murmur32(bytes: Uint8Array, length: number): number {
  const tail = length & ~3;
  const words = wordsOf(bytes);
  let h = 0;
  for (let i = 0; i < tail; i += 4) {
    h ^= scramble(words.getInt32(i, true), 0xcc9e2d51, 15, 0x1b873593);
    h = (Math.imul(rotate(h, 13), 5) + 0xe6546b64) | 0;
  }
  if (tail < length) h ^= scramble(readWord(bytes, tail, length - tail), 0xcc9e2d51, 15, 0x1b873593);
  return finish(h ^ length) >>> 0;
}

const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

function murmur128(bytes: Uint8Array, length: number): string {
  mixMurmur128(bytes, length);
  return hex(mixed[0]!, mixed[1]!, mixed[2]!, mixed[3]!);
}

/** The four words of the latest `mixMurmur128`. */
const mixed = new Int32Array(4);

function mixMurmur128(bytes: Uint8Array, length: number): void {
  const tail = length & ~15;
  const words = wordsOf(bytes);
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  for (let i = 0; i < tail; i += 16) {
    h1 ^= scramble(words.getInt32(i, true), c1, 15, c2);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(words.getInt32(i + 4, true), c2, 16, c3);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(words.getInt32(i + 8, true), c3, 17, c4);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(words.getInt32(i + 12, true), c4, 18, c1);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  const rest = length - tail;
  if (rest > 12) h4 ^= scramble(readWord(bytes, tail + 12, rest - 12), c4, 18, c1);
  if (rest > 8) h3 ^= scramble(readWord(bytes, tail + 8, Math.min(rest - 8, 4)), c3, 17, c4);
  if (rest > 4) h2 ^= scramble(readWord(bytes, tail + 4, Math.min(rest - 4, 4)), c2, 16, c3);
  if (rest > 0) h1 ^= scramble(readWord(bytes, tail, Math.min(rest, 4)), c1, 15, c2);

  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = finish(h2 + h1);
  h3 = finish(h3 + h1);
  h4 = finish(h4 + h1);
  h1 = finish(h1);
  h1 = (h1 + h2 + h3 + h4) | 0;
  mixed[0] = h1;
  mixed[1] = h2 + h1;
  mixed[2] = h3 + h1;
  mixed[3] = h4 + h1;
}

function wordsOf(bytes: Uint8Array): DataView {
  if (bytes === scratch) return scratchWords;
  return bytes === keyScratch ? keyWords : new DataView(bytes.buffer, bytes.byteOffset);
}

/** The next `count` (1 to 4) bytes as a little-endian word. */
function readWord(bytes: Uint8Array, at: number, count: number): number {
  let word = bytes[at]!;
  if (count > 1) word |= bytes[at + 1]! << 8;
  if (count > 2) word |= bytes[at + 2]! << 16;
  if (count > 3) word |= bytes[at + 3]! << 24;
  return word;
}

function scramble(word: number, before: number, turn: number, after: number): number {
  return Math.imul(rotate(Math.imul(word, before), turn), after);
}

function rotate(word: number, turn: number): number {
  return (word << turn) | (word >>> (32 - turn));
}

function finish(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const hexDigits = new Uint8Array(Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0)));

/** Six times as fast as `toString(16)` with padding, and one flat text: a plan needs a key for every step. */
function hex(a: number, b: number, c: number, d: number): string {
  const digit = hexDigits;
  return String.fromCharCode(
    digit[a >>> 28]!,
    digit[(a >>> 24) & 15]!,
    digit[(a >>> 20) & 15]!,
    digit[(a >>> 16) & 15]!,
    digit[(a >>> 12) & 15]!,
    digit[(a >>> 8) & 15]!,
    digit[(a >>> 4) & 15]!,
    digit[a & 15]!,
    digit[b >>> 28]!,
    digit[(b >>> 24) & 15]!,
    digit[(b >>> 20) & 15]!,
    digit[(b >>> 16) & 15]!,
    digit[(b >>> 12) & 15]!,
    digit[(b >>> 8) & 15]!,
    digit[(b >>> 4) & 15]!,
    digit[b & 15]!,
    digit[c >>> 28]!,
    digit[(c >>> 24) & 15]!,
    digit[(c >>> 20) & 15]!,
    digit[(c >>> 16) & 15]!,
    digit[(c >>> 12) & 15]!,
    digit[(c >>> 8) & 15]!,
    digit[(c >>> 4) & 15]!,
    digit[c & 15]!,
    digit[d >>> 28]!,
    digit[(d >>> 24) & 15]!,
    digit[(d >>> 20) & 15]!,
    digit[(d >>> 16) & 15]!,
    digit[(d >>> 12) & 15]!,
    digit[(d >>> 8) & 15]!,
    digit[(d >>> 4) & 15]!,
    digit[d & 15]!,
  );
}
