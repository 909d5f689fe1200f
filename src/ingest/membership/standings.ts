import type { RuleSnapshot } from "../../core/rules/snapshot.ts";
import type { KeptStanding } from "../../core/segments/sweep.ts";

/** About a kilobyte each with a hundred segments. */
const keptMax = 16_384;

type Kept = KeptStanding & { readonly snapshot: RuleSnapshot };

/** Where players stood a while ago, by number, so that they need not be followed from the beginning. */
export class Standings {
  readonly #kept = new Map<number, Kept>();

  /** The standing to go on from, if it is of this rule set and not later. */
  find(number: number, snapshot: RuleSnapshot, nowMs: number): KeptStanding | undefined {
    const kept = this.#kept.get(number);
    return kept !== undefined && kept.snapshot === snapshot && kept.standing.atMs < nowMs ? kept : undefined;
  }

  keep(number: number, snapshot: RuleSnapshot, { standing, nextMs }: KeptStanding): void {
    // The one that was used longest ago stands first.
    this.#kept.delete(number);
    if (this.#kept.size >= keptMax) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(number, { standing, nextMs, snapshot });
  }

  /** Something of that instant became known: what was followed beyond it does not stand. */
  forget(number: number, atMs: number): void {
    if (this.#kept.size > 0 && atMs <= (this.#kept.get(number)?.standing.atMs ?? Number.NEGATIVE_INFINITY))
      this.#kept.delete(number);
  }
}
