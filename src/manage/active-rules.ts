import type { OverrideSet } from "../core/rules/override-set.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";

/** What a merchant decides by now. Replaced as a whole, so that a decision sees one rule set and one state of the overrides. */
export type ActiveRuleSet = {
  readonly snapshot: RuleSnapshot;
  readonly overrides: OverrideSet;
  /** Overrides that name what the rule set does not have: inert. By id, with why. */
  readonly orphans: ReadonlyMap<string, readonly string[]>;
  readonly activeSinceMs: number;
};

export type ActiveRulesListener = (active: ActiveRuleSet) => void;

/** The active rule set of every merchant. */
export class ActiveRules {
  readonly #active = new Map<string, ActiveRuleSet>();
  readonly #listeners = new Map<string, Set<ActiveRulesListener>>();

  current(merchantId: string): ActiveRuleSet | undefined {
    return this.#active.get(merchantId);
  }

  /** Swaps the reference. Whoever watches is told of another version. */
  set(merchantId: string, active: ActiveRuleSet): void {
    const before = this.#active.get(merchantId);
    this.#active.set(merchantId, active);
    if (before?.snapshot === active.snapshot) return;
    for (const listener of this.#listeners.get(merchantId) ?? []) listener(active);
  }

  /** Calls back at every activation until the returned function is called. */
  watch(merchantId: string, listener: ActiveRulesListener): () => void {
    const listeners = this.#listeners.get(merchantId) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(merchantId, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(merchantId);
    };
  }

  entries(): IterableIterator<[string, ActiveRuleSet]> {
    return this.#active.entries();
  }
}
