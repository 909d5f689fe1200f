import type { RuleSnapshot } from "../../core/rules/snapshot.ts";
import type { KeptStanding } from "../../core/segments/sweep.ts";

/** About a kilobyte each with a hundred segments. */
const keptMax = 16_384;

type Kept<T> = { readonly known: T; readonly snapshot: RuleSnapshot };

/** Where players stood a while ago, by number, so that they need not be followed from the beginning. */
export class Standings<T extends KeptStanding> {
  readonly #kept = new Map<number, Kept<T>>();

  /** The standing to go on from, if it is of this rule set and not later. */
  find(number: number, snapshot: RuleSnapshot, nowMs = Number.POSITIVE_INFINITY): T | undefined {
    const kept = this.#kept.get(number);
    return kept !== undefined && kept.snapshot === snapshot && kept.known.standing.atMs < nowMs
      ? kept.known
      : undefined;
  }

  keep(number: number, snapshot: RuleSnapshot, known: T): void {
    // The one that was used longest ago stands first.
    this.#kept.delete(number);
    if (this.#kept.size >= keptMax) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(number, { known, snapshot });
  }

  /** Something of that instant became known: what was followed beyond it does not stand. */
  forget(number: number, atMs: number): void {
    if (this.#kept.size === 0) return;
    const kept = this.#kept.get(number);
    if (kept !== undefined && atMs <= kept.known.standing.atMs) this.#kept.delete(number);
  }
}
