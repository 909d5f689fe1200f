/**
 * Runs the changes of one merchant one after the other, so that what a change checked still holds when it writes. Changes of different
 * merchants do not wait for each other.
 */
export class ChangeQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(merchantId: string, change: () => Promise<T>): Promise<T> {
    const before = this.#last.get(merchantId) ?? Promise.resolve();
    const result = before.then(change, change);
    this.#last.set(merchantId, result);
    // Forget a finished queue, so that the map does not keep a promise for every merchant.
    const forget = (): void => {
      if (this.#last.get(merchantId) === result) this.#last.delete(merchantId);
    };
    result.then(forget, forget);
    return result;
  }
}
