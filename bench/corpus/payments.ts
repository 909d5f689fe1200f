import { createRandom, type Random } from "./random.ts";

/** Countries of players, the most frequent first, with the currency that they pay in. */
export const countries: ReadonlyMap<string, string> = new Map(
  (
    "GB:GBP DE:EUR SE:SEK FI:EUR BR:BRL CA:CAD NO:NOK DK:DKK AT:EUR NL:EUR ES:EUR IT:EUR JP:JPY IN:INR " +
    "PL:PLN NZ:NZD IE:EUR PT:EUR GR:EUR MX:MXN CL:CLP PE:PEN RO:RON HU:HUF CZ:CZK CH:CHF BE:EUR FR:EUR EE:EUR " +
    "LV:EUR LT:EUR MT:EUR CY:EUR SK:EUR SI:EUR BG:BGN HR:EUR ZA:ZAR NG:NGN KE:KES AR:ARS CO:COP TR:TRY TH:THB"
  )
    .split(" ")
    .map((pair) => pair.split(":") as [string, string]),
);

export const countryCodes: readonly string[] = [...countries.keys()];
export const currencies: readonly string[] = [...new Set(countries.values())];
export const methods = [
  "card",
  "applepay",
  "pix",
  "sepa",
  "trustly",
  "skrill",
  "neteller",
  "paysafecard",
  "swish",
  "mbway",
  "ideal",
  "bankgiro",
  "astropay",
  "jeton",
] as const;
export const schemes = ["visa", "mastercard", "maestro", "amex"] as const;
export const fundings = ["debit", "credit", "prepaid"] as const;

export const segmentIds: readonly string[] = [
  ..."new_player regular slots mobile sports live vip high_value churn_risk bonus_hunter at_risk dormant".split(
    " ",
  ),
  ...Array.from({ length: 28 }, (_, i) => `cohort_${i + 1}`),
];

/** BINs are `makeBin(0)` to `makeBin(binCount - 1)`, the most frequent first. */
export const binCount = 5000;

/** Lists of BINs: issuers that treat gaming in a way of their own. Ids and their prefixes, 6 or 8 digits. */
export const binLists: ReadonlyMap<string, readonly string[]> = makeBinLists();

/** Attributes of players as a rule set would declare them, with how they are spread. */
export const playerAttributes = {
  deposits_30d: "int",
  deposit_count: "int",
  account_days: "int",
  failed_24h: "int",
  vip_level: "int",
  trust: "double",
  churn: "double",
  kyc_tier: "string",
  verified: "bool",
} as const;

export type PlayerAttribute = keyof typeof playerAttributes;

/** One payment with what is known of its player; an absent field is unknown. Amounts in EUR cents. */
export type CorpusPayment = {
  readonly currency: string;
  readonly method: string;
  readonly playerCountry: string;
  readonly amountEurMinor: number;
  readonly card?: {
    readonly bin: string;
    readonly scheme: string;
    readonly issuerCountry: string;
    readonly funding?: string;
  };
  readonly player: Readonly<Record<PlayerAttribute, number | string | boolean>>;
  /** Segments that are true; the others are false. */
  readonly segments: readonly string[];
};

/** Payments as an operator sees them: a few countries and methods make most of the traffic, amounts are round and mostly small. */
export function makePayments(count: number, seed: number): readonly CorpusPayment[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => makePayment(random));
}

/** BINs of one run number all over the corpus, so that rules and payments meet. */
export function makeBin(index: number): string {
  return `${4 + (index % 2)}${String(10000 + ((index * 7919) % 90000))}${String(10 + (index % 90))}`;
}

function makePayment(random: Random): CorpusPayment {
  const playerCountry = random.pickSkewed(countryCodes);
  const method = random.chance(0.5) ? "card" : random.pickSkewed(methods);
  const isCard = method === "card" || method === "applepay";
  return {
    currency: random.chance(0.9) ? countries.get(playerCountry)! : random.pick(currencies),
    method,
    playerCountry,
    amountEurMinor: makeAmount(random),
    ...(isCard ? { card: makeCard(random, playerCountry) } : {}),
    player: makePlayer(random),
    segments: segmentIds.filter((_, i) => random.chance(0.9 / (i + 2))),
  };
}

function makeCard(random: Random, playerCountry: string) {
  const bin = makeBin(Math.floor((binCount + 1) ** random.next()) - 1);
  const scheme = bin.startsWith("4") ? "visa" : random.chance(0.9) ? "mastercard" : random.pick(schemes);
  const funding = random.chance(0.1) ? undefined : random.chance(0.65) ? "debit" : random.pick(fundings);
  const issuerCountry = random.chance(0.92) ? playerCountry : random.pickSkewed(countryCodes);
  return { bin, scheme, issuerCountry, ...(funding === undefined ? {} : { funding }) };
}

/** Seven in ten are amounts that a cashier offers; the rest is log-normal around EUR 40. */
function makeAmount(random: Random): number {
  if (random.chance(0.7)) {
    return random.pickSkewed([20, 50, 10, 100, 25, 30, 200, 15, 500, 1000, 2500]) * 100;
  }
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.max(100, Math.round(4000 * Math.exp(normal)));
}

function makePlayer(random: Random): CorpusPayment["player"] {
  return {
    deposits_30d: Math.floor(60 ** random.next()) - 1,
    deposit_count: Math.floor(2000 ** random.next()) - 1,
    account_days: Math.floor(3000 ** random.next()) - 1,
    failed_24h: Math.floor(8 ** random.next()) - 1,
    vip_level: random.chance(0.9) ? 0 : 1 + random.index(5),
    trust: Math.round(100 * random.next() ** 0.5),
    churn: Math.round(100 * random.next()) / 100,
    kyc_tier: random.pickSkewed(["full", "basic", "none", "enhanced"]),
    verified: random.chance(0.8),
  };
}

function makeBinLists(): ReadonlyMap<string, readonly string[]> {
  const random = createRandom(11);
  return new Map(
    Array.from({ length: 60 }, (_, i) => {
      const bins = Array.from({ length: 10 + random.index(40) }, () => makeBin(random.index(binCount)));
      const prefixes = new Set(bins.map((bin) => (random.chance(0.7) ? bin : bin.slice(0, 6))));
      return [`issuers_${i + 1}`, [...prefixes]];
    }),
  );
}
