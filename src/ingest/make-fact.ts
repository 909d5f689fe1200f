import type { PlayerEvent } from "../core/events/event.ts";
import type { PaymentFactType } from "../core/events/event-types.ts";
import { noAnswer, type PaymentFact, readInstrument, subjectOf } from "../core/events/payment-fact.ts";
import type { Subject, SubjectKind } from "../core/history/history.ts";
import type { Hold } from "../core/limits/limit.ts";
import { convertMinor } from "../core/money.ts";
import type { PaymentKind } from "../core/payment.ts";
import type { Player } from "../core/player.ts";
import type { OutcomeClass } from "../core/retry/outcome-class.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";

/** What limits want to know of payment facts. */
export type FactWishes = {
  /** Kinds of subjects beside players that limits of the rule set count over. */
  readonly kinds: readonly SubjectKind[];
  /** Currencies of their thresholds. */
  readonly currencies: readonly string[];
};

const noWishes: FactWishes = { kinds: [], currencies: [] };
const wishesOf = new WeakMap<RuleSnapshot, FactWishes>();

/** Worked out once per rule set. */
export function readWishes(snapshot: RuleSnapshot | undefined): FactWishes {
  if (snapshot === undefined) return noWishes;
  const known = wishesOf.get(snapshot);
  if (known !== undefined) return known;
  const kinds = new Set(snapshot.limits.map(({ subject }) => subject));
  kinds.delete("player");
  const currencies = new Set(snapshot.limits.map(({ currency }) => currency));
  currencies.delete("");
  const wishes = { kinds: [...kinds], currencies: [...currencies] };
  wishesOf.set(snapshot, wishes);
  return wishes;
}

export type FactSource = {
  readonly event: PlayerEvent;
  /** What the payment holds: then what it says of the payment was decided, and stands. */
  readonly hold: Hold | undefined;
  readonly player: Player | undefined;
  readonly snapshot: RuleSnapshot | undefined;
};

/** The payment fact that an event of a wallet tells; what the event leaves out comes from the hold. */
export function makeFact(source: FactSource): PaymentFact {
  const { event, hold } = source;
  const read = (name: string): string => (event.attributes.get(name) as string | undefined) ?? "";
  const plain = (name: string): string => read(name) || (hold?.values.get(name) ?? "");
  const subject = (kind: SubjectKind, own: string): string =>
    own || (hold?.subjects.find((each) => each.kind === kind)?.id ?? "");
  // Every field by its name: hundreds of thousands of facts come in a second, and to spread an object into one costs as much as all the rest.
  const fact: PaymentFact = {
    type: event.type as PaymentFactType,
    // As it was sent, alias or not: what came before a merge and what comes after it are counted alike.
    playerId: event.playerId,
    paymentId: event.paymentId ?? "",
    attemptId: event.attemptId ?? "",
    kind: readKind(event, hold),
    amountMinor: event.amount?.minorUnits ?? 0,
    currency: event.amount?.currencyCode ?? "",
    atMs: event.occurredAtMs,
    countedAtMs: hold?.instantMs,
    method: plain("method"),
    psp: plain("psp"),
    mid: plain("mid"),
    brand: plain("brand"),
    scheme: plain("scheme"),
    funding: plain("funding"),
    outcome: read("outcome") as OutcomeClass | "",
    code: read("code"),
    advice: read("advice"),
    initiator: read("initiator") as PaymentFact["initiator"],
    sca: read("sca"),
    block: noAnswer.block,
    blockUntilMs: noAnswer.blockUntilMs,
    card: subject("card", readInstrument(read("card"))),
    device: subject("device", read("device")),
    ip: subject("ip", read("ip")),
    bin: subject("bin", read("bin")),
    converted: convertAmount(source),
    ratesVersion: hold?.ratesVersion ?? source.snapshot?.version ?? NaN,
  };
  if (hold === undefined) return fact;
  return { ...fact, subjects: hold.subjects.filter(({ kind }) => kind !== "player") };
}

function readKind(event: PlayerEvent, hold: Hold | undefined): PaymentKind {
  const said = event.attributes.get("kind") as PaymentKind | undefined;
  return said ?? hold?.kind ?? (event.type.startsWith("withdrawal_") ? "withdrawal" : "deposit");
}

const nothingConverted: ReadonlyMap<string, number> = new Map();

/** By the rates of the rule set that decided; without a decision, by those that are active. What has no rate is left out. */
function convertAmount({ event, hold, player, snapshot }: FactSource): ReadonlyMap<string, number> {
  const { amount } = event;
  if (amount === undefined) return nothingConverted;
  const { minorUnits, currencyCode } = amount;
  if (hold !== undefined && hold.currency === currencyCode) {
    if (hold.amountMinor === minorUnits) return hold.converted;
    const share = (minor: number): number => scaleHalfUp(minor, minorUnits, hold.amountMinor);
    return new Map([...hold.converted].map(([currency, minor]) => [currency, share(minor)]));
  }
  if (snapshot === undefined) return nothingConverted;
  let converted: Map<string, number> | undefined;
  const add = (to: string): void => {
    if (to === currencyCode || converted?.has(to)) return;
    const minor = convertMinor(snapshot.fx, { amountMinor: minorUnits, from: currencyCode, to });
    if (minor === undefined) return;
    converted ??= new Map();
    converted.set(to, minor);
  };
  for (const currency of readWishes(snapshot).currencies) add(currency);
  for (const limit of player?.ownLimits ?? []) add(limit.amount.currencyCode);
  return converted ?? nothingConverted;
}

/** `minor * part / whole`, exact and rounded half up. */
function scaleHalfUp(minor: number, part: number, whole: number): number {
  const divisor = 2n * BigInt(whole);
  return Number((2n * BigInt(minor) * BigInt(part) + BigInt(whole)) / divisor);
}

/**
 * The subjects beside the player that a fact is a row of: those that were decided, else those that limits are over. What was approved or declined is always
 * a row of its card's history, and what blocks a BIN of the BIN's: caps and blocks are read from there.
 */
export function listSubjects(fact: PaymentFact, wishes: FactWishes): readonly Subject[] {
  const counted =
    fact.subjects ??
    (wishes.kinds.length === 0 ? noSubjects : wishes.kinds.flatMap((kind) => subjectOf(fact, kind) ?? []));
  const isOfCard = fact.card !== "" && !apartFromCards.has(fact.type);
  const isOfBin = fact.bin !== "" && fact.block === "bin";
  if (!isOfCard && !isOfBin) return counted;
  const has = (kind: SubjectKind): boolean => counted.some((each) => each.kind === kind);
  return [
    ...counted,
    ...(isOfCard && !has("card") ? [{ kind: "card", id: fact.card } as const] : []),
    ...(isOfBin && !has("bin") ? [{ kind: "bin", id: fact.bin } as const] : []),
  ];
}

const noSubjects: readonly Subject[] = [];

/** Facts that say nothing of how a card stands. */
const apartFromCards: ReadonlySet<PaymentFactType> = new Set([
  "payment_attempted",
  "payment_cleared",
  "payment_voided",
  "payment_refunded",
  "payment_charged_back",
  "withdrawal_requested",
  "withdrawal_cancelled",
  "withdrawal_paid",
  "withdrawal_returned",
]);
