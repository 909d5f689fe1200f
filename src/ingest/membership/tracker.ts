import type { FactInput } from "../../core/facts.ts";
import { SubjectIndex } from "../../core/history/subject-index.ts";
import type { Player } from "../../core/player.ts";
import type { RuleSnapshot } from "../../core/rules/snapshot.ts";
import { advanceMemory } from "../../core/segments/advance-memory.ts";
import type { KeptStanding } from "../../core/segments/sweep.ts";
import { openMemory, openTimeline, type SweepFacts, type Timeline } from "../../core/segments/timeline.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HistoryStore } from "../../ports/history-store.ts";
import type { MembershipChange, MembershipLog, MembershipState } from "../../ports/membership-log.ts";
import type { PlayerStore } from "../../ports/player-store.ts";
import { advancePlayer, type Past, readStanding } from "./advance.ts";
import { DirtyList, type Job } from "./dirty-list.ts";
import { Instants } from "./instants.ts";
import { listKnownPlayers } from "./known-players.ts";
import { createMerchantClocks } from "./merchant-clocks.ts";
import { Standings } from "./standings.ts";
import { findNextSuppression, findSuppression } from "./suppression.ts";
import { createWatchers, type Watchers } from "./watchers.ts";

/** How work is spread over the turns of the process. */
export type Pacer = {
  /** Runs it in a later turn, after what waits now. */
  readonly soon: (run: () => void) => void;
  /** Runs it after so many ms; what it returns cancels that. */
  readonly later: (run: () => void, delayMs: number) => () => void;
  /** Ms, with fractions, since whenever. */
  readonly elapsedMs: () => number;
};

export type MembershipDeps = {
  /** `request`: time is that of the merchant's newest event. */
  readonly merchants: ReadonlyMap<string, { readonly clock: "server" | "request" }>;
  readonly rules: {
    readonly current: (
      merchantId: string,
    ) => { readonly snapshot: RuleSnapshot; readonly activeSinceMs: number } | undefined;
  };
  readonly players: Pick<PlayerStore, "get" | "isDeleted" | "forEachPlayer">;
  readonly histories: Pick<HistoryStore, "get" | "hasPlayer" | "listPlayers" | "countPlayers" | "newestMs">;
  readonly log: MembershipLog;
  readonly clock: Clock;
  readonly pacer: Pacer;
  /** Events of a merchant are complete from here on; undefined where all of them are there. */
  readonly coveredFromMs: (merchantId: string) => number | undefined;
  /** Told of what went wrong in the background: the store being away, mostly. */
  readonly onError: (cause: unknown) => void;
};

export type MembershipTracker = Watchers & {
  /**
   * Notes that something of this instant became known of a player; costs a look-up. Of what may have changed any part of the past (a reversal, a
   * merger) the instant is -Infinity. `type` is that of the event where it is a single one: most events are of types that no segment reads, and matter only where they are the first of a player.
   */
  readonly touch: (merchantId: string, playerId: string, atMs: number, type?: string) => void;
  /** Truths of segments with a memory for a decision (`Frame.remembered`); undefined where the rule set has none. */
  readonly remember: (merchantId: string, snapshot: RuleSnapshot, facts: FactInput) => Uint8Array | undefined;
  /** Looks at all players of a merchant in the background: after a start, and when a rule set became active. Resolves when all were listed. */
  readonly review: (merchantId: string) => Promise<void>;
  /** Takes a player who is being deleted out of every segment, and forgets what was told. Resolves when that is kept. */
  readonly remove: (merchantId: string, playerId: string) => Promise<void>;
  /** How many players wait to be looked at, and how many have an instant at which they will be. */
  readonly counts: () => { readonly waiting: number; readonly scheduled: number };
  /** Stops looking and ends all watchers. What was touched and not looked at is found by `review` after the next start. */
  readonly close: () => void;
};

/** One turn's share, and that of a turn into which many events came: whoever looks at a player later looks once for more of them. */
const sliceMsUsual = 1;
const sliceMsPouring = 0.25;
const touchesOfPouring = 100;
/** Looks at one player in one go: some hundred microseconds. */
const looksMax = 16;
/** After so many looks that told nothing it is kept how far they came, so that the next have no long way. */
const looksUntold = 8;
/** Decisions go on from what was kept where a segment has a memory, so there it is kept at the first look, and sooner after. */
const looksUntoldOfMemory = 3;
const delayMsMax = 3_600_000;
const retryMs = 1_000;

/**
 * Keeps up with who is in which segment: driven by what is touched, and by the instants at which something flips by itself. Works in slices between
 * turns, so that it never holds up a decision; decisions do not wait for it.
 *
 * Source: docs/memberships.md.
 */
