import type { BinTable } from "../../src/core/bin/bin-table.ts";
import { type Breakers, createBreakers } from "../../src/decide/breakers.ts";
import type { DeciderDeps } from "../../src/decide/decider.ts";
import { createKeeper } from "../../src/decide/keeper.ts";
import type { ReporterDeps } from "../../src/decide/reporter.ts";
import { createIngest, type Ingest } from "../../src/ingest/ingest.ts";
import type { PaymentStore } from "../../src/ports/payment-store.ts";
import { createMemoryHistories } from "./memory-histories.ts";
import { createMemoryLimits } from "./memory-limits.ts";
import { createMemoryPayments } from "./memory-payments.ts";
import { createMemoryPlayers } from "./memory-players.ts";

export type MemoryStateOptions = Pick<DeciderDeps, "rules" | "clock"> & {
  readonly merchants: ReadonlyMap<string, { readonly clock: "server" | "request" }>;
  readonly bins: BinTable;
  readonly payments?: PaymentStore;
  readonly players?: DeciderDeps["players"];
  readonly pspStates?: DeciderDeps["pspStates"];
  readonly coveredFromMs?: DeciderDeps["coveredFromMs"];
};

/** What the corridors of payments and outcomes work with, all of it in memory, with the corridor of events that feeds the same histories. */
export function createMemoryState(
  options: MemoryStateOptions,
): ReporterDeps & { readonly ingest: Ingest; readonly breakers: Breakers } {
  const { merchants, rules, clock, bins } = options;
  const histories = createMemoryHistories();
  const limits = createMemoryLimits();
  const payments = options.payments ?? createMemoryPayments();
  const stored = createMemoryPlayers();
  const players = options.players === undefined ? stored : { ...stored, ...options.players };
  const ingest = createIngest({
    merchants: new Map(
      [...merchants].map(([id, { clock: kind }]) => [
        id,
        { clock: kind, panExemptFields: new Set<string>(), soleSources: new Map() },
      ]),
    ),
    rules,
    players,
    histories,
    limits,
    clock,
  });
  const recordFacts = ingest.recordFacts;
  const breakers = createBreakers({ rules });
  return {
    breakers,
    onOutcome: breakers.hear,
    merchants,
    rules,
    clock,
    bins,
    players,
    histories,
    limits,
    payments,
    recordFacts,
    keeper: createKeeper({ payments, limits, recordFacts }),
    pspStates: options.pspStates ?? (() => new Map()),
    coveredFromMs: options.coveredFromMs ?? (() => undefined),
    remember: () => undefined,
    ingest,
  };
}
