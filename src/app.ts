import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { openRuleCompiler } from "./adapters/compiler/rule-compiler.ts";
import { type EmbeddedStore, openEmbeddedStore } from "./adapters/embedded/embedded-store.ts";
import { systemClock } from "./adapters/system-clock.ts";
import { type BinTable, emptyBinTable, readBinTable } from "./core/bin/bin-table.ts";
import { type BreakerTransition, createBreakers } from "./decide/breakers.ts";
import { createDecider } from "./decide/decider.ts";
import { createKeeper } from "./decide/keeper.ts";
import { createReporter } from "./decide/reporter.ts";
import { createIngest } from "./ingest/ingest.ts";
import { createMembershipTracker, type MembershipTracker, type Pacer } from "./ingest/membership/tracker.ts";
import { ActiveRules } from "./manage/active-rules.ts";
import { Deletions } from "./manage/deletions.ts";
import { describeFailure } from "./manage/failure.ts";
import { type Merchant, type Merchants, readMerchants } from "./manage/merchants.ts";
import { Overrides } from "./manage/overrides.ts";
import { OwnLimits } from "./manage/own-limits.ts";
import { Players } from "./manage/players.ts";
import { PspStates } from "./manage/psp-states.ts";
import { ChangeQueue } from "./manage/queue.ts";
import { RuleSets } from "./manage/rule-sets.ts";
import type { Config } from "./platform/config.ts";
import type { Logger } from "./platform/log.ts";
import { type BreakerLabels, Metrics } from "./platform/metrics.ts";
import { turnPacer } from "./platform/pacer.ts";
import { createShutdown, type Shutdown } from "./platform/shutdown.ts";
import type { Clock } from "./ports/clock.ts";
import type { RuleCompiler } from "./ports/rule-compiler.ts";
import { type Doors, openDoors } from "./rpc/listeners.ts";
import { makeServices, type Services } from "./rpc/services.ts";
import type { Listener } from "./wire/transport.ts";

/** Compiling stops by itself; the store writes what it holds. */
const closeTimeoutMs = 5_000;
const healthIntervalMs = 1_000;
const sweepIntervalMs = 3_600_000;
/** Reservations that nobody told of are kept this long at least, for reconciliation. */
const holdKeptMs = 40 * 86_400_000;

/** A running service. */
export type App = {
  readonly gateway: Listener;
  readonly admin: Listener;
  /** What the doors serve, for a door in memory. */
  readonly services: Services;
  /** Stops in order, without losing a call that was accepted; calling it again gives the same promise. */
  readonly stop: () => Promise<void>;
};

export type AppResult =
  | { readonly ok: true; readonly app: App }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Builds every part once, hands each to the next, restores what was active, and opens the doors. `clock` and `pacer` are the machine's, but in tests.
 *
 * Fails: with what keeps it from starting, each naming its file or setting; nothing is left running then.
 */
export async function startApp(
  config: Config,
  log: Logger,
  clock: Clock = systemClock,
  pacer: Pacer = turnPacer,
): Promise<AppResult> {
  const files = await readFiles(config);
  if (!files.ok) return files;
  const { merchants, bins } = files;
  const onError = (cause: unknown, where: string): void =>
    log.error({ component: where, err: cause }, "internal error");
  const store = await openStore(config, clock, onError);
  if (typeof store === "string") return { ok: false, faults: [store] };
  const compiler = openRuleCompiler({
    onWorkerLost: (why) => log.error({ component: "compiler", why }, "worker lost"),
  });
  const refuse = async (faults: readonly string[]): Promise<AppResult> => {
    house?.memberships.close();
    await compiler.close();
    await store.close();
    return { ok: false, faults };
  };
  const metrics = new Metrics();
  let house: House | undefined;
  try {
    house = build({ merchants, bins, store, compiler, clock, pacer, onError, metrics, log });
    const faults = await restoreRuleSets(house, config, log);
    if (faults.length > 0) return await refuse(faults);
  } catch (cause) {
    return await refuse([nameDirectory(config, messageOf(cause))]);
  }
  measure(metrics, house, store);
  const services = makeServices({ ...house, metrics });
  let doors: Doors;
  try {
    doors = await openDoors({
      gateway: config.gateway,
      admin: config.admin,
      ...services,
      metrics,
      findObstacles: () => findObstacles(store),
      onError,
    });
  } catch (cause) {
    metrics.close();
    return await refuse([messageOf(cause)]);
  }
  reviewMemberships(house, onError);
  doors.health.setServing(true);
  // Health says what readiness says, so that a gateway that watches it goes elsewhere while the store is away.
  const healthTimer = setInterval(
    () => doors.health.setServing(findObstacles(store).length === 0),
    healthIntervalMs,
  );
  const sweepTimer = setInterval(() => sweepHolds(house, store, clock), sweepIntervalMs);
  sweepTimer.unref();
  const shutdown = planShutdown({
    config,
    log,
    doors,
    healthTimer,
    sweepTimer,
    memberships: house.memberships,
    compiler,
    store,
    metrics,
  });
  return {
    ok: true,
    app: {
      gateway: doors.gateway,
      admin: doors.admin,
      services,
      stop: async () => void (await shutdown.stop()),
    },
  };
}