export function createMembershipTracker(deps: MembershipDeps): MembershipTracker {
  const { rules, players, histories, log, clock, pacer } = deps;
  const numbers = new SubjectIndex();
  const dirty = new DirtyList();
  const clocks = createMerchantClocks(deps);
  /** The instant of the latest look at each player. */
  const looked = new Instants();
  /** The earliest instant that was touched of each since the start. A life begins with whatever is known first, also with an event that no segment reads. */
  const earliest = new Instants();
  const pasts = new Map<number, Past & { readonly snapshot: RuleSnapshot }>();
  /** Before the latest look at each: what comes late for that instant only is followed from there. */
  const befores = new Standings<KeptStanding>();
  /** At the latest look at each, with the number of looks since the log was told. */
  const latests = new Standings<KeptStanding & { readonly looks: number }>();
  /** At the latest decisions, in segments with a memory. */
  const memories = new Standings<KeptStanding>();
  /** What was answered to a decision last. */
  let answered: { readonly question: Question; readonly truths: Uint8Array } | undefined;
  const watchers = createWatchers(log);
  let isRunning = false;
  let isClosed = false;
  let jobs = 0;
  /** Since the latest turn. */
  let touches = 0;
  let cancelTimer: (() => void) | undefined;

  const numberOf = (merchantId: string, playerId: string): number =>
    numbers.open(merchantId, { kind: "player", id: playerId });
  const touch = (merchantId: string, playerId: string, atMs: number, type?: string): void => {
    if (isClosed) return;
    const number = numberOf(merchantId, playerId);
    if (type !== undefined && earliest.get(number) <= atMs && !isRead(merchantId, type)) {
      // Where time is that of events, it has passed.
      if (!isRunning && clocks.isOfEvents(merchantId)) wake();
      return;
    }
    noteEarliest(number, atMs);
    touches++;
    dirty.add(number, atMs);
    // What was swept already has to be swept again.
    if (pasts.size > 0 && atMs <= (pasts.get(number)?.standing.atMs ?? Number.NEGATIVE_INFINITY))
      pasts.delete(number);
    befores.forget(number, atMs);
    memories.forget(number, atMs);
    if (!isRunning) wake();
  };
  /** Where any part of the past may be another, so may the beginning. */
  const noteEarliest = (number: number, atMs: number): void => {
    if (atMs === Number.NEGATIVE_INFINITY) earliest.set(number, Number.NaN);
    else if (!(earliest.get(number) <= atMs)) earliest.set(number, atMs);
  };
  const isRead = (merchantId: string, type: string): boolean => {
    const active = rules.current(merchantId);
    return active === undefined || openTimeline(active.snapshot).reads(type);
  };
  const wake = (): void => {
    isRunning = true;
    cancelTimer?.();
    cancelTimer = undefined;
    pacer.soon(run);
  };
  const rest = (waitMs: number): void => {
    isRunning = false;
    if (waitMs === Number.POSITIVE_INFINITY) return;
    cancelTimer = pacer.later(wake, Math.min(Math.max(waitMs, 0), delayMsMax));
  };
  /** What is due has its turn also while many are touched. */
  const takeJob = (): Job | undefined => {
    jobs++;
    return jobs % 8 === 0 ? (clocks.takeDue() ?? dirty.take()) : (dirty.take() ?? clocks.takeDue());
  };
  const run = (): void => {
    if (isClosed) return;
    const startMs = pacer.elapsedMs();
    const sliceMs = touches >= touchesOfPouring ? sliceMsPouring : sliceMsUsual;
    touches = 0;
    do {
      const job = takeJob();
      if (job === undefined) {
        rest(clocks.firstMs() - clock.nowMs());
        return;
      }
      try {
        advance(job);
      } catch (cause) {
        dirty.add(job.number, job.touchedMs);
        deps.onError(cause);
        rest(retryMs);
        return;
      }
    } while (pacer.elapsedMs() - startMs < sliceMs);
    pacer.soon(run);
  };

  const advance = (job: Job): void => {
    const { number, touchedMs } = job;
    const merchantId = numbers.merchantOf(number);
    const { id: playerId } = numbers.subjectOf(number);
    const active = rules.current(merchantId);
    const player = players.get(merchantId, playerId) ?? emptyPlayer(playerId);
    const isDeleted = players.isDeleted(merchantId, playerId);
    if (isDeleted || player.mergedInto !== undefined) {
      drop(number, merchantId);
      const suppressedBy = isDeleted ? "RESTRICTED" : findSuppression(player, clocks.nowOf(merchantId));
      forget(merchantId, playerId, suppressedBy).catch(deps.onError);
      return;
    }
    if (active === undefined) {
      drop(number, merchantId);
      return;
    }
    const { snapshot } = active;
    const kept = log.state(merchantId, playerId);
    const lookedMs = looked.get(number);
    const isLate = touchedMs <= lookedMs || touchedMs <= (kept?.toldUpToMs ?? Number.NEGATIVE_INFINITY);
    // Not every look is kept, but what was told holds up to the latest all the same.
    const told =
      isLate && lookedMs >= (kept?.toldUpToMs ?? lookedMs)
        ? { ...(kept ?? nothingTold(snapshot)), toldUpToMs: lookedMs }
        : kept;
    const past = pasts.get(number);
    const timeline = openTimeline(snapshot);
    const latest = latests.find(number, snapshot);
    const advanced = advancePlayer({
      timeline,
      facts: readFacts(merchantId, player),
      told,
      isLate,
      latest,
      activeSinceMs: clocks.isOfEvents(merchantId) ? Number.NEGATIVE_INFINITY : active.activeSinceMs,
      toMs: clocks.nowOf(merchantId),
      looksMax,
      past: past?.snapshot === snapshot ? past : resumePast(number, snapshot, told?.toldUpToMs),
    });
    if (advanced.kind === "past") {
      pasts.set(number, { ...advanced.past, snapshot });
      dirty.add(number, touchedMs);
      return;
    }
    pasts.delete(number);
    const { changes, state, before, looks, isDone } = advanced;
    if (before !== undefined) befores.keep(number, snapshot, before);
    looked.set(number, state.toldUpToMs);
    const isOther =
      kept === undefined ? timeline.hasMemory && looks > 0 : kept.ruleSetHash !== state.ruleSetHash || isLate;
    const looksSince = looks + (latest?.looks ?? 0);
    const isLong = looksSince >= (timeline.hasMemory ? looksUntoldOfMemory : looksUntold);
    const isTold = changes.length > 0 || isOther || !isDone || isLong;
    if (isTold) append(merchantId, playerId, changes, state);
    latests.keep(number, snapshot, { ...advanced.latest, looks: isTold ? 0 : looksSince });
    if (isDone) clocks.dueOf(merchantId).schedule(number, state.nextLookMs);
    else dirty.add(number, Number.POSITIVE_INFINITY);
  };
  /** What is late need not be followed from the beginning where nothing older has come than the latest look. */
  const resumePast = (
    number: number,
    snapshot: RuleSnapshot,
    toldUpToMs: number | undefined,
  ): Past | undefined => {
    const kept = toldUpToMs === undefined ? undefined : befores.find(number, snapshot, toldUpToMs);
    const exitMs = kept && new Float64Array(snapshot.segments.length).fill(Number.NaN);
    return kept && { ...kept, exitMs: exitMs! };
  };
  const readFacts = (merchantId: string, player: Player): SweepFacts => ({
    merchantId,
    player,
    history: histories.get(merchantId, { kind: "player", id: player.playerId }),
    coveredFromMs: deps.coveredFromMs(merchantId),
  });
  const drop = (number: number, merchantId: string): void => {
    looked.set(number, Number.NaN);
    earliest.set(number, Number.NaN);
    pasts.delete(number);
    befores.forget(number, Number.NEGATIVE_INFINITY);
    latests.forget(number, Number.NEGATIVE_INFINITY);
    memories.forget(number, Number.NEGATIVE_INFINITY);
    clocks.dueOf(merchantId).cancel(number);
  };
  const append = (
    merchantId: string,
    playerId: string,
    changes: readonly MembershipChange[],
    state: MembershipState,
  ): void => {
    log.append(merchantId, playerId, changes, state).durable.then(
      () => watchers.wake(merchantId),
      (cause: unknown) => {
        deps.onError(cause);
        pacer.later(() => touch(merchantId, playerId, Number.NEGATIVE_INFINITY), retryMs);
      },
    );
  };
  /** A player that is deleted, or is another's alias now, leaves everything. */
  const forget = (merchantId: string, playerId: string, suppressedBy: string): Promise<void> => {
    const told = log.state(merchantId, playerId);
    if (told === undefined) return Promise.resolve();
    const atMs = Math.max(told.toldUpToMs, clocks.nowOf(merchantId));
    const ruleSetVersion = rules.current(merchantId)?.snapshot.version ?? 0;
    const changes = [...told.memberSince.keys()].sort().map(
      (segment): MembershipChange => ({
        playerId,
        segment,
        kind: "EXIT",
        atMs,
        suppressedBy,
        ruleSetVersion,
      }),
    );
    const nobody = {
      ...told,
      memberSince: new Map(),
      toldUpToMs: atMs,
      nextLookMs: Number.POSITIVE_INFINITY,
    };
    append(merchantId, playerId, changes, nobody);
    return log.remove(merchantId, playerId);
  };
  const remove = (merchantId: string, playerId: string): Promise<void> => {
    const number = numbers.find(merchantId, { kind: "player", id: playerId });
    if (number !== -1) drop(number, merchantId);
    return forget(merchantId, playerId, "RESTRICTED");
  };

  const remember: MembershipTracker["remember"] = (merchantId, snapshot, facts) => {
    const timeline = openMemory(snapshot);
    if (!timeline.hasMemory) return undefined;
    const coveredFromMs = deps.coveredFromMs(merchantId);
    const question: Question = { snapshot, facts, coveredFromMs };
    if (answered !== undefined && isSame(answered.question, question)) return answered.truths;
    const number = numberOf(merchantId, facts.player.playerId);
    const from =
      memories.find(number, snapshot, facts.nowMs) ??
      findTold(timeline, log.state(merchantId, facts.player.playerId), dirty.touchedMs(number), facts.nowMs);
    const remembered = advanceMemory(timeline, facts, from, coveredFromMs);
    if (remembered === undefined) return undefined;
    memories.keep(number, snapshot, remembered.kept);
    answered = { question, truths: remembered.truths };
    return remembered.truths;
  };

  const review = async (merchantId: string): Promise<void> => {
    const hash = rules.current(merchantId)?.snapshot.hash;
    await log.forEachState(merchantId, (playerId, state) => {
      const player = players.get(merchantId, playerId);
      const isOther = state.ruleSetHash !== hash || hasChanged(player, state, clocks.nowOf(merchantId));
      if (isOther) {
        touch(merchantId, playerId, Number.POSITIVE_INFINITY);
        return;
      }
      const number = numberOf(merchantId, playerId);
      // Who was looked at since the start is due as was found then: this state may be of before.
      if (Number.isNaN(looked.get(number))) clocks.dueOf(merchantId).schedule(number, state.nextLookMs);
    });
    for await (const { playerIds } of listKnownPlayers(deps, merchantId)) {
      for (const [at, playerId] of playerIds.entries()) {
        if (isClosed) return;
        if (at % 16 === 15) await new Promise<void>((resolve) => pacer.soon(resolve));
        const state = log.state(merchantId, playerId);
        if (state === undefined) touch(merchantId, playerId, Number.POSITIVE_INFINITY);
        else if (state.ruleSetHash === hash && state.rowsSeen !== countRows(merchantId, playerId)) {
          touch(merchantId, playerId, Number.NEGATIVE_INFINITY);
        }
      }
    }
    if (!isRunning && !isClosed) wake();
  };
  const countRows = (merchantId: string, playerId: string): number => {
    const history = histories.get(merchantId, { kind: "player", id: playerId });
    return history === undefined ? 0 : history.end - history.start;
  };

  return {
    touch,
    remember,
    review,
    remove,
    watch: watchers.watch,
    counts: () => ({ waiting: dirty.size, scheduled: clocks.scheduled() }),
    close: () => {
      isClosed = true;
      cancelTimer?.();
      watchers.close();
    },
  };
}

