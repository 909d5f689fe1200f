import { packObject, readVersion, unpackObject } from "./codec/pack.ts";
import { encodeMerchantRange, encodeNumberedKey, readKeyNumber } from "./keys.ts";
import type { Bytes } from "./lmdb.ts";

const layoutVersion = 1;

/** A merchant's things in order of their numbers, from 1. `what` names one in faults. */
export class NumberedTable<T extends object> {
  readonly #table: Bytes;
  readonly #what: string;
  /** The newest number given out per merchant: two appends of one turn must not get the same. */
  readonly #newest = new Map<string, number>();

  constructor(table: Bytes, what: string) {
    this.#table = table;
    this.#what = what;
  }

  get(merchantId: string, number: number): T | undefined {
    const bytes = this.#table.getBinary(encodeNumberedKey(merchantId, number));
    return bytes && this.#read(bytes);
  }

  oldestFirst(merchantId: string): readonly T[] {
    const range = this.#table.getRange(encodeMerchantRange(merchantId));
    return [...range.map(({ value }) => this.#read(value))];
  }

  newestFirst(merchantId: string, most: number): readonly T[] {
    const { start, end } = encodeMerchantRange(merchantId);
    const range = this.#table.getRange({ start: end, end: start, reverse: true, limit: most });
    return [...range.map(({ value }) => this.#read(value))];
  }

  newestNumber(merchantId: string): number {
    const { start, end } = encodeMerchantRange(merchantId);
    const [newest] = [...this.#table.getKeys({ start: end, end: start, reverse: true, limit: 1 })];
    return newest === undefined ? 0 : readKeyNumber(newest);
  }

  put(merchantId: string, number: number, value: T): Promise<boolean> {
    return this.#table.put(encodeNumberedKey(merchantId, number), packObject(layoutVersion, value));
  }

  append(merchantId: string, value: T): Promise<boolean> {
    const number = (this.#newest.get(merchantId) ?? this.newestNumber(merchantId)) + 1;
    this.#newest.set(merchantId, number);
    return this.put(merchantId, number, value);
  }

  #read(bytes: Buffer): T {
    readVersion(bytes, layoutVersion, this.#what);
    return unpackObject(bytes) as T;
  }
}
