/**
 * How many attempts a plan may send before anything is heard of it, so that they can be held against the caps of the schemes (`SEMANTICS.md` 4.6,
 * docs/decisions/0015).
 */
import type { Edge, Step } from "../decision.ts";
import type { Attempt } from "./attempts.ts";
import type { PlanStanding } from "./standing.ts";

/** Most attempts that one payment is shown at once where `free` are left: half, so that some are left for others beside it. Each report shows more. */
export function findShare(free: number): number {
  return Math.ceil(free / 2);
}

/** Attempts on the longest way through what the plan shows, from where it stands. */
export function countAhead(standing: PlanStanding): number {
  const ways = measureWays(standing.steps, findOrigins(standing));
  let longest = 0;
  for (const length of ways) longest = Math.max(longest, length);
  return longest;
}

/** Numbers of the steps that would be an attempt beyond the next `most`. */
export function findBeyond(standing: PlanStanding, most: number): ReadonlySet<number> {
  const ways = measureWays(standing.steps, findOrigins(standing));
  const beyond = new Set<number>();
  for (const { number } of standing.steps) if (ways[number]! > most) beyond.add(number);
  return beyond;
}

/**
 * Attempts that were sent if the furthest one was, and of which nothing was told: reports come late, in another order, or not at all. The most that
 * can have been on the way there.
 */
export function countSilent(steps: readonly Step[], attempts: readonly Attempt[]): number {
  const told = steps.map(({ attemptId }) => attempts.find((each) => each.attemptId === attemptId));
  const furthest = told.findLastIndex((attempt) => attempt !== undefined);
  const firstSilent = told.indexOf(undefined);
  if (firstSilent < 0 || firstSilent >= furthest) return 0;
  /** By index: the most silent ones on a way to the step, itself included; -1 where no way leads there. */
  const silent = new Int8Array(steps.length).fill(-1);
  silent[0] = told[0] === undefined ? 1 : 0;
  for (let at = 0; at < furthest; at++) {
    if (silent[at]! < 0) continue;
    for (const number of listTargets(steps[at]!, told[at])) {
      const count = silent[at]! + (told[number - 1] === undefined ? 1 : 0);
      silent[number - 1] = Math.max(silent[number - 1]!, count);
    }
  }
  return Math.max(0, silent[furthest]!);
}

/** Where the step led by what was told of it; anywhere where nothing was, or its class leads nowhere by itself. */
function listTargets({ edges }: Step, attempt: Attempt | undefined): readonly number[] {
  const went = edges.find(({ outcomeClass }) => outcomeClass === attempt?.outcomeClass);
  if (went !== undefined && isStep(went.edge)) return [went.edge.step];
  return edges.flatMap(({ edge }) => (isStep(edge) ? [edge.step] : []));
}

/** Steps that may be sent next: while nobody knows what became of one, those that it may lead to. */
function findOrigins({ next, steps, attempts }: PlanStanding): readonly number[] {
  if (isStep(next)) return [next.step];
  if (next.action !== "STATUS_CHECK") return [];
  const last = steps.findLast(({ attemptId }) => attempts.some((each) => each.attemptId === attemptId));
  return last === undefined ? [] : listTargets(last, undefined);
}

/** By number: attempts on the longest way to the step, itself included; 0 where none leads there. Edges only lead forward. */
function measureWays(steps: readonly Step[], origins: readonly number[]): Uint8Array {
  const ways = new Uint8Array((steps.at(-1)?.number ?? 0) + 1);
  for (const number of origins) ways[number] = 1;
  for (const { number, edges } of steps) {
    const next = ways[number]! + 1;
    if (next === 1) continue;
    for (const { edge } of edges) if (isStep(edge) && ways[edge.step]! < next) ways[edge.step] = next;
  }
  return ways;
}

function isStep(edge: Edge): edge is Extract<Edge, { readonly step: number }> {
  return edge.action === "STEP" || edge.action === "WAIT_UNTIL";
}
