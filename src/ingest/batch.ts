import { checkEvent, type EventCheck, type RawEvent } from "../core/events/check-event.ts";
import type { EventTypeInfo, PlayerEvent } from "../core/events/event.ts";
import { actingTypes } from "../core/events/event-types.ts";
import { LabelBook } from "../core/events/label-book.ts";
import { FactRowMaker, type PaymentFact } from "../core/events/payment-fact.ts";
import { factRowId, rowId } from "../core/events/row-id.ts";
import { RowMaker } from "../core/events/to-row.ts";
import type { Placed, Subject } from "../core/history/history.ts";
import { keepKnownSince } from "../core/known-since.ts";
import { isForCapsOnly } from "../core/limits/holds.ts";
import type { Hold } from "../core/limits/limit.ts";
import type { Player } from "../core/player.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { changePlayer, changingTypes, restrictingTypes } from "./change-player.ts";
import type { IngestDeps, IngestMerchant, RecordedFact } from "./ingest.ts";
import { type FactWishes, listSubjects, makeFact, readWishes } from "./make-fact.ts";
import { emptyPlayer, hasRoomForAlias, mergeAlias, playerSubject } from "./merge-alias.ts";
import { settleHold } from "./settle-hold.ts";
import { EventSources } from "./sources.ts";
import { accept, type EventOutcome, refuse, refuseField, tell, type Verdict } from "./verdict.ts";

/** Labels that the events of one merchant may have unless told otherwise; the process has 262,144. */
const labelsMaxDefault = 65_536;
/** By how much the clock of a wallet may be behind. */
const clockSkewMs = 60_000;
/** Facts that outcomes tell are counted under it. */
const outcomeSource = "gateway";
/** What happened at whatever instant: any part of the past may be another now. */
const anyInstant = Number.NEGATIVE_INFINITY;
const noTypes: EventCheck["declaredTypes"] = new Map();

/** What stays of a merchant from batch to batch. */
export class MerchantIntake {
  readonly merchantId: string;
  readonly merchant: IngestMerchant;
  readonly sources = new EventSources();
  readonly rows: RowMaker;
  readonly factRows: FactRowMaker;

  constructor(merchantId: string, merchant: IngestMerchant, labelsMax = labelsMaxDefault) {
    this.merchantId = merchantId;
    this.merchant = merchant;
    const book = new LabelBook(labelsMax);
    this.rows = new RowMaker(book);
    this.factRows = new FactRowMaker(book);
  }
}

/** A player as an event finds it: under which id it is kept, and what is stored there. */
type Found = { readonly playerId: string; readonly player: Player | undefined; readonly isDeleted: boolean };

/** A checked event with its player. */
type Taken = {
  readonly event: PlayerEvent;
  readonly info: EventTypeInfo;
  readonly clamped: boolean;
  readonly found: Found;
};

/** One batch of one merchant: one rule set, one instant, one promise. */
export class Batch {
  readonly #deps: IngestDeps;
  readonly #intake: MerchantIntake;
  readonly #merchantId: string;
  readonly #snapshot: RuleSnapshot | undefined;
  readonly #check: EventCheck;
  readonly #wishes: FactWishes;
  readonly #counts = new Map<Verdict, number>();
  readonly #durable: Promise<void>[] = [];

