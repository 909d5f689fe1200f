/** Players who deposit by card, and what they do when they are asked for other data, a lower amount or another method. Made from a seed. */
import { createHash } from "node:crypto";
import { Edge_Action as Action, type Edge } from "../../src/gen/switchyard/v1/decision_pb.js";

export type Card = {
  readonly bin: string;
  readonly lastFour: string;
  readonly scheme: string;
  readonly funding: string;
  readonly country: string;
  readonly token: string;
  readonly expiry: string;
};

/** One deposit as it stands at a revision. */
export type Deposit = {
  readonly playerId: string;
  /** For Switchyard. */
  readonly request: {
    readonly paymentId: string;
    readonly revision: number;
    readonly playerId: string;
    readonly brand: string;
    readonly kind: "deposit";
    readonly amount: { readonly minorUnits: bigint; readonly currencyCode: string };
    readonly method: string;
    readonly playerCountry: string;
    readonly card?: {
      readonly bin: string;
      readonly lastFour: string;
      readonly scheme: string;
      readonly funding: string;
      readonly issuerCountry: string;
      readonly fingerprint: string;
    };
  };
  /** For the PSP: the same payment, with the card as the gateway's vault knows it. */
  readonly authorisation: Readonly<Record<string, unknown>>;
  /** The next revision; undefined where the player gives up. */
  readonly revise: (edge: Edge) => Deposit | undefined;
};

export type Crowd = {
  readonly payments: number;
  readonly players: number;
  /** ISO 3166-1 alpha-2, those of `places`. */
  readonly countries: readonly string[];
  readonly seed: string;
  /** Brands by country, where the rule set has some. */
  readonly brands: Readonly<Record<string, string>>;
  /** Method to offer instead of cards; empty for none. */
  readonly otherMethod: string;
};

type Place = {
  readonly currency: string;
  readonly cards: readonly Omit<Card, "lastFour" | "token" | "expiry" | "country">[];
};

/** Cards that are issued there: ranges of samples/bin-ranges.csv, and others of which the gateway knows itself what they are. */
export const places: Readonly<Record<string, Place>> = {
  DK: {
    currency: "EUR",
    cards: [
      { bin: "45710435", scheme: "visa", funding: "debit" },
      { bin: "45710440", scheme: "visa", funding: "debit" },
    ],
  },
  GB: { currency: "GBP", cards: [{ bin: "40000000", scheme: "visa", funding: "debit" }] },
  SE: { currency: "EUR", cards: [{ bin: "54540001", scheme: "mastercard", funding: "debit" }] },
  FI: {
    currency: "EUR",
    cards: [
      { bin: "41112201", scheme: "visa", funding: "debit" },
      { bin: "53330101", scheme: "mastercard", funding: "debit" },
    ],
  },
};

const amounts = [1_000, 1_500, 2_000, 2_500, 3_000, 5_000, 7_500, 10_000, 12_345, 20_000] as const;
/** A player has another amount, card or method only so often. */
const willing = 0.7;

/** Deposit number `at`, always the same. */
export function makeDeposit(crowd: Crowd, at: number): Deposit {
  const draw = (...names: readonly string[]) => drawOf(crowd.seed, ...names);
  const player = Math.floor(draw("player", String(at)) * crowd.players);
  const playerId = `${crowd.seed}-player-${player}`;
  const country = pick(crowd.countries, draw(playerId, "country"));
  const place = places[country]!;
  const kind = pick(place.cards, draw(playerId, "card"));
  const card: Card = {
    ...kind,
    country,
    lastFour: String(player % 10_000).padStart(4, "0"),
    token: `card-of-${playerId}`,
    expiry: "12/29",
  };
  return describeDeposit(
    {
      paymentId: `${crowd.seed}-${at}`,
      playerId,
      country,
      brand: crowd.brands[country] ?? "",
      currency: place.currency,
      method: "card",
      revision: 0,
      amountMinor: pick(amounts, draw("amount", String(at))),
      card,
    },
    crowd,
  );
}

type State = {
  readonly paymentId: string;
  readonly playerId: string;
  readonly country: string;
  readonly brand: string;
  readonly currency: string;
  readonly method: string;
  readonly revision: number;
  readonly amountMinor: number;
  readonly card: Card | undefined;
};

function describeDeposit(state: State, crowd: Crowd): Deposit {
  const { paymentId, playerId, country, brand, currency, method, revision, amountMinor, card } = state;
  return {
    playerId,
    request: {
      paymentId,
      revision,
      playerId,
      brand,
      kind: "deposit",
      amount: { minorUnits: BigInt(amountMinor), currencyCode: currency },
      method,
      playerCountry: country,
      ...(card === undefined ? {} : { card: describeCard(card) }),
    },
    authorisation: {
      payment: paymentId,
      amountMinor,
      currency,
      country,
      method,
      ...(card === undefined ? {} : { card: vaultCard(card) }),
    },
    revise(edge) {
      const next = changeState(state, edge, crowd);
      return next === undefined ? undefined : describeDeposit({ ...next, revision: revision + 1 }, crowd);
    },
  };
}

function describeCard({ bin, lastFour, scheme, funding, country, token }: Card) {
  return { bin, lastFour, scheme, funding, issuerCountry: country, fingerprint: token };
}

function vaultCard({ bin, scheme, country, token, expiry }: Card) {
  return { bin, scheme, country, token, expiry };
}

/** What the player does. */
function changeState(state: State, { action }: Edge, crowd: Crowd): State | undefined {
  if (action === Action.ASK_AGAIN) return state;
  const { paymentId, revision, card, amountMinor } = state;
  if (drawOf(crowd.seed, paymentId, String(revision), "willing") >= willing) return undefined;
  switch (action) {
    case Action.CHANGE_DATA:
      return card === undefined ? undefined : { ...state, card: { ...card, expiry: `01/${30 + revision}` } };
    case Action.LOWER_AMOUNT:
      return amountMinor < 1_000 ? undefined : { ...state, amountMinor: Math.floor(amountMinor / 2) };
    case Action.OTHER_METHOD:
      if (crowd.otherMethod === "" || state.method === crowd.otherMethod) return undefined;
      return { ...state, method: crowd.otherMethod, card: undefined };
    default:
      return undefined;
  }
}

function pick<T>(from: readonly T[], draw: number): T {
  return from[Math.floor(draw * from.length)]!;
}

function drawOf(...names: readonly string[]): number {
  return createHash("sha256").update(names.join("\0")).digest().readUIntBE(0, 6) / 2 ** 48;
}