/** What flipped while the service was down is told now, and at every activation what the new rule set makes of everybody. In the background. */
function reviewMemberships(
  { merchants, active, memberships }: House,
  onError: (cause: unknown, where: string) => void,
): void {
  for (const merchantId of merchants.keys()) {
    const review = (): void => {
      memberships.review(merchantId).catch((cause: unknown) => onError(cause, "memberships"));
    };
    review();
    active.watch(merchantId, review);
  }
}

/** Forgets reservations that no window of any limit or scheme cap reaches any more. */
function sweepHolds({ active }: House, store: EmbeddedStore, clock: Clock): void {
  let reachMs = holdKeptMs;
  for (const [, { snapshot }] of active.entries()) {
    for (const { window } of snapshot.limits)
      if (window.kind === "rolling") reachMs = Math.max(reachMs, window.spanMs);
    for (const { windowMs } of snapshot.schemeCaps ?? []) reachMs = Math.max(reachMs, windowMs);
  }
  store.limits.sweep(clock.nowMs() - reachMs);
}

/** Everything between the doors and the store. */
type House = ReturnType<typeof build>;

function build(parts: {
  readonly merchants: Merchants;
  readonly bins: BinTable;
  readonly store: EmbeddedStore;
  readonly compiler: RuleCompiler;
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly onError: (cause: unknown, where: string) => void;
  readonly metrics: Metrics;
  readonly log: Logger;
}) {
  const { merchants, bins, store, compiler, clock, pacer, onError, metrics, log } = parts;
  const queue = new ChangeQueue();
  const active = new ActiveRules();
  const { audit } = store;
  const overrides = new Overrides({ store: store.overrides, active, audit, clock, queue });
  const ruleSets = new RuleSets({ store: store.ruleSets, compiler, active, overrides, audit, clock, queue });
  const pspStates = new PspStates({ store: store.pspStates, active, audit, clock, queue }, merchants.keys());
  const coveredFromMs = (merchantId: string): number | undefined =>
    merchants.get(merchantId)?.completeSinceMs ?? store.histories.oldestMs(merchantId);
  const state = {
    merchants,
    rules: active,
    players: store.players,
    histories: store.histories,
    limits: store.limits,
    clock,
    coveredFromMs,
  };
  const memberships = createMembershipTracker({
    ...state,
    log: store.memberships,
    pacer,
    onError: (cause) => onError(cause, "memberships"),
  });
  const playerDeps = { store: store.players, active, audit, clock, queue, touch: memberships.touch };
  const players = new Players(playerDeps);
  const ownLimits = new OwnLimits(playerDeps);
  const deletions = new Deletions({
    ...playerDeps,
    histories: store.histories,
    leave: memberships.remove,
  });
  const ingest = createIngest({
    ...state,
    memberships,
    onVerdicts: (merchantId, counts) => metrics.countEvents(merchantId, counts),
  });
  const { recordFacts } = ingest;
  const breakers = createBreakers({
    rules: active,
    onTransition: (transition) => tellTransition(transition, metrics, log),
    onProbe: ({ merchantId, psp, fate }) =>
      metrics.countProbe({ merchant: merchantId, psp, fate: fate.toLowerCase() }),
  });
  const deciderDeps = {
    ...state,
    breakers,
    onOutcome: breakers.hear,
    payments: store.payments,
    pspStates: (merchantId: string) => pspStates.of(merchantId),
    bins,
    remember: memberships.remember,
    recordFacts,
    keeper: createKeeper({ payments: store.payments, limits: store.limits, recordFacts }),
  };
  const decider = createDecider(deciderDeps);
  const reporter = createReporter(deciderDeps);
  return {
    merchants,
    active,
    overrides,
    ruleSets,
    pspStates,
    breakers,
    players,
    ownLimits,
    deletions,
    memberships,
    survey: {
      players: store.players,
      histories: store.histories,
      pacer,
      coveredFromMs,
      // Where calls bring their own clock the present is that of the newest event.
      nowOf: (merchantId: string): number =>
        (merchants.get(merchantId)?.clock === "request" ? store.histories.newestMs(merchantId) : undefined) ??
        clock.nowMs(),
    },
    ingest,
    decider,
    reporter,
  };
}

