import type { RawEvent } from "../../src/core/events/check-event.ts";
import { createRandom, type Random } from "../corpus/random.ts";

/** Of how many players and events a bench is. */
export type Size = { readonly players: number; readonly eventsPerPlayer: number };

export type Population = Size & {
  /** How many events there are. */
  readonly events: number;
  /** The next events in the order in which they arrive; fewer, or none, at the end. */
  readonly next: (max: number) => RawEvent[];
  /** A player drawn as events are: those that do much are drawn often. */
  readonly pick: () => number;
};

const dayMs = 86_400_000;
const source = "wallet";
export const currency = "USD";

const seed = 20260322;
/** Sigma of the weights of players, as in the real file (shared data, `sports-payments.csv.gz`): half of them have 6 events, one in 1,000 has 1,000. */
const weightSigma = 1.65;
/** No player has more than so many times the mean. */
const weightMax = 170;
const amountMedianMinor = 3_500;
const amountSigma = 1.4;
/** What players do, with the shares of the real file. */
const kinds = [
  { share: 0.481, type: "stake_moved", attributes: { result: "APPROVED" } },
  { share: 0.408, type: "payment_approved", attributes: { kind: "deposit", method: "card" } },
  { share: 0.071, type: "withdrawal_paid", attributes: { kind: "withdrawal", method: "wallet" } },
  { share: 0.016, type: "payment_approved", attributes: { kind: "deposit", method: "ach" } },
  { share: 0.0134, type: "payment_declined", attributes: { kind: "deposit", method: "card" } },
  { share: 0.0106, type: "stake_moved", attributes: { result: "DECLINED" } },
] as const;
/** One event in so many comes late, by a minute at most. */
const lateEvery = 50;

export function playerIdOf(number: number): string {
  return join("player", number);
}

/** In one piece, as a decoder makes texts, where a template leaves parts to be joined by the first reader. */
function join(name: string, number: number): string {
  return Buffer.from(`${name}-${number}`, "latin1").toString("latin1");
}

/** When it happens: 60 days by default. `firstNumber` is that of the first event, by which it is told apart. */
export type Stretch = { readonly untilMs: number; readonly days?: number; readonly firstNumber?: number };

/**
 * What players do until an instant, as it arrives: nearly in order. The same seed, the same events. Every player has one event, and the others go by
 * weight: most to few players.
 */
export function makePopulation(
  { players, eventsPerPlayer }: Size,
  { untilMs, days = 60, firstNumber = 0 }: Stretch,
): Population {
  const random = createRandom(seed);
  const pickPlayer = makePicker(makeWeights(players, random), random);
  const events = players * eventsPerPlayer;
  let made = 0;
  const make = (): RawEvent => {
    const isFirst = made % eventsPerPlayer === 0;
    const player = isFirst ? shuffle(made / eventsPerPlayer, players) : pickPlayer();
    const lateMs = random.index(lateEvery) === 0 ? random.index(60_000) : random.index(1_000);
    return makeEvent(random, {
      number: firstNumber + made,
      player,
      atMs: Math.floor(untilMs - days * dayMs * (1 - ++made / events) - lateMs),
    });
  };
  return {
    players,
    eventsPerPlayer,
    events,
    next: (max) => Array.from({ length: Math.min(max, events - made) }, make),
    pick: pickPlayer,
  };
}

function makeEvent(
  random: Random,
  { number, player, atMs }: { readonly number: number; readonly player: number; readonly atMs: number },
): RawEvent {
  const { type, attributes } = pickKind(random.next());
  return {
    eventId: join("event", number),
    playerId: playerIdOf(player),
    type,
    occurredAtMs: atMs,
    source,
    amount: { minorUnits: drawAmount(random), currencyCode: currency },
    attributes,
    paymentId: type === "stake_moved" ? "" : join("payment", number),
    attemptId: "",
    reverses: "",
  };
}

function pickKind(at: number): (typeof kinds)[number] {
  let left = at;
  for (const kind of kinds) {
    left -= kind.share;
    if (left < 0) return kind;
  }
  return kinds[0];
}

function drawAmount(random: Random): number {
  return 1 + Math.floor(amountMedianMinor * Math.exp(amountSigma * drawNormal(random)));
}

/** The k-th of so many, each once, all over the range. */
function shuffle(at: number, players: number): number {
  const step = 7_919;
  return (at * step) % players;
}

function makeWeights(players: number, random: Random): Float64Array {
  const mean = Math.exp(weightSigma ** 2 / 2);
  return Float64Array.from({ length: players }, () =>
    Math.min(Math.exp(weightSigma * drawNormal(random)), weightMax * mean),
  );
}

/** By Box and Muller. */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Draws numbers by weight, each in constant time (Vose's alias method). */
function makePicker(weights: Float64Array, random: Random): () => number {
  const count = weights.length;
  const scale = count / weights.reduce((sum, weight) => sum + weight, 0);
  const share = Float32Array.from(weights, (weight) => weight * scale);
  const alias = Uint32Array.from(weights.keys());
  const small: number[] = [];
  const large: number[] = [];
  for (let at = 0; at < count; at++) (share[at]! < 1 ? small : large).push(at);
  while (small.length > 0 && large.length > 0) {
    const less = small.pop()!;
    const more = large.at(-1)!;
    alias[less] = more;
    share[more]! -= 1 - share[less]!;
    if (share[more]! < 1) small.push(large.pop()!);
  }
  return () => {
    const at = random.index(count);
    return random.next() < share[at]! ? at : alias[at]!;
  };
}
