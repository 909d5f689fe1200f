/**
 * Memberships that depend on what was before. Two machines, each a pure function of its state, what holds, and now.
 *
 * | State | Moves | When |
 * |---|---|---|
 * | out | in, since now | the condition holds, and the exit does not |
 * | in, since t | out | the exit holds, and now - t >= the least stay |
 * | in no state | the first state that holds | one does |
 * | in state s, since t | the first state that holds, or none | that is another one, and now - t >= the least stay in s |
 */

/** Since when a player is in; undefined where out. ms since the epoch. */
export type Stay = number | undefined;

/** Moves a segment with an exit of its own or a least stay. Where it has no exit, `exits` is that its condition does not hold. */
export function stepStay(
  stay: Stay,
  judged: {
    readonly enters: boolean;
    readonly exits: boolean;
    readonly dwellMinMs: number;
    readonly nowMs: number;
  },
): Stay {
  const { enters, exits, dwellMinMs, nowMs } = judged;
  if (stay === undefined) return enters && !exits ? nowMs : undefined;
  return exits && nowMs - stay >= dwellMinMs ? undefined : stay;
}

/** Which state of a journey a player is in, by place, and since when. */
export type StatePlace = { readonly state: number; readonly sinceMs: number };

/** Moves a journey whose states exclude each other. `holds` and `dwellMinMs` by place. */
export function stepState(
  place: StatePlace | undefined,
  judged: {
    readonly holds: readonly boolean[];
    readonly dwellMinMs: readonly number[];
    readonly nowMs: number;
  },
): StatePlace | undefined {
  const { holds, dwellMinMs, nowMs } = judged;
  if (place !== undefined && nowMs - place.sinceMs < dwellMinMs[place.state]!) return place;
  const first = holds.indexOf(true);
  if (first === -1) return undefined;
  return first === place?.state ? place : { state: first, sinceMs: nowMs };
}