function tellTransition(
  { merchantId, psp, kind, method, from, to, reason }: BreakerTransition,
  metrics: Metrics,
  log: Logger,
): void {
  metrics.countBreakerTransition({ merchant: merchantId, psp, part: kind, method, to: to.toLowerCase() });
  const level = to === "OPEN" ? "warn" : "info";
  log[level](
    { component: "breakers", merchant: merchantId, psp, part: kind, method, from, to, reason },
    "breaker",
  );
}

const breakerValues = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

function* readBreakerStates({
  merchants,
  pspStates,
  breakers,
  survey,
}: House): Iterable<{ readonly labels: BreakerLabels; readonly value: number }> {
  for (const merchant of merchants.keys()) {
    const nowMs = survey.nowOf(merchant);
    for (const { psp } of pspStates.list(merchant)) {
      for (const { kind, method, phase } of breakers.list(merchant, psp, nowMs))
        yield { labels: { merchant, psp, part: kind, method }, value: breakerValues[phase] };
    }
  }
}

/** Merchants and BIN table, from their files. */
async function readFiles(
  config: Config,
): Promise<
  | { readonly ok: true; readonly merchants: Merchants; readonly bins: BinTable }
  | { readonly ok: false; readonly faults: readonly string[] }
> {
  const merchantsText = await readText(config.merchantsFile);
  if (!merchantsText.ok) return merchantsText;
  const merchants = readMerchants(merchantsText.text);
  if (!merchants.ok) return prefixFaults(config.merchantsFile, merchants.faults);
  if (config.binFile === undefined) return { ok: true, merchants: merchants.merchants, bins: emptyBinTable };
  const binText = await readText(config.binFile);
  if (!binText.ok) return binText;
  const bins = readBinTable(binText.text);
  if (!bins.ok) {
    return prefixFaults(
      config.binFile,
      bins.faults.map(({ line, column, rule, message }) => `${line}:${column} ${rule}: ${message}`),
    );
  }
  return { ok: true, merchants: merchants.merchants, bins: bins.table };
}

/**
 * The files of the rule sets that merchants start with, for checks that serve nothing. Merchants and BIN table are read as a start reads them.
 *
 * Fails: with every fault, each naming its file.
 */
export async function listRuleSetFiles(
  config: Config,
): Promise<
  | { readonly ok: true; readonly files: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[] }
> {
  const read = await readFiles(config);
  if (!read.ok) return read;
  const named = [...read.merchants.values()].filter(({ ruleSetFile }) => ruleSetFile !== undefined);
  return { ok: true, files: named.map((merchant) => resolveRuleSetFile(merchant, config)) };
}

/** Activates what was active when the service stopped; a merchant that never had a rule set gets the one of its file. */
async function restoreRuleSets(
  { merchants, ruleSets }: House,
  config: Config,
  log: Logger,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const merchant of merchants.values()) {
    const restored = await ruleSets.restore(merchant.id);
    if (!restored.ok) faults.push(`merchant ${merchant.id}: ${describeFailure(restored.failure)}`);
    else if (!restored.value && merchant.ruleSetFile !== undefined) {
      const seeded = await seedRuleSet(ruleSets, merchant, config);
      if (seeded !== undefined) faults.push(seeded);
    }
    const version = ruleSets.activeVersion(merchant.id);
    if (version === 0) log.warn({ component: "app", merchant: merchant.id }, "no active rule set");
    else log.info({ component: "app", merchant: merchant.id, version }, "rule set active");
  }
  return faults;
}

async function seedRuleSet(
  ruleSets: RuleSets,
  merchant: Merchant,
  config: Config,
): Promise<string | undefined> {
  const path = resolveRuleSetFile(merchant, config);
  const file = await readText(path);
  if (!file.ok) return file.faults[0];
  const pushed = await ruleSets.push({
    merchantId: merchant.id,
    document: new TextEncoder().encode(file.text),
    format: path.endsWith(".json") ? "JSON" : "YAML",
    baseVersion: undefined,
    author: "first-start",
    comment: `from ${merchant.ruleSetFile}`,
    activate: true,
    confirmLoosening: false,
    allowOrphans: false,
  });
  return pushed.ok ? undefined : `${path}: ${describeFailure(pushed.failure)}`;
}

function resolveRuleSetFile({ ruleSetFile }: Merchant, { merchantsFile }: Config): string {
  return resolve(dirname(merchantsFile), ruleSetFile!);
}