  constructor(deps: IngestDeps, intake: MerchantIntake) {
    const { merchantId, merchant } = intake;
    this.#deps = deps;
    this.#intake = intake;
    this.#merchantId = merchantId;
    this.#snapshot = deps.rules.current(merchantId)?.snapshot;
    this.#wishes = readWishes(this.#snapshot);
    this.#check = {
      nowMs: merchant.clock === "request" ? Infinity : deps.clock.nowMs(),
      declaredTypes: this.#snapshot?.eventTypes ?? noTypes,
      exemptFields: merchant.panExemptFields,
    };
  }

  /** Takes one event in. */
  take(raw: RawEvent): EventOutcome {
    const checked = checkEvent(raw, this.#check);
    if (!checked.ok) {
      const { faults, quarantined } = checked;
      const outcome = quarantined ? tell("QUARANTINED", faults[0]!.message) : refuse(faults);
      // A source that is wrong itself is not worth a name.
      const isNamed = raw.source !== "" && faults.every(({ field }) => field !== "source");
      return this.#count(isNamed ? raw.source : "unknown", outcome, undefined);
    }
    const { event, info, clamped } = checked;
    const taken = { event, info, clamped, found: this.#find(event.playerId) };
    const outcome = taken.found.isDeleted ? this.#takeOfDeleted(taken) : this.#takeByType(taken);
    return this.#count(event.source, clamped ? markClamped(outcome) : outcome, event.occurredAtMs);
  }

  /** Takes a payment fact of an outcome in. */
  record(fact: PaymentFact): RecordedFact {
    const found = this.#find(fact.playerId);
    if (found.isDeleted) {
      this.#count(outcomeSource, tell("DELETED_PLAYER"), undefined);
      return { kind: "deleted-player" };
    }
    const id = this.#factId(fact, fact.type);
    const placed = this.#placeFact(found, fact, id, { isPaymentFact: true, amountWins: true });
    this.#count(outcomeSource, describePlaced(placed), fact.atMs);
    return placed;
  }

  /** Ends the batch; its verdicts are counted when what they accept is kept. One write's promise is given on as it is, because the keeper knows it by that. */
  close(): Promise<void> {
    const [first = Promise.resolve(), ...others] = this.#durable;
    const durable = others.length === 0 ? first : Promise.all(this.#durable).then(() => {});
    durable.then(
      () => this.#deps.onVerdicts?.(this.#merchantId, this.#counts),
      () => {},
    );
    return durable;
  }

  #takeByType(taken: Taken): EventOutcome {
    const { event, info } = taken;
    if (info.isPaymentFact) return this.#takeFact(taken);
    if (event.type === actingTypes.reversed) return this.#takeReversal(taken);
    if (event.type === actingTypes.alias) return this.#takeAlias(taken);
    return this.#takeEvent(taken);
  }

  /** An event that is a row of its player, and may change what is stored of the player. */
  #takeEvent(taken: Taken): EventOutcome {
    const { event, found } = taken;
    const id = rowId(this.#merchantId, event.playerId, event.eventId);
    const row = this.#intake.rows.make(event, taken.info, id);
    if (row === undefined) return tooManyLabels();
    const placed = forgive(taken, this.#place(found.playerId, row, { isPaymentFact: false }));
    if (!stands(placed)) return describePlaced(placed);
    if (event.reverses !== undefined) {
      this.#reverse(found.playerId, rowId(this.#merchantId, event.playerId, event.reverses), event);
    }
    // Done for a second delivery too: the first may have been lost between the row and the player.
    const detail = changingTypes.has(event.type) ? this.#change(found, event) : "";
    return describePlaced(placed, detail);
  }

  #takeFact(taken: Taken): EventOutcome {
    const { event, found } = taken;
    const { paymentId } = event;
    if (paymentId === undefined && !this.#isSole(event)) {
      const message = `payment_id is required: ${event.source} is not declared the sole source of ${event.type}`;
      return refuseField("payment_id", "required", message);
    }
    const hold = this.#findHold(event);
    const fact = makeFact({ event, hold, player: found.player, snapshot: this.#snapshot });
    const naturalId = this.#factId(fact, fact.type);
    // What takes the place of a fact has its key, so it is told by its own id.
    const isNatural = paymentId !== undefined && event.reverses === undefined;
    const id = isNatural ? naturalId : rowId(this.#merchantId, event.playerId, event.eventId);
    const placed = forgive(taken, this.#placeFact(found, fact, id, { isPaymentFact: isNatural }));
    if (!stands(placed)) return describePlaced(placed);
    if (event.reverses !== undefined) {
      const isById = paymentId === undefined;
      const reversedId = isById ? rowId(this.#merchantId, event.playerId, event.reverses) : naturalId;
      this.#reverseFact(found, fact, reversedId, event);
    }
    if (hold !== undefined) {
      this.#note(
        settleHold(this.#deps.limits, this.#merchantId, { hold, fact, isNew: placed.kind === "added" }),
      );
    }
    return describePlaced(placed);
  }

  /** An event that was never: nothing stands in its place. */
  #takeReversal({ event, found }: Taken): EventOutcome {
    const type = event.attributes.get("reversed_type");
    let wasThere: boolean;
    if (event.paymentId !== undefined) {
      const { player } = found;
      const fact = makeFact({ event, hold: undefined, player, snapshot: this.#snapshot });
      const id = this.#factId(fact, String(type));
      wasThere = this.#reverseFact(found, fact, id, event);
    } else {
      const id = rowId(this.#merchantId, event.playerId, event.reverses!);
      wasThere = this.#reverse(found.playerId, id, event);
    }
    return wasThere
      ? accept(false)
      : tell("ACCEPTED", "nothing of that id has come yet: it will be taken back when it comes");
  }

  #takeAlias(taken: Taken): EventOutcome {
    const { event, found } = taken;
    const alias = this.#find(String(event.attributes.get("alias")));
    if (event.playerId === event.attributes.get("alias")) {
      return refuseField("attributes.alias", "another-player", "a player is no alias of itself");
    }
    if (alias.isDeleted) return tell("DELETED_PLAYER", "the alias is deleted: nothing was merged");
    const isMerged = alias.playerId === found.playerId;
    if (!isMerged && !hasRoomForAlias(found.player, alias.player)) {
      return refuseField("attributes.alias", "too-many", "a player has at most 64 aliases");
    }
    const outcome = this.#takeEvent(taken);
    const isRefused = outcome.verdict === "REFUSED" || outcome.verdict === "CONFLICT";
    if (isMerged || isRefused || outcome.verdict === "REVERSED") return outcome;
    const merge = {
      merchantId: this.#merchantId,
      keptId: found.playerId,
      aliasId: alias.playerId,
      fx: this.#snapshot?.fx,
    };
    for (const durable of mergeAlias(this.#deps, merge)) this.#note(durable);
    this.#touch(alias.playerId, anyInstant);
    this.#touch(found.playerId, anyInstant);
    return outcome;
  }

  /** Nothing of a deleted player is kept but what protects the person (`SEMANTICS.md` 6.3). */
  #takeOfDeleted({ event, found }: Taken): EventOutcome {
    if (!restrictingTypes.has(event.type)) return tell("DELETED_PLAYER");
    const detail = this.#change(found, event);
    return tell("DELETED_PLAYER", detail === "" ? "only the restriction is kept" : detail);
  }

  /** Puts what an event says of its player into the store; what is there to say of it. */
  #change(found: Found, event: PlayerEvent): string {
    const { nowMs } = this.#check;
    const declared = this.#snapshot?.playerAttributes ?? new Map();
    const before = found.player ?? emptyPlayer(found.playerId);
    const instantMs = nowMs === Infinity ? event.occurredAtMs : nowMs;
    const { player, detail } = changePlayer(before, event, declared, instantMs);
    if (player !== undefined) {
      this.#note(this.#deps.players.put(this.#merchantId, keepKnownSince(found.player, player)));
      this.#touch(found.playerId, event.occurredAtMs);
    }
    return detail;
  }

  #find(playerId: string): Found {
    const { players } = this.#deps;
    const merchantId = this.#merchantId;
    const own = players.get(merchantId, playerId);
    const keptId = own?.mergedInto ?? playerId;
    const player = keptId === playerId ? own : players.get(merchantId, keptId);
    return { playerId: keptId, player, isDeleted: players.isDeleted(merchantId, keptId) };
  }

  #factId({ paymentId, attemptId }: PaymentFact, type: string): number {
    return factRowId({ merchantId: this.#merchantId, paymentId, attemptId, type });
  }

  /** What the payment holds, where the event can be about it: one that is older is about an earlier revision. */
  #findHold({ paymentId, occurredAtMs }: PlayerEvent): Hold | undefined {
    if (paymentId === undefined) return undefined;
    const hold = this.#deps.limits.get(this.#merchantId, paymentId);
    // What counts for caps only says nothing of the payment any more.
    if (hold === undefined || isForCapsOnly(hold)) return undefined;
    return occurredAtMs >= hold.instantMs - clockSkewMs ? hold : undefined;
  }

  #isSole({ source, type }: PlayerEvent): boolean {
    return this.#intake.merchant.soleSources.get(source)?.has(type) ?? false;
  }

  #placeFact(
    { playerId }: Found,
    fact: PaymentFact,
    id: number,
    options: { isPaymentFact: boolean; amountWins?: boolean },
  ): Placed {
    const { factRows } = this.#intake;
    const placed = this.#place(playerId, factRows.make(fact, id, "player"), options);
    for (const subject of listSubjects(fact, this.#wishes)) {
      const row = factRows.make(fact, id, subject.kind);
      const there = this.#deps.histories.place(this.#merchantId, subject, row, options);
      this.#note(there.durable);
      if (there.placed.kind === "too-old" && placed.kind === "added") this.#placeLate(subject, row, options);
    }
    return placed;
  }

  /**
   * A fact that the player's history did not know, and that is older than the rows of a busy subject go back: it becomes the oldest of them, because no
   * limit may miss money; it counts from the decision on in any case. What gives headroom of a net back is left out, where it would count too late.
   */
  #placeLate(
    subject: Subject,
    row: Parameters<IngestDeps["histories"]["place"]>[2],
    options: { readonly isPaymentFact: boolean; readonly amountWins?: boolean },
  ): void {
    const { histories } = this.#deps;
    // Limits of the net are over players and brands.
    if (subject.kind === "brand" && givingBack.has(row.label.type)) return;
    const atMs = histories.get(this.#merchantId, subject)?.exactFromMs ?? row.atMs;
    this.#note(histories.place(this.#merchantId, subject, { ...row, atMs }, options).durable);
  }

  #place(
    playerId: string,
    row: Parameters<IngestDeps["histories"]["place"]>[2],
    options: { readonly isPaymentFact: boolean; readonly amountWins?: boolean },
  ): Placed {
    const subject = playerSubject(playerId);
    const { placed, durable } = this.#deps.histories.place(this.#merchantId, subject, row, options);
    this.#note(durable);
    if (placed.kind === "added") this.#touch(playerId, row.atMs, row.label.type);
    // The first instant stands, and only the history knows it.
    if (placed.kind === "merged")
      this.#touch(playerId, placed.differs.includes("at") ? anyInstant : row.atMs, row.label.type);
    return placed;
  }

  #reverseFact({ playerId }: Found, fact: PaymentFact, id: number, event: PlayerEvent): boolean {
    const row = { id, atMs: event.occurredAtMs };
    for (const subject of listSubjects(fact, this.#wishes)) {
      this.#note(this.#deps.histories.reverse(this.#merchantId, subject, row).durable);
    }
    return this.#reverse(playerId, id, event);
  }

  #reverse(playerId: string, id: number, event: PlayerEvent): boolean {
    const row = { id, atMs: event.occurredAtMs };
    const { found, durable } = this.#deps.histories.reverse(this.#merchantId, playerSubject(playerId), row);
    this.#note(durable);
    if (found) this.#touch(playerId, anyInstant);
    return found;
  }

  #touch(playerId: string, atMs: number, type?: string): void {
    this.#deps.memberships?.touch(this.#merchantId, playerId, atMs, type);
  }

  /** The store gives one promise to all that it writes at once. */
  #note(durable: Promise<void> | undefined): void {
    if (durable !== undefined && durable !== this.#durable.at(-1)) this.#durable.push(durable);
  }

  #count(source: string, outcome: EventOutcome, atMs: number | undefined): EventOutcome {
    const { verdict, late } = outcome;
    this.#counts.set(verdict, (this.#counts.get(verdict) ?? 0) + 1);
    this.#intake.sources.count(source, verdict, takenIn.has(verdict) ? atMs : undefined, late);
    return outcome;
  }
}

/** Facts that take from a net of deposits. */
const givingBack: ReadonlySet<string> = new Set([
  "payment_refunded",
  "payment_charged_back",
  "withdrawal_paid",
]);

const takenIn: ReadonlySet<Verdict> = new Set(["ACCEPTED", "CLAMPED", "DUPLICATE", "MERGED"]);

/** Whether the row is there now, by this event or by an earlier delivery of it. */
function stands(placed: Placed): boolean {
  return placed.kind === "added" || placed.kind === "duplicate" || placed.kind === "merged";
}

function describePlaced(placed: Placed, detail = ""): EventOutcome {
  switch (placed.kind) {
    case "added":
      return detail === "" ? accept(placed.late) : tell("ACCEPTED", detail, placed.late);
    case "duplicate":
      return tell("DUPLICATE", detail);
    case "conflict":
      return tell("CONFLICT", `known with another ${placed.differs.join(", ")}: the first stands`);
    case "merged": {
      const differs = placed.differs.length === 0 ? "" : `; it differed in ${placed.differs.join(", ")}`;
      return tell("MERGED", `told before${differs}`);
    }
    case "reversed":
      return tell("REVERSED", "it was taken back before");
    case "too-many-labels":
      return tooManyLabels();
    case "too-old":
      return refuseField(
        "occurred_at",
        "too-old",
        "occurred_at is before what is kept event by event, so nobody can tell whether it is known",
      );
  }
}

/** What is clamped again differs in the instant alone, because time went on. */
function forgive({ clamped }: Taken, placed: Placed): Placed {
  const isSame = placed.kind === "conflict" && placed.differs.length === 1 && placed.differs[0] === "at";
  return clamped && isSame ? { kind: "duplicate" } : placed;
}

/** Only what was simply taken in is said to be clamped. */
function markClamped(outcome: EventOutcome): EventOutcome {
  return outcome.verdict === "ACCEPTED" ? { ...outcome, verdict: "CLAMPED" } : outcome;
}

function tooManyLabels(): EventOutcome {
  return refuseField(
    "attributes",
    "too-many-values",
    "plain attributes of events have had too many different combinations: they are for what has few values",
  );
}
