/** A membership tracker with all that it needs in memory, and a clock that goes when it is told to. */
import type { Player } from "../../src/core/player.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import { createMembershipTracker } from "../../src/ingest/membership/tracker.ts";
import type { MembershipLog } from "../../src/ports/membership-log.ts";
import { compileForTest } from "./compile.ts";
import { createMemoryHistories } from "./memory-histories.ts";
import { createMemoryMemberships } from "./memory-memberships.ts";
import { createMemoryPlayers } from "./memory-players.ts";

/** When the clock of a world begins. */
export const startMs = Date.UTC(2026, 4, 4, 12);

/** Of every world, until another is activated. */
export const ruleSet = {
  name: "test",
  psps: [{ id: "a", methods: ["card"] }],
  attributes: [
    { name: "tier", subject: "PLAYER", type: "STRING" },
    { name: "marketing_opt_out", subject: "PLAYER", type: "BOOL" },
  ],
  features: [
    {
      id: "deposits_7d",
      aggregate: { function: "COUNT", events: ["payment_approved"], window: { rolling: "7d" } },
    },
    {
      id: "last_seen",
      aggregate: { function: "LAST", events: ["payment_approved", "bet", "session_start"], of: "at" },
    },
    {
      id: "bets_1h",
      aggregate: { function: "COUNT", events: ["bet"], window: { rolling: "1h" } },
    },
  ],
  segments: [
    {
      id: "lapsed",
      campaign: true,
      when: 'feature.deposits_7d >= 3 && silent(feature.last_seen, duration("72h"))',
    },
    { id: "active", when: "feature.deposits_7d >= 1" },
    { id: "busy", when: "feature.bets_1h >= 3", exit_when: "feature.bets_1h == 0", dwell_min: "2h" },
    { id: "gold", when: 'player.tier == "gold" && feature.deposits_7d >= 1' },
  ],
};
export const standard = compileForTest(JSON.stringify(ruleSet));

/** A tracker with a clock of its own: nothing happens but what is told to. */
export function openWorld(
  options: { readonly clock?: "server" | "request"; readonly log?: MembershipLog } = {},
) {
  const { clock: kind = "server" } = options;
  let nowMs = startMs;
  let elapsedMs = 0;
  let nextId = 1;
  let snapshot: RuleSnapshot = standard;
  let activeSinceMs = startMs;
  const turns: (() => void)[] = [];
  const timers: { run: () => void; atMs: number }[] = [];
  const errors: unknown[] = [];
  const log = (options.log ?? createMemoryMemberships()) as ReturnType<typeof createMemoryMemberships>;
  const players = createMemoryPlayers();
  const histories = createMemoryHistories();
  const deps = {
    merchants: new Map([["m", { clock: kind }]]),
    rules: { current: () => ({ snapshot, activeSinceMs }) },
    players,
    histories,
    log,
    clock: { nowMs: () => nowMs },
    pacer: {
      soon: (run: () => void) => void turns.push(run),
      later: (run: () => void, delayMs: number) => {
        const timer = { run, atMs: nowMs + delayMs };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer) >>> 0, 1);
      },
      // Every question takes a third of a slice, so that work is always spread over turns.
      elapsedMs: () => (elapsedMs += 1 / 3),
    },
    coveredFromMs: () => undefined,
    onError: (cause: unknown) => void errors.push(cause),
  };
  const tracker = createMembershipTracker(deps);
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 5; quiet++) {
      for (let run = turns.shift(); run !== undefined; run = turns.shift()) {
        quiet = 0;
        run();
        await Promise.resolve();
      }
      await Promise.resolve();
    }
  };
  const passTo = async (toMs: number): Promise<void> => {
    await settle();
    for (;;) {
      const due = timers.filter(({ atMs }) => atMs <= toMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      timers.splice(timers.indexOf(due), 1);
      nowMs = Math.max(nowMs, due.atMs);
      due.run();
      await settle();
    }
    nowMs = toMs;
  };
  const place = (playerId: string, type: string, atMs: number, id = nextId++): number => {
    const label = { type, currency: type === "session_start" ? "" : "EUR", values: new Map(), wides: [] };
    const row = { id, atMs, amountMinor: 100, label, wides: [] };
    histories.place("m", { kind: "player", id: playerId }, row, { isPaymentFact: false });
    return id;
  };
  return {
    deps,
    log,
    tracker,
    players,
    histories,
    errors,
    settle,
    passTo,
    place,
    now: () => nowMs,
    happen: async (playerId: string, type: string, atMs: number): Promise<number> => {
      await passTo(Math.max(nowMs, kind === "server" ? atMs : nowMs));
      const id = place(playerId, type, atMs);
      tracker.touch("m", playerId, atMs, type);
      await settle();
      return id;
    },
    change: async (player: Partial<Player>, atMs = nowMs): Promise<void> => {
      const before = players.get("m", "p") ?? { playerId: "p", attributes: new Map(), restrictions: [] };
      await players.put("m", { ...before, ...player });
      tracker.touch("m", "p", atMs);
      await settle();
    },
    activate: async (next: RuleSnapshot): Promise<void> => {
      snapshot = next;
      activeSinceMs = nowMs;
      const reviewed = tracker.review("m");
      await settle();
      await reviewed;
      await settle();
    },
    told: () =>
      log
        .changes("m")
        .map(({ playerId, segment, kind: what, atMs }) => [playerId, segment, what, atMs - startMs]),
  };
}
