/** Long work in slices, so that it never holds the event loop. */

/** Longest slice, in ms. */
const sliceMsMax = 0.8;
/** The clock is asked every so many steps. */
const stepsPerLook = 8;

/** Calls `step` for each item, giving the loop back after every slice of about 0.8 ms. */
export async function forEachInSlices<T>(items: Iterable<T>, step: (item: T) => unknown): Promise<void> {
  let startedMs = performance.now();
  let steps = 0;
  for (const item of items) {
    step(item);
    if (++steps % stepsPerLook !== 0 || performance.now() - startedMs < sliceMsMax) continue;
    await new Promise((resolve) => setImmediate(resolve));
    startedMs = performance.now();
  }
}
