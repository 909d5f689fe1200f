import { exponentOf } from "../../src/core/iso4217.ts";
import type { Payment } from "../../src/core/payment.ts";
import type { Player } from "../../src/core/player.ts";
import {
  binLists,
  type CorpusPayment,
  currencies,
  methods,
  playerAttributes,
  segmentIds,
} from "./payments.ts";
import { type CorpusRule, makeRules } from "./rules.ts";

/** The tenant of all payments of the corpus. */
export const corpusMerchant = "bench";

const psps = ["psp-a", "psp-b", "psp-c", "psp-d", "psp-e"];
const attributeTypes = { int: "INT", double: "DOUBLE", string: "STRING", bool: "BOOL" } as const;

/**
 * A whole rule set of so many rules as a document in JSON: five PSPs, the corpus' BIN lists, forty segments by what the player belongs to, and
 * the rules with effects of every kind, so that decisions route, score, exclude, ask for 3DS and now and then deny.
 */
export function makeRuleSet(ruleCount: number, seed: number): Uint8Array {
  const document = {
    name: `${ruleCount} rules`,
    psps: psps.map((id, index) => ({
      id,
      methods,
      acquirer_country: "MT",
      fees: [{ bps: 100 + 20 * index }],
    })),
    fx_rates: currencies.filter(hasRate).map((from) => ({ from, to: "EUR", rate: "1" })),
    attributes: [
      ...Object.entries(playerAttributes).map(([name, type]) => ({
        name,
        subject: "PLAYER",
        type: attributeTypes[type],
      })),
      { name: "memberships", subject: "PLAYER", type: "STRING_LIST" },
    ],
    lists: [...binLists].map(([id, values]) => ({ id, kind: "BIN", values })),
    segments: segmentIds.map((id) => ({ id, when: `${JSON.stringify(id)} in player.memberships` })),
    retry_policies: [{ id: "patient", max_attempts: 4 }],
    risk_thresholds: { review_from: 900, deny_from: 1000 },
    rules: [
      ...makeRules(2 * ruleCount, seed)
        .filter(isPossible)
        .slice(0, ruleCount - 1)
        .map(writeRule),
      { id: "floor", class: "DEFAULT", effects: { strategy: { least_cost: {} } } },
    ],
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

/** Some countries of the corpus pay in a currency that is no more. */
function hasRate(code: string): boolean {
  return code !== "EUR" && exponentOf(code) !== undefined;
}

/** Chance now and then asks for a segment and against it, which a push refuses. */
function isPossible({ atoms }: CorpusRule): boolean {
  const asked = atoms.flatMap((atom) => (atom.kind === "segment" ? [atom.id] : []));
  return new Set(asked).size === asked.length;
}

function writeRule(rule: CorpusRule, index: number): object {
  const { id, reason, when, matchUnknown } = rule;
  return {
    id,
    class: rule.class,
    priority: index % 10,
    when,
    ...(rule.class !== "SEGMENT" && { reason, on_unknown: matchUnknown ? "APPLY" : "SKIP" }),
    effects: makeEffects(rule, index),
  };
}

function makeEffects({ reason }: CorpusRule, index: number): object {
  const psp = psps[index % psps.length]!;
  switch (reason) {
    case "ROUTE_COUNTRY_METHOD":
      return { strategy: { priority: { psps: [psp, ...psps.filter((other) => other !== psp)] } } };
    case "ROUTE_CARD":
      return { three_ds: { level: "PREFER_FRICTIONLESS" } };
    case "ROUTE_BIN":
      return {
        strategy: { weighted: { weights: psps.map((id) => ({ psp: id, weight: id === psp ? 6 : 1 })) } },
      };
    case "ROUTE_SEGMENT":
      return { retry_policy: "patient" };
    case "PLAYER_BEHAVIOUR":
      return { three_ds: { level: "REQUIRE" } };
    case "EITHER_WAY":
      return { exclude_psps: [psp] };
    case "CREDIT_BAN":
      return { deny: {} };
    default:
      return { score: 1 + (index % 3) };
  }
}

/** A payment of the corpus as the door gives it. `number` makes its ids. */
export function makeCall(payment: CorpusPayment, number: number): Payment {
  const { currency, method, playerCountry, amountEurMinor, card } = payment;
  return {
    requestId: `request-${number}`,
    merchantId: corpusMerchant,
    paymentId: `payment-${number}`,
    revision: 0,
    playerId: `player-${number}`,
    brand: "",
    kind: "deposit",
    amountMinor: amountEurMinor,
    currency: hasRate(currency) ? currency : "EUR",
    method,
    ...(card && { card: { ...card, lastFour: "4242" } }),
    playerCountry,
    ipCountry: playerCountry,
    initiator: "CIT",
    riskSignals: [],
    attributes: new Map(),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
  };
}

/** The stored player of a payment of the corpus. */
export function makePlayer({ player, segments }: CorpusPayment, playerId: string): Player {
  const attributes = Object.entries({ ...player, memberships: segments }).map(
    ([name, value]) => [name, { value, setAtMs: 0, source: "bench" }] as const,
  );
  return { playerId, attributes: new Map(attributes), restrictions: [] };
}
