import type { Pacer } from "./tracker.ts";

/** One turn's share. */
const sliceMs = 1;

/** Gives the turn away whenever a slice is used up. */
export type Turns = { readonly take: () => Promise<void> };

export function createTurns(pacer: Pacer): Turns {
  let startMs = pacer.elapsedMs();
  return {
    take: async () => {
      if (pacer.elapsedMs() - startMs < sliceMs) return;
      await new Promise<void>((resolve) => pacer.soon(resolve));
      startMs = pacer.elapsedMs();
    },
  };
}
