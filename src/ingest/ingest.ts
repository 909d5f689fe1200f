import type { RawEvent } from "../core/events/check-event.ts";
import type { PaymentFact } from "../core/events/payment-fact.ts";
import type { Placed } from "../core/history/history.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { HistoryStore } from "../ports/history-store.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PlayerStore } from "../ports/player-store.ts";
import { Batch, MerchantIntake } from "./batch.ts";
import type { SourceReport } from "./sources.ts";
import type { EventOutcome, Verdict } from "./verdict.ts";

/** Events whose histories are fetched together: as many as the nearer caches hold. */
const fetchedMax = 100;

/** What the corridor wants to know of a merchant. */
export type IngestMerchant = {
  readonly clock: "server" | "request";
  readonly panExemptFields: ReadonlySet<string>;
  /** By source: types of payment facts that need no payment id from it (`SEMANTICS.md` 6.1). */
  readonly soleSources: ReadonlyMap<string, ReadonlySet<string>>;
};

export type IngestDeps = {
  readonly merchants: ReadonlyMap<string, IngestMerchant>;
  readonly rules: {
    readonly current: (merchantId: string) => { readonly snapshot: RuleSnapshot } | undefined;
  };
  readonly players: PlayerStore;
  readonly histories: HistoryStore;
  readonly limits: LimitStore;
  /** Told of each player whose state changed; of a single event, its type. */
  readonly memberships?:
    | { readonly touch: (merchantId: string, playerId: string, atMs: number, type?: string) => void }
    | undefined;
  readonly clock: Clock;
  /** Labels that the events of one merchant may have; 65,536 where absent. */
  readonly labelsMax?: number | undefined;
  /** Told once per batch how many events got each verdict, when what was accepted is kept. */
  readonly onVerdicts?: ((merchantId: string, counts: ReadonlyMap<Verdict, number>) => void) | undefined;
};

export type Ingested = {
  /** One for each event, in order. */
  readonly outcomes: readonly EventOutcome[];
  /** Resolves when all that was taken in is kept: before that nothing may be acknowledged. */
  readonly durable: Promise<void>;
};

/** What became of a payment fact: `deleted-player` where the player is deleted, so that no history has it. */
export type RecordedFact = Placed | { readonly kind: "deleted-player" };

export type Ingest = {
  /** Takes events in, each by itself, in the order given. What is accepted is visible to decisions at once. The merchant must be known. */
  readonly ingest: (merchantId: string, events: readonly RawEvent[]) => Ingested;
  /**
   * Takes in payment facts that the gateway's outcomes tell: their amounts win over those of wallets. Leaves holds alone, because whoever
   * reports an outcome knows more of the payment.
   */
  readonly recordFacts: (
    merchantId: string,
    facts: readonly PaymentFact[],
  ) => { readonly placed: readonly RecordedFact[]; readonly durable: Promise<void> };
  /** Sorted by name; at most 256. */
  readonly listSources: (merchantId: string) => readonly SourceReport[];
};

/** The corridor of what happened: events and payment facts into histories, players and holds. */
export function createIngest(deps: IngestDeps): Ingest {
  const intakes = new Map<string, MerchantIntake>();
  const intakeOf = (merchantId: string): MerchantIntake => {
    const known = intakes.get(merchantId);
    if (known !== undefined) return known;
    const merchant = deps.merchants.get(merchantId);
    if (merchant === undefined) throw new Error(`merchant ${merchantId} is not configured`);
    const intake = new MerchantIntake(merchantId, merchant, deps.labelsMax);
    intakes.set(merchantId, intake);
    return intake;
  };
  return {
    ingest(merchantId, events) {
      const batch = new Batch(deps, intakeOf(merchantId));
      const outcomes: EventOutcome[] = [];
      for (let at = 0; at < events.length; at += fetchedMax) {
        const next = events.slice(at, at + fetchedMax);
        const playerIds = next.map(({ playerId }) => playerId);
        deps.histories.prefetch(merchantId, playerIds);
        for (const event of next) outcomes.push(batch.take(event));
      }
      return { outcomes, durable: batch.close() };
    },
    recordFacts(merchantId, facts) {
      const batch = new Batch(deps, intakeOf(merchantId));
      const placed = facts.map((fact) => batch.record(fact));
      return { placed, durable: batch.close() };
    },
    listSources: (merchantId) => intakeOf(merchantId).sources.list(),
  };
}