const storeGauges: readonly (readonly [
  name: string,
  help: string,
  read: (stats: ReturnType<EmbeddedStore["stats"]>) => number,
])[] = [
  [
    "state_version",
    "Sequence of the newest change of players and payments.",
    ({ stateVersion }) => stateVersion,
  ],
  ["journal_bytes", "Size of the journal.", ({ journalBytes }) => journalBytes],
  ["behind_records", "Records that LMDB does not have yet.", ({ behindRecords }) => behindRecords],
  [
    "behind_bytes",
    "Their bytes; above 512 MiB of rows, or of anything else, calls are refused.",
    ({ behindBytes }) => behindBytes,
  ],
  ["hot_players", "Players in memory, at most.", ({ hotPlayers }) => hotPlayers],
  ["hot_rows", "Rows of histories in memory.", ({ hotRows }) => hotRows],
  ["hot_histories", "Histories in memory.", ({ hotHistories }) => hotHistories],
  ["history_bytes", "Bytes of histories in memory.", ({ historyBytes }) => historyBytes],
  ["evictions", "Histories that left memory since the start.", ({ evictions }) => evictions],
  ["labels", "Labels of events; at most 262,144.", ({ labels }) => labels],
  ["open_holds", "Reservations whose outcome is open.", ({ openHolds }) => openHolds],
  ["hot_payments", "Answers in memory, at most.", ({ hotPayments }) => hotPayments],
];

function measure(metrics: Metrics, house: House, store: EmbeddedStore): void {
  const { merchants, active } = house;
  metrics.addBreakerStates(() => readBreakerStates(house));
  for (const merchantId of merchants.keys()) {
    metrics.setRuleSetVersion(merchantId, active.current(merchantId)?.snapshot.version ?? 0);
    active.watch(merchantId, ({ snapshot }) => metrics.setRuleSetVersion(merchantId, snapshot.version));
  }
  metrics.addGauge("switchyard_store_healthy", "1 while the store can be written.", () =>
    store.healthy().ok ? 1 : 0,
  );
  for (const [name, help, read] of storeGauges) {
    metrics.addGauge(`switchyard_store_${name}`, help, () => read(store.stats()));
  }
}

function findObstacles(store: EmbeddedStore): readonly string[] {
  const health = store.healthy();
  return health.ok ? [] : [`store: ${health.why}`];
}

/** Health says no, calls in flight end, both doors close, the compiler ends, the store writes what it holds. */
function planShutdown(parts: {
  readonly config: Config;
  readonly log: Logger;
  readonly doors: Doors;
  readonly healthTimer: NodeJS.Timeout;
  readonly sweepTimer: NodeJS.Timeout;
  readonly memberships: MembershipTracker;
  readonly compiler: RuleCompiler;
  readonly store: EmbeddedStore;
  readonly metrics: Metrics;
}): Shutdown {
  const { config, log, doors, healthTimer, sweepTimer, memberships, compiler, store, metrics } = parts;
  const doorTimeoutMs = config.stopGraceMs + 1_000;
  return createShutdown(
    [
      {
        name: "health",
        timeoutMs: 1_000,
        run: () => {
          clearInterval(healthTimer);
          clearInterval(sweepTimer);
          doors.health.setServing(false);
        },
      },
      {
        name: "doors",
        timeoutMs: doorTimeoutMs,
        run: async () => {
          await Promise.all([doors.gateway.stop(config.stopGraceMs), doors.admin.stop(config.stopGraceMs)]);
        },
      },
      { name: "memberships", timeoutMs: 1_000, run: () => memberships.close() },
      { name: "compiler", timeoutMs: closeTimeoutMs, run: () => compiler.close() },
      { name: "store", timeoutMs: closeTimeoutMs, run: () => store.close() },
      { name: "metrics", timeoutMs: 1_000, run: () => metrics.close() },
    ],
    (outcome) =>
      log.info(
        { component: "shutdown", step: outcome.name, result: outcome.result, ms: outcome.tookMs },
        "step",
      ),
  );
}

async function openStore(
  config: Config,
  clock: Clock,
  onError: (cause: unknown, where: string) => void,
): Promise<EmbeddedStore | string> {
  try {
    return await openEmbeddedStore({ directory: config.dataDirectory, clock, onError });
  } catch (cause) {
    return nameDirectory(config, messageOf(cause));
  }
}

/** What is wrong with the store, with the folder that it is in. */
function nameDirectory({ dataDirectory }: Config, message: string): string {
  return message.includes(dataDirectory) ? message : `${dataDirectory}: ${message}`;
}

async function readText(
  path: string,
): Promise<
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly faults: readonly string[] }
> {
  try {
    return { ok: true, text: await readFile(path, "utf8") };
  } catch (cause) {
    return { ok: false, faults: [`${path}: ${messageOf(cause)}`] };
  }
}

function prefixFaults(
  file: string,
  faults: readonly string[],
): { readonly ok: false; readonly faults: readonly string[] } {
  return { ok: false, faults: faults.map((fault) => `${file}: ${fault}`) };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
