import type { RawEvent } from "../../src/core/events/check-event.ts";
import type { EventTypeInfo } from "../../src/core/events/event.ts";
import { noAnswer, type PaymentFact } from "../../src/core/events/payment-fact.ts";
import type { SubjectKind } from "../../src/core/history/history.ts";
import { HistoryTable } from "../../src/core/history/history-table.ts";
import type { Hold } from "../../src/core/limits/limit.ts";
import { buildFx } from "../../src/core/money.ts";
import type { AttributeInfo, RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import { createIngest, type Ingest, type IngestDeps } from "../../src/ingest/ingest.ts";
import { createMemoryHistories } from "./memory-histories.ts";
import { createMemoryLimits } from "./memory-limits.ts";
import { createMemoryPlayers } from "./memory-players.ts";

const hourMs = 3_600_000;

/** The instant at which events come in. */
export const ingestNowMs = Date.UTC(2026, 10, 22, 12);

export type IngestHouse = Omit<IngestDeps, "histories" | "rules"> & {
  readonly ingest: Ingest;
  readonly histories: ReturnType<typeof createMemoryHistories>;
  /** Players that were told of, as `merchant/player`. */
  readonly touched: string[];
  /** Verdicts of each batch, when they were counted. */
  readonly counted: Readonly<Record<string, number>>[];
  readonly clockAt: (nowMs: number) => void;
};

export type HouseOptions = {
  /** Subjects that limits are over, all of them in EUR. */
  readonly limitsOver?: readonly SubjectKind[];
  readonly eventTypes?: readonly EventTypeInfo[];
  readonly scores?: readonly string[];
  readonly soleSources?: ReadonlyMap<string, ReadonlySet<string>>;
  readonly labelsMax?: number;
  readonly settle?: () => Promise<void>;
};

/** The ingest corridor over stores in memory, with the merchants `default`, `other` and `replay` (whose clock is that of its requests). */
export function makeIngestHouse(options: HouseOptions = {}): IngestHouse {
  const { settle, labelsMax, soleSources = new Map() } = options;
  let nowMs = ingestNowMs;
  const touched: string[] = [];
  const counted: Record<string, number>[] = [];
  const histories = createMemoryHistories({
    // Small, because a house is made for every case.
    table: new HistoryTable({ rowsMax: 2_048, slabRows: 8_192 }),
    ...(settle !== undefined && { settle }),
  });
  const merchant = { panExemptFields: new Set<string>(), soleSources };
  const snapshot = makeSnapshot(options);
  const deps = {
    merchants: new Map([
      ["default", { ...merchant, clock: "server" as const }],
      ["other", { ...merchant, clock: "server" as const }],
      ["replay", { ...merchant, clock: "request" as const }],
    ]),
    labelsMax,
    rules: { current: () => ({ snapshot }) },
    players: createMemoryPlayers(),
    histories,
    limits: createMemoryLimits(),
    memberships: {
      touch: (merchantId: string, playerId: string) => void touched.push(`${merchantId}/${playerId}`),
    },
    clock: { nowMs: () => nowMs },
    onVerdicts: (_merchantId: string, counts: ReadonlyMap<string, number>) =>
      void counted.push(Object.fromEntries(counts)),
  };
  const clockAt = (atMs: number): void => {
    nowMs = atMs;
  };
  return { ...deps, ingest: createIngest(deps), touched, counted, clockAt };
}

/** What the corridor reads of a rule set. */
function makeSnapshot({ limitsOver = [], eventTypes = [], scores = [] }: HouseOptions): RuleSnapshot {
  const fx = buildFx({ base: "EUR", rates: [{ from: "EUR", to: "USD", rate: "1.10" }] });
  if (!fx.ok) throw new Error("the rates are wrong");
  const attributes = scores.map((name): [string, AttributeInfo] => [
    name,
    { name, type: "DOUBLE", values: [], purposes: [] },
  ]);
  const part: Partial<RuleSnapshot> = {
    version: 7,
    fx: fx.fx,
    eventTypes: new Map(eventTypes.map((type) => [type.name, type])),
    playerAttributes: new Map(attributes),
    limits: limitsOver.map((subject) => ({ subject, currency: "EUR" })) as unknown as RuleSnapshot["limits"],
  };
  return part as RuleSnapshot;
}

/** A bet of ann an hour ago, but for what is given. */
export function makeRawEvent(part: Partial<RawEvent> = {}): RawEvent {
  const type = part.type ?? "bet";
  return {
    eventId: "e-1",
    playerId: "ann",
    type,
    occurredAtMs: ingestNowMs - 3_600_000,
    source: "games",
    amount: type === "bet" ? { minorUnits: 500, currencyCode: "EUR" } : undefined,
    attributes: {},
    paymentId: "",
    attemptId: "",
    reverses: "",
    ...part,
  };
}

/** The rows of a subject that were not taken back, each as text, in their order. */
export function listRows(house: IngestHouse, id: string, kind: SubjectKind = "player"): readonly string[] {
  const history = house.histories.get("default", { kind, id });
  if (history === undefined) return [];
  const rows: string[] = [];
  for (let row = history.start; row < history.end; row++) {
    const label = history.labels.get(history.label[row]!);
    if (label.type === "event_reversed") continue;
    const values = [...label.values].map(([name, value]) => ` ${name}=${value}`).sort();
    const wides = label.wides.map((_, place) => history.readWide(row, place));
    const amount = label.currency === "" ? "" : ` ${history.readAmount(row)} ${label.currency}`;
    rows.push(`${history.atMs[row]} ${label.type}${amount}${values.join("")} [${wides.join()}]`);
  }
  return rows;
}

/** What became of events, late ones marked. */
export function takeEvents(house: IngestHouse, ...events: readonly RawEvent[]): readonly string[] {
  return house.ingest
    .ingest("default", events)
    .outcomes.map(({ verdict, late }) => verdict + (late ? " late" : ""));
}

/** What is told of one event. */
export function detailOf(house: IngestHouse, raw: RawEvent): string {
  return house.ingest.ingest("default", [raw]).outcomes[0]!.detail;
}

/** A wallet's word that payment pay-1 of ann was approved, an hour ago but for what is given. */
export function makeApproval(part: Partial<RawEvent> = {}): RawEvent {
  return makeRawEvent({
    type: "payment_approved",
    source: "wallet",
    amount: { minorUnits: 5000, currencyCode: "EUR" },
    paymentId: "pay-1",
    attemptId: "1",
    ...part,
  });
}

/** What an outcome tells of the same. */
export function makeOutcomeFact(part: Partial<PaymentFact> = {}): PaymentFact {
  return {
    type: "payment_approved",
    playerId: "ann",
    paymentId: "pay-1",
    attemptId: "1",
    kind: "deposit",
    amountMinor: 5000,
    currency: "EUR",
    atMs: ingestNowMs - hourMs,
    countedAtMs: ingestNowMs - hourMs,
    method: "card",
    psp: "psp-a",
    mid: "",
    brand: "",
    scheme: "",
    funding: "",
    outcome: "",
    card: "",
    device: "",
    ip: "",
    bin: "",
    ...noAnswer,
    converted: new Map(),
    ratesVersion: 7,
    ...part,
  };
}

/** What pay-1 holds, decided two hours ago. */
export function makeIngestHold(part: Partial<Hold> = {}): Hold {
  return {
    paymentId: "pay-1",
    revision: 0,
    playerId: "ann",
    kind: "deposit",
    amountMinor: 5000,
    currency: "EUR",
    converted: new Map([["USD", 5555]]),
    ratesVersion: 5,
    instantMs: ingestNowMs - 2 * hourMs,
    lastWordMs: ingestNowMs - 2 * hourMs,
    state: "HELD",
    releasesAtMs: ingestNowMs,
    authorisations: 2,
    values: new Map([["method", "card"]]),
    subjects: [
      { kind: "player", id: "ann" },
      { kind: "card", id: "fingerprint:f-1" },
      { kind: "key", id: "limit-9 x" },
    ],
    ...part,
  };
}
