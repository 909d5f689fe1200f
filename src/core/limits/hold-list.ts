import type { Hold } from "./limit.ts";

/** Is told of every hold that comes to a list and goes from it. */
export type HoldWatcher = {
  readonly holdAdded: (hold: Hold) => void;
  readonly holdRemoved: (hold: Hold) => void;
};

/** Of the few lists that somebody watches: the others, one for each player who pays, are no bigger for it. */
const watchersOf = new WeakMap<HoldList, readonly HoldWatcher[]>();

/** Open holds of a subject in the order in which they came, as a store keeps them: it tells who keeps sums of them. */
export class HoldList extends Array<Hold> {
  /** What is made of such a list is a plain one. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  add(hold: Hold): void {
    this.push(hold);
    const watchers = watchersOf.get(this);
    if (watchers !== undefined) for (const watcher of watchers) watcher.holdAdded(hold);
  }

  /** Nothing happens where it is not there. */
  take(hold: Hold): void {
    const at = this.indexOf(hold);
    if (at < 0) return;
    // To splice an array of another class is slow.
    for (let next = at + 1; next < this.length; next++) this[next - 1] = this[next]!;
    this.pop();
    const watchers = watchersOf.get(this);
    if (watchers !== undefined) for (const watcher of watchers) watcher.holdRemoved(hold);
  }

  watch(watcher: HoldWatcher): void {
    watchersOf.set(this, [...(watchersOf.get(this) ?? []), watcher]);
  }

  unwatch(watcher: HoldWatcher): void {
    const left = watchersOf.get(this)?.filter((each) => each !== watcher) ?? [];
    if (left.length > 0) watchersOf.set(this, left);
    else watchersOf.delete(this);
  }
}
