import {
  binCount,
  binLists,
  countries,
  countryCodes,
  currencies,
  fundings,
  makeBin,
  methods,
  schemes,
  segmentIds,
} from "./payments.ts";
import { createRandom, type Random } from "./random.ts";

/** A part of a condition, for engines that do not read CEL. `name` is the CEL name of what it looks at. */
export type Atom =
  | { readonly kind: "oneOf"; readonly name: string; readonly values: readonly string[] }
  | { readonly kind: "notEqual"; readonly name: string; readonly value: string }
  | {
      readonly kind: "atLeast" | "below";
      readonly name: string;
      readonly type: "int" | "double";
      readonly bound: number;
    }
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "segment"; readonly id: string; readonly wanted: boolean }
  | { readonly kind: "inList"; readonly name: string; readonly list: string }
  /** Any of several conjunctions. */
  | { readonly kind: "any"; readonly choices: readonly (readonly Atom[])[] };

/** A rule: the conjunction of its atoms, also as CEL. Where `matchUnknown`, unknown counts as a match. */
export type CorpusRule = {
  readonly id: string;
  readonly class: "REGULATORY" | "RISK" | "SEGMENT";
  readonly reason: string;
  readonly atoms: readonly Atom[];
  readonly when: string;
  readonly matchUnknown: boolean;
};

/** The vocabulary of the corpus beside `player.<attribute>`, `segment` and `in_list`. */
export const names = {
  currency: "payment.currency",
  method: "payment.method",
  country: "payment.player_country",
  amount: 'payment.amount_in("EUR")',
  bin: "card.bin",
  scheme: "card.scheme",
  funding: "card.funding",
  issuerCountry: "card.issuer_country",
} as const;

/**
 * Rules as an operator that routes by country, method, issuer and player has them, in their total order; the first n of more rules are n
 * rules. What may be unknown (the card's fields) comes last in each condition, so that engines which stop at the first false seldom meet it.
 */
export function makeRules(count: number, seed: number): readonly CorpusRule[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => makeRule(random, i));
}

/** Writes atoms as a CEL conjunction. */
function writeCel(atoms: readonly Atom[]): string {
  return atoms.map(writeAtom).join(" && ");
}

type Shape = {
  readonly weight: number;
  readonly class: CorpusRule["class"];
  readonly reason: string;
  readonly matchUnknown?: boolean;
  readonly make: (random: Random) => readonly Atom[];
};

const shapes: readonly Shape[] = [
  {
    weight: 26,
    class: "SEGMENT",
    reason: "ROUTE_COUNTRY_METHOD",
    make: (random) => [country(random), method(random), ...amountBand(random)],
  },
  {
    weight: 14,
    class: "SEGMENT",
    reason: "ROUTE_CARD",
    make: (random) => [
      country(random),
      ...amountBand(random).slice(0, random.index(3)),
      oneOf(names.scheme, [random.pick(schemes)]),
      oneOf(names.funding, [random.pick(fundings)]),
    ],
  },
  {
    weight: 14,
    class: "RISK",
    reason: "ISSUER_LIST",
    make: (random) => [
      atom(random.pick(["atLeast", "below"]), names.amount, random.pick(amounts)),
      ...(random.chance(0.8) ? [currency(random)] : [atLeast(random, "failed_24h", 5)]),
      { kind: "inList", name: names.bin, list: random.pick([...binLists.keys()]) },
    ],
  },
  {
    weight: 5,
    class: "SEGMENT",
    reason: "ROUTE_BIN",
    make: (random) => [
      ...(random.chance(0.5) ? [method(random)] : []),
      oneOf(
        names.bin,
        random.pickSome(
          Array.from({ length: 8 }, () => makeBin(random.index(binCount))),
          1 + random.index(6),
        ),
      ),
    ],
  },
  {
    weight: 16,
    class: "RISK",
    reason: "PLAYER_BEHAVIOUR",
    make: (random) => [
      country(random),
      atLeast(random, "failed_24h", 6),
      {
        kind: "below",
        name: "player.trust",
        type: "double",
        bound: random.index(100) + random.pick([0, 0.5]),
      },
      ...(random.chance(0.5) ? [atLeast(random, "deposits_30d", 50)] : []),
      ...(random.chance(0.3) ? [{ kind: "flag", name: "player.verified" } as const] : []),
    ],
  },
  {
    weight: 15,
    class: "SEGMENT",
    reason: "ROUTE_SEGMENT",
    make: (random) => [
      { kind: "segment", id: random.pick(segmentIds), wanted: true },
      ...(random.chance(0.3)
        ? [{ kind: "segment", id: random.pick(segmentIds), wanted: false } as const]
        : []),
      random.chance(0.5) ? country(random) : currency(random),
      method(random),
    ],
  },
  {
    weight: 4,
    class: "RISK",
    reason: "FOREIGN_ISSUER",
    make: (random) => [
      { kind: "notEqual", name: names.country, value: random.pickSkewed(countryCodes) },
      atom("atLeast", names.amount, random.pick(amounts)),
      { kind: "oneOf", name: "player.kyc_tier", values: random.pickSome(["none", "basic", "enhanced"], 2) },
      oneOf(names.issuerCountry, [random.pick(countryCodes)]),
    ],
  },
  {
    weight: 3,
    class: "RISK",
    reason: "EITHER_WAY",
    make: (random) => [
      country(random),
      {
        kind: "any",
        choices: [[method(random), ...amountBand(random)], [atLeast(random, "deposit_count", 1500)]],
      },
    ],
  },
  {
    weight: 3,
    class: "REGULATORY",
    reason: "CREDIT_BAN",
    matchUnknown: true,
    make: (random) => [country(random), method(random), oneOf(names.funding, ["credit"])],
  },
];