/** Whether something may have been stored of a player after the last look, which nobody looked at before the process ended. */
function hasChanged(player: Player | undefined, told: MembershipState, nowMs: number): boolean {
  if (player === undefined) return false;
  const isSuppressionOther = findSuppression(player, nowMs) !== told.suppressedBy;
  if (isSuppressionOther || findNextSuppression(player, nowMs) < told.nextLookMs) return true;
  return [...player.attributes.values()].some(({ setAtMs }) => setAtMs >= told.toldUpToMs);
}

type Question = {
  readonly snapshot: RuleSnapshot;
  readonly facts: FactInput;
  readonly coveredFromMs: number | undefined;
};

/** A history that is the same object has not changed. One report asks several times. */
function isSame(a: Question, b: Question): boolean {
  return (
    a.snapshot === b.snapshot &&
    a.facts.history !== undefined &&
    a.facts.history === b.facts.history &&
    a.facts.player.attributes === b.facts.player.attributes &&
    a.facts.nowMs === b.facts.nowMs &&
    a.coveredFromMs === b.coveredFromMs
  );
}

/** Where a player stood when it was told last, if that still stands. */
function findTold(
  timeline: Timeline,
  told: MembershipState | undefined,
  touchedMs: number,
  nowMs: number,
): KeptStanding | undefined {
  const stands =
    told !== undefined &&
    told.ruleSetHash === timeline.snapshot.hash &&
    told.toldUpToMs <= nowMs &&
    !(touchedMs <= told.toldUpToMs);
  return stands ? { standing: readStanding(timeline, told), nextMs: told.nextLookMs } : undefined;
}

function nothingTold({ hash }: RuleSnapshot): MembershipState {
  return {
    ruleSetHash: hash,
    memberSince: new Map(),
    toldUpToMs: Number.NEGATIVE_INFINITY,
    rowsSeen: 0,
    suppressedBy: "",
    nextLookMs: Number.NEGATIVE_INFINITY,
  };
}

function emptyPlayer(playerId: string): Player {
  return { playerId, attributes: new Map(), restrictions: [] };
}
