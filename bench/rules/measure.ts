import type { Contender } from "./contender.ts";

/** What was measured of one peer beside ours: medians over all rounds. */
export type Measurement = {
  readonly peer: Contender;
  /** Microseconds per decision, of the peer and of ours in the turns just before it. */
  readonly peerUs: number;
  readonly oursUs: number;
  /** How many times as long the peer takes: the median of the ratios of neighbouring turns. */
  readonly ratio: number;
};

export type Rounds = {
  readonly rounds: number;
  /** How long one turn of one contender should take. */
  readonly turnMs: number;
  /** Called after each turn, with the share of all turns that is done. */
  readonly onProgress: (share: number) => void;
};

/** Measures ours and each peer in turns, first to last, `rounds` times. Warms each up with one turn that does not count. */
export async function measureInTurns(
  ours: Contender,
  peers: readonly Contender[],
  { rounds, turnMs, onProgress }: Rounds,
): Promise<readonly Measurement[]> {
  const oursTurn = await prepareTurn(ours, turnMs);
  const turns = [];
  for (const peer of peers) {
    turns.push({ peer, take: await prepareTurn(peer, turnMs), ours: [] as number[], its: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, turn] of turns.entries()) {
      turn.ours.push(await oursTurn());
      turn.its.push(await turn.take());
      onProgress((round * turns.length + i + 1) / (rounds * turns.length));
    }
  }
  return turns.map(({ peer, ours: before, its }) => ({
    peer,
    peerUs: findMedian(its),
    oursUs: findMedian(before),
    ratio: findMedian(its.map((us, i) => us / before[i]!)),
  }));
}

export function findMedian(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A turn of about `turnMs` that returns microseconds per decision; each turn goes on in the corpus where the one before stopped. */
async function prepareTurn(contender: Contender, turnMs: number): Promise<() => Promise<number>> {
  let first = 0;
  const take = async (count: number): Promise<number> => {
    const startMs = performance.now();
    await contender.run(first, count);
    first += count;
    return ((performance.now() - startMs) * 1000) / count;
  };
  let count = 1;
  let us = await take(count);
  while (us * count < turnMs * 500) {
    count *= 2;
    us = await take(count);
  }
  return () => take(count);
}
