import type { Hold } from "./limit.ts";

/** Is told of every hold that comes to a list and goes from it. */
export type HoldWatcher = {
  readonly holdAdded: (hold: Hold) => void;
  readonly holdRemoved: (hold: Hold) => void;
};

/** Open holds of a subject in the order in which they came, as a store keeps them: it tells who keeps sums of them. */
export class HoldList extends Array<Hold> {
  #watchers: readonly HoldWatcher[] | undefined;

  /** What is made of such a list is a plain one. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  add(hold: Hold): void {
    this.push(hold);
    if (this.#watchers !== undefined) for (const watcher of this.#watchers) watcher.holdAdded(hold);
  }

  /** Nothing happens where it is not there. */
  take(hold: Hold): void {
    const at = this.indexOf(hold);
    if (at < 0) return;
    this.splice(at, 1);
    if (this.#watchers !== undefined) for (const watcher of this.#watchers) watcher.holdRemoved(hold);
  }

  watch(watcher: HoldWatcher): void {
    this.#watchers = [...(this.#watchers ?? []), watcher];
  }

  unwatch(watcher: HoldWatcher): void {
    this.#watchers = this.#watchers?.filter((each) => each !== watcher);
  }
}
