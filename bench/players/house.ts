import { type EmbeddedStore, openEmbeddedStore } from "../../src/adapters/embedded/embedded-store.ts";
import { emptyBinTable } from "../../src/core/bin/bin-table.ts";
import type { Payment } from "../../src/core/payment.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import type { Decider, Reporter } from "../../src/decide/decided.ts";
import { createDecider } from "../../src/decide/decider.ts";
import { createKeeper } from "../../src/decide/keeper.ts";
import { createReporter } from "../../src/decide/reporter.ts";
import { createIngest, type Ingest } from "../../src/ingest/ingest.ts";
import { activate, flatten } from "../core/subject.ts";
import { currency, playerIdOf } from "./population.ts";

export const merchantId = "bench";

/** The store with the two corridors over it, as the service has them; segments are told by the service of the stream only. */
export type House = {
  readonly store: EmbeddedStore;
  readonly ingest: Ingest;
  readonly decider: Decider;
  readonly reporter: Reporter;
};

/** Opens the store in a directory; the present stands at `nowMs`. */
export async function openHouse(options: {
  readonly directory: string;
  readonly snapshot: RuleSnapshot;
  readonly nowMs: number;
  readonly hotRowsMax: number;
}): Promise<House> {
  const { directory, snapshot, nowMs, hotRowsMax } = options;
  const clock = { nowMs: () => nowMs };
  const store = await openEmbeddedStore({
    directory,
    clock,
    onError: (cause) => {
      throw cause;
    },
    limits: { hotRowsMax },
  });
  const rules = activate(snapshot);
  const state = {
    merchants: new Map([
      [merchantId, { clock: "server" as const, panExemptFields: new Set<string>(), soleSources: new Map() }],
    ]),
    rules: { current: () => rules },
    players: store.players,
    histories: store.histories,
    limits: store.limits,
    clock,
    coveredFromMs: (merchant: string) => store.histories.oldestMs(merchant),
  };
  const ingest = createIngest(state);
  const { recordFacts } = ingest;
  const deps = {
    ...state,
    payments: store.payments,
    pspStates: () => new Map(),
    bins: emptyBinTable,
    remember: () => undefined,
    recordFacts,
    keeper: createKeeper({ payments: store.payments, limits: store.limits, recordFacts }),
  };
  return { store, ingest, decider: createDecider(deps), reporter: createReporter(deps) };
}

/** A new card deposit of USD 35 by a player. */
export function makePayment(number: number, player: number): Payment {
  return flatten({
    requestId: `request-${number}`,
    merchantId,
    paymentId: `decided-${number}`,
    revision: 0,
    playerId: playerIdOf(player),
    brand: "",
    kind: "deposit",
    amountMinor: 3_500,
    currency,
    method: "card",
    card: {
      bin: "411111",
      issuerCountry: "US",
      lastFour: "4242",
      fingerprint: `card-${player}`,
      credential: "PAN",
    },
    playerCountry: "US",
    ipCountry: "US",
    deviceId: `device-${player}`,
    ip: "10.1.2.3",
    initiator: "CIT",
    trustScore: 80,
    riskSignals: [],
    attributes: new Map(),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
  });
}
