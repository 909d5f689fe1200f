import type { SlotSource } from "../cel/environment.ts";

/** Allots slots to sources while conditions are lowered: equal sources share one. */
export class SlotTable {
  readonly #sources: SlotSource[] = [];
  readonly #slots = new Map<string, number>();

  slot(source: SlotSource): number {
    const key = JSON.stringify(source, Object.keys(source).sort());
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#sources.length;
    this.#sources.push(source);
    this.#slots.set(key, slot);
    return slot;
  }

  /** By slot. */
  get sources(): readonly SlotSource[] {
    return this.#sources;
  }
}
