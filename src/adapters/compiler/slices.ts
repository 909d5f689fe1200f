import { setImmediate } from "node:timers/promises";

/** How long a slice goes on taking steps. A step may take as long again, and a slice is still within 1 ms. */
const sliceMs = 0.4;

/** Runs steps to their end without holding the loop: whatever else waits runs between slices. */
export async function runInSlices<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const endMs = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < endMs);
    await setImmediate();
  }
}

const chunkBytes = 1024 * 1024;

/** Copies bytes into a buffer of their own, a mebibyte per slice. */
export function* copyBytes(source: Uint8Array): Generator<void, Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(source.length);
  for (let at = 0; at < source.length; at += chunkBytes) {
    copy.set(source.subarray(at, at + chunkBytes), at);
    yield;
  }
  return copy;
}