const amounts = [500, 1000, 2000, 2500, 5000, 10000, 15000, 20000, 25000, 50000, 75000, 100000, 200000];

function makeRule(random: Random, index: number): CorpusRule {
  let left = random.next() * shapes.reduce((sum, shape) => sum + shape.weight, 0);
  const shape = shapes.find(({ weight }) => {
    left -= weight;
    return left < 0;
  })!;
  const atoms = shape.make(random);
  return {
    id: `rule-${String(index + 1).padStart(5, "0")}`,
    class: shape.class,
    reason: shape.reason,
    atoms,
    when: writeCel(atoms),
    matchUnknown: shape.matchUnknown ?? false,
  };
}

function oneOf(name: string, values: readonly string[]): Atom {
  return { kind: "oneOf", name, values };
}

function atom(kind: "atLeast" | "below", name: string, bound: number): Atom {
  return { kind, name, type: "int", bound };
}

/** One country mostly, sometimes a region. Rules are written for small markets too, so they are less skewed than traffic. */
function country(random: Random): Atom {
  return oneOf(
    names.country,
    random.chance(0.75) ? [random.pick(countryCodes)] : random.pickSome(countryCodes, 5),
  );
}

function currency(random: Random): Atom {
  return random.chance(0.9)
    ? oneOf(names.currency, [random.pick(currencies)])
    : oneOf(names.currency, [countries.get(random.pickSkewed(countryCodes))!]);
}

function method(random: Random): Atom {
  return oneOf(names.method, random.chance(0.8) ? [random.pick(methods)] : random.pickSome(methods, 3));
}

/** A band between two amounts, a few of them in odd cents. */
function amountBand(random: Random): readonly Atom[] {
  const low = random.index(amounts.length - 1);
  const high = low + 1 + random.index(Math.min(3, amounts.length - 1 - low));
  const odd = random.chance(0.1) ? random.index(500) : 0;
  return [atom("atLeast", names.amount, amounts[low]!), atom("below", names.amount, amounts[high]! + odd)];
}

function atLeast(random: Random, attribute: string, below: number): Atom {
  return atom("atLeast", `player.${attribute}`, 1 + random.index(below));
}

function writeAtom(part: Atom): string {
  switch (part.kind) {
    case "oneOf": {
      const values = part.values.map((value) => JSON.stringify(value));
      return values.length === 1 ? `${part.name} == ${values[0]}` : `${part.name} in [${values.join(", ")}]`;
    }
    case "notEqual":
      return `${part.name} != ${JSON.stringify(part.value)}`;
    case "atLeast":
    case "below":
      return `${part.name} ${part.kind === "below" ? "<" : ">="} ${writeBound(part)}`;
    case "flag":
      return part.name;
    case "segment":
      return `${part.wanted ? "" : "!"}segment(${JSON.stringify(part.id)})`;
    case "inList":
      return `in_list(${part.name}, ${JSON.stringify(part.list)})`;
    case "any":
      return `(${part.choices.map((choice) => (choice.length === 1 ? writeCel(choice) : `(${writeCel(choice)})`)).join(" || ")})`;
  }
}

function writeBound({ type, bound }: { readonly type: "int" | "double"; readonly bound: number }): string {
  return type === "double" && Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
