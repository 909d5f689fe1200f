/**
 * Random rule sets as documents, and random payments that they may match: every kind of fact, lists, segments that read segments. Values are
 * few, so that conditions and payments meet.
 */
import fc from "fast-check";
import type { BinFacts } from "../../src/core/bin/bin-table.ts";
import type { FactInput } from "../../src/core/facts.ts";
import type { AttributeInput, Card, Payment } from "../../src/core/payment.ts";
import type { Player, StoredAttribute } from "../../src/core/player.ts";
import { arbitraryOutcomes, type OutcomeSections } from "./arbitrary-outcomes.ts";
import { testNowMs } from "./compile.ts";

export type RandomRule = {
  readonly id: string;
  readonly class: "REGULATORY" | "SAFER_GAMBLING" | "RISK" | "EXPERIMENT" | "SEGMENT";
  readonly priority: number;
  /** Absent where it is always true. */
  readonly when?: string;
  readonly on_unknown?: "APPLY" | "SKIP";
};

export type RandomRuleSet = {
  readonly segments: readonly { readonly id: string; readonly when: string }[];
  readonly rules: readonly RandomRule[];
  readonly outcomes: OutcomeSections;
};

/** Lists that every random rule set declares. */
export const lists = [
  { id: "nordics", kind: "STRING", values: ["SE", "NO", "DK"] },
  { id: "odd-words", kind: "STRING", values: ["a b", '"', "\u{1f600}", "__proto__", "card"] },
  { id: "bins-short", kind: "BIN", values: ["457104", "400000"] },
  { id: "bins-long", kind: "BIN", values: ["45710435", "4000001", "510510"] },
] as const;

const brands: ReadonlyMap<string, string> = new Map([
  ["aurora", "MT"],
  ["crown", "GB"],
]);

/** Major units of EUR per major unit, and the exponents of all currencies that payments have. */
export const ratesToEur: ReadonlyMap<string, string> = new Map([
  ["GBP", "1.1520"],
  ["SEK", "0.0915"],
  ["JPY", "0.0061"],
]);

/** Attributes that every random rule set declares, by how conditions name them. */
export const attributes = {
  "attr.channel": { type: "STRING", values: ["web", "ios"] },
  "attr.note": { type: "STRING" },
  "attr.count": { type: "INT" },
  "attr.score": { type: "DOUBLE" },
  "attr.flag": { type: "BOOL" },
  "attr.at": { type: "TIMESTAMP" },
  "attr.labels": { type: "STRING_LIST" },
  "player.tier": { type: "STRING", values: ["none", "gold"] },
  "player.deposits": { type: "INT" },
  "player.trust": { type: "DOUBLE" },
  "player.verified": { type: "BOOL" },
  "player.seen_at": { type: "TIMESTAMP" },
  "player.tags": { type: "STRING_LIST" },
} as const;

const dayMs = 86_400_000;
const countries = ["DE", "GB", "SE", "BR"];
// No U+E000 to U+FFFF beside the astral one: CEL orders by code point, its evaluator by UTF-16 unit.
const words = ["card", "a b", '"', "\u{1f600}", "__proto__", ""];
const bins = ["457104", "4571043", "45710435", "45710499", "400000", "40000012", "510510", "555555"];
/** So many that each stands in few rules: the index keeps the rows of such values sparse. */
const devices = Array.from({ length: 150 }, (_, number) => `device-${number}`);
const currencies = ["EUR", "GBP", "SEK", "JPY", "USD"];
const bounds = [0, 1, 2, 5, 100, 4_999, 5_000, 5_001, 20_000];
/** More thresholds than the index has bounds for, and amounts between them. */
const oddAmounts = fc.integer({ min: 1, max: 500 });
const halves = [0, 0.5, 1, 30, 30.5, 99.5, 100];
const instants = [-90, -30, -7, -1, 0, 1, 400].map((days) => testNowMs + days * dayMs);

const texts: Readonly<Record<string, readonly string[]>> = {
  "payment.method": ["card", "applepay", "pix", "sepa"],
  "payment.currency": currencies,
  "payment.brand": ["aurora", "crown", "polar"],
  "payment.player_country": countries,
  "payment.ip_country": countries,
  "payment.initiator": ["CIT", "MIT"],
  "payment.device_id": devices,
  "card.bin": bins,
  "card.scheme": ["visa", "mastercard"],
  "card.funding": ["credit", "debit", "prepaid"],
  "card.issuer_country": countries,
  "card.table_funding": ["credit", "debit"],
  "player.kyc_country": countries,
  "player.tier": ["none", "gold"],
  "attr.channel": ["web", "ios"],
  "attr.note": words,
};
const ints = ['payment.amount_in("EUR")', "attr.count", "player.deposits", "player.age", "payment.revision"];
const doubles = ["payment.trust_score", "attr.score", "player.trust"];
const moments = ["player.registered_at", "player.seen_at", "attr.at", "now"];
const flags = ["attr.flag", "player.verified", "card.prepaid"];
const textLists: Readonly<Record<string, readonly string[]>> = {
  "payment.risk_signals": ["proxy", "velocity"],
  "context.jurisdictions": ["DE", "GB", "MT"],
  "player.tags": ["vip", "card", ""],
  "attr.labels": words,
};
const zones = ["UTC", "Europe/Stockholm", "America/Sao_Paulo"];
const maybeMissing = [
  ...Object.keys(texts),
  ...doubles,
  ...flags,
  "player.registered_at",
  "attr.count",
].filter((path) => !["payment.currency", "payment.brand", "payment.initiator"].includes(path));

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const quoted = (value: string): string => JSON.stringify(value);
const quotedAll = (values: readonly string[]): string => `[${values.map(quoted).join(", ")}]`;
const decimal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));
const order = oneOf(["<", "<=", ">", ">=", "==", "!="]);
const bound = oneOf(bounds);

const textTest: fc.Arbitrary<string> = oneOf(Object.keys(texts)).chain((name) => {
  const values = texts[name]!;
  const value = oneOf(values).map(quoted);
  const some = fc.uniqueArray(oneOf(values), { minLength: 1, maxLength: 3 }).map(quotedAll);
  return fc.oneof(
    { weight: 4, arbitrary: value.map((v) => `${name} == ${v}`) },
    { weight: 3, arbitrary: some.map((list) => `${name} in ${list}`) },
    value.map((v) => `${name} != ${v}`),
    some.map((list) => `!(${name} in ${list})`),
    fc.tuple(oneOf(["startsWith", "endsWith", "contains"]), value).map(([how, v]) => `${name}.${how}(${v})`),
    oneOf(["^[45]", "a", "^$", "[A-Z]{2}$"]).map((pattern) => `${name}.matches(${quoted(pattern)})`),
    fc.tuple(order, value).map(([how, v]) => `${name} ${how} ${v}`),
    oneOf([0, 1, 4]).map((size) => `size(${name}) > ${size}`),
  );
});

const listTest: fc.Arbitrary<string> = fc.oneof(
  oneOf(["bins-short", "bins-long"]).map((id) => `in_list(card.bin, ${quoted(id)})`),
  fc
    .tuple(oneOf(["payment.player_country", "payment.ip_country", "card.issuer_country"]), fc.boolean())
    .map(([name, plain]) => (plain ? `in_list(${name}, "nordics")` : `${name} in list("nordics")`)),
  oneOf(["attr.note", "payment.method"]).map((name) => `in_list(${name}, "odd-words")`),
);

const countries2 = oneOf(["payment.player_country", "payment.ip_country", "card.issuer_country"]);

const numberTest: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(oneOf(ints), order, bound).map((parts) => parts.join(" ")) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(order, oddAmounts)
      .map(([how, amount]) => `payment.amount_in("EUR") ${how} ${amount}`),
  },
  fc
    .tuple(oneOf(ints), bound, bound)
    .map(([name, a, b]) => `between(${name}, ${Math.min(a, b)}, ${Math.max(a, b)})`),
  fc
    .tuple(oneOf(ints), fc.uniqueArray(bound, { minLength: 1, maxLength: 4 }))
    .map(([name, values]) => `${name} in [${values.join(", ")}]`),
  {
    weight: 3,
    arbitrary: fc
      .tuple(oneOf(doubles), order, oneOf(halves))
      .map(([a, how, b]) => `${a} ${how} ${decimal(b)}`),
  },
  fc.tuple(oneOf(doubles), order, bound).map((parts) => parts.join(" ")),
  fc.tuple(oneOf(ints), order, oneOf(halves)).map(([a, how, b]) => `${a} ${how} ${decimal(b)}`),
  // Division by zero and overflow are errors, which read as unknown.
  fc
    .tuple(oneOf(ints), oneOf(["/", "%"]), oneOf(ints), bound)
    .map(([a, op, b, c]) => `${a} ${op} ${b} >= ${c}`),
  // Beyond 2^53 and beyond 2^63 alike, where CEL itself overflows.
  fc.tuple(oneOf(ints), bound).map(([a, b]) => `${a} * 9007199254740000 * 9007199254740000 < ${b}`),
  fc
    .tuple(oneOf(currencies), order, bound)
    .map(([code, how, c]) => `(payment.currency == "${code}" && payment.amount_minor ${how} ${c})`),
);

const timeTest: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(oneOf(["within", "silent"]), oneOf(moments.slice(0, 3)), oneOf([1, 7, 30]))
    .map(([how, name, days]) => `${how}(${name}, days(${days}))`),
  fc
    .tuple(oneOf(moments), order, oneOf(instants))
    .map(([name, how, at]) => `${name} ${how} timestamp("${new Date(at).toISOString()}")`),
  fc
    .tuple(oneOf(moments.slice(0, 3)), oneOf(["1h", "168h"]))
    .map(([name, span]) => `now - ${name} >= duration("${span}")`),
  fc
    .tuple(oneOf(moments), oneOf(zones), order, oneOf([0, 7, 12, 23]))
    .map(([at, zone, how, hour]) => `local_hour(${at}, "${zone}") ${how} ${hour}`),
  fc
    .tuple(oneOf(moments), oneOf(zones), oneOf([1, 5, 7]))
    .map(([at, zone, day]) => `local_weekday(${at}, "${zone}") in [${day}, 4]`),
);

const setTest: fc.Arbitrary<string> = oneOf(Object.keys(textLists)).chain((name) => {
  const value = oneOf(textLists[name]!).map(quoted);
  const some = fc.uniqueArray(oneOf(textLists[name]!), { minLength: 1, maxLength: 2 }).map(quotedAll);
  return fc.oneof(
    { weight: 3, arbitrary: value.map((v) => `${v} in ${name}`) },
    some.map((list) => `${name}.exists(s, s in ${list})`),
    some.map((list) => `${name}.all(s, s in ${list})`),
    oneOf([0, 1]).map((size) => `${name}.size() > ${size}`),
    value.map((v) => `${name}.exists(s, s == payment.player_country || s == ${v})`),
  );
});

const otherTest: fc.Arbitrary<string> = fc.oneof(
  oneOf(flags),
  oneOf(flags).map((name) => `!${name}`),
  oneOf(maybeMissing).map((name) => `has(${name})`),
  oneOf(maybeMissing).map((name) => `!has(${name})`),
  fc.tuple(countries2, oneOf(["==", "!="]), countries2).map((parts) => parts.join(" ")),
  oneOf(["10.0.0.0/8", "2001:db8::/32", "192.168.1.0/24"]).map((prefix) => `cidr(payment.ip, "${prefix}")`),
);

/** A condition that may name the segments so far. */
function arbitraryCondition(segments: readonly string[]): fc.Arbitrary<string> {
  const membership =
    segments.length === 0
      ? []
      : [
          {
            weight: 3,
            arbitrary: fc
              .tuple(oneOf(["", "", "!"]), oneOf(segments))
              .map(([not, id]) => `${not}segment(${quoted(id)})`),
          },
        ];
  const test: fc.Arbitrary<string> = fc.oneof(
    { weight: 7, arbitrary: textTest },
    { weight: 3, arbitrary: listTest },
    { weight: 6, arbitrary: numberTest },
    { weight: 2, arbitrary: timeTest },
    { weight: 2, arbitrary: setTest },
    { weight: 3, arbitrary: otherTest },
    ...membership,
  );
  const all = fc.array(test, { minLength: 1, maxLength: 4, size: "max" }).map((tests) => tests.join(" && "));
  return fc.oneof(
    { weight: 6, arbitrary: all },
    { weight: 2, arbitrary: fc.tuple(all, all).map(([a, b]) => `${a} || ${b}`) },
    fc.tuple(test, all, test).map(([a, b, c]) => `${a} && (${b} || ${c})`),
    all.map((inner) => `!(${inner})`),
    fc.tuple(test, test, all).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(all, all).map(([a, b]) => `(${a}) == (${b})`),
  );
}

/** Ids whose order is not the order in which segments read each other. */
const segmentIds = ["m", "c", "x", "a", "q", "b", "z", "k", "d", "s"];

/** Up to ten segments, of which each may read all before it. */
const arbitraryChain: fc.Arbitrary<RandomRuleSet["segments"]> = fc
  .integer({ min: 0, max: segmentIds.length })
  .chain((count) =>
    fc.tuple(
      ...segmentIds
        .slice(0, count)
        .map((id, place) => arbitraryCondition(segmentIds.slice(0, place)).map((when) => ({ id, when }))),
    ),
  );

/** So many segments that they are indexed: those of a ground floor, and as many that each read one of them. */
const arbitraryFloors: fc.Arbitrary<RandomRuleSet["segments"]> = fc
  .array(fc.record({ below: arbitraryCondition([]), above: arbitraryCondition([]), not: fc.boolean() }), {
    minLength: 80,
    maxLength: 100,
    size: "max",
  })
  .map((pairs) =>
    pairs.flatMap(({ below, above, not }, number) => [
      { id: `z${number}`, when: below },
      { id: `a${number}`, when: `${not ? "!" : ""}segment("z${number}") && (${above})` },
    ]),
  );

/** Rules of classes 1 and 2 read no segment that believes the caller's funding. */
function readStrictly(segments: RandomRuleSet["segments"]): RandomRuleSet["segments"] {
  return segments.map(({ id, when }) => ({
    id,
    when: when.replaceAll("card.funding", "card.funding_strict"),
  }));
}

function shuffle<T>(parts: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...parts], { minLength: parts.length });
}

type RuleCount = { readonly minLength: number; readonly maxLength: number };

function arbitraryRules(segments: readonly string[], count: RuleCount): fc.Arbitrary<readonly RandomRule[]> {
  const rule = fc.record({
    class: oneOf(["REGULATORY", "SAFER_GAMBLING", "RISK", "EXPERIMENT", "SEGMENT"] as const),
    priority: fc.integer({ min: -2, max: 2 }),
    when: fc.option(arbitraryCondition(segments), { nil: undefined, freq: 20 }),
    isApplied: fc.boolean(),
    prefix: oneOf(["a", "B", "rule-"]),
  });
  return fc.array(rule, { ...count, size: "max" }).map((rules) =>
    rules.map(({ prefix, isApplied, when, ...rest }, number) => ({
      id: `${prefix}${number}`,
      ...rest,
      ...(when !== undefined && { when }),
      ...(mayApply.has(rest.class) && { on_unknown: isApplied ? ("APPLY" as const) : ("SKIP" as const) }),
    })),
  );
}

/** Classes that may match on unknown. */
const mayApply: ReadonlySet<string> = new Set(["REGULATORY", "SAFER_GAMBLING", "RISK"]);

/** Random rule sets of up to 80 rules; conditions may be such that a push refuses them because they never hold. */
export const arbitraryRuleSet: fc.Arbitrary<RandomRuleSet> = withRules(arbitraryChain, {
  minLength: 1,
  maxLength: 80,
});

/** Random rule sets of about a thousand rules and two hundred segments. */
export const arbitraryLargeRuleSet: fc.Arbitrary<RandomRuleSet> = withRules(arbitraryFloors, {
  minLength: 900,
  maxLength: 1_100,
});

function withRules(
  segments: fc.Arbitrary<RandomRuleSet["segments"]>,
  count: RuleCount,
): fc.Arbitrary<RandomRuleSet> {
  return segments
    .map(readStrictly)
    .chain(shuffle)
    .chain((shuffled) => {
      const ids = shuffled.map(({ id }) => id);
      return fc
        .tuple(arbitraryRules(ids, count), arbitraryOutcomes({ segments: ids, psps: ["one"] }))
        .map(([rules, outcomes]) => ({ segments: shuffled, rules, outcomes }));
    });
}

/** The document of a random rule set; JSON, so YAML too. */
export function writeDocument({ segments, rules, outcomes }: RandomRuleSet): object {
  return {
    name: "random",
    ...outcomes.sections,
    psps: [{ ...outcomes.conduct, id: "one", methods: ["card"] }],
    brands: [...brands].map(([id, licence]) => ({ id, licence })),
    lists,
    attributes: Object.entries(attributes).map(([path, info]) => ({
      name: path.slice(path.indexOf(".") + 1),
      subject: path.startsWith("attr.") ? "PAYMENT" : "PLAYER",
      ...info,
    })),
    fx_rates: [...ratesToEur].map(([from, rate]) => ({ from, to: "EUR", rate })),
    segments,
    rules: rules.map((rule) => ({
      ...rule,
      // Exclusions add up, so no rule makes another unreachable.
      effects: { exclude_psps: ["one"] },
    })),
  };
}

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 5 });

/** A record without the fields that have no value. */
function sparse<T extends object>(fields: { [K in keyof T]-?: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields as { [K in keyof T]: fc.Arbitrary<T[K]> }, { requiredKeys: [] }) as fc.Arbitrary<T>;
}

const someOf = (values: readonly string[]) => fc.subarray([...values], { minLength: 0, maxLength: 2 });

const arbitraryCard: fc.Arbitrary<Card> = sparse<
  Pick<Required<Card>, "bin" | "scheme" | "funding" | "issuerCountry">
>({
  bin: oneOf(bins),
  scheme: oneOf(["visa", "mastercard"]),
  funding: oneOf(["credit", "debit", "prepaid", "charge"]),
  issuerCountry: oneOf(countries),
});

const arbitraryAttributes: fc.Arbitrary<ReadonlyMap<string, AttributeInput>> = sparse<
  Record<string, AttributeInput>
>({
  channel: oneOf(["web", "ios"]),
  note: oneOf(words),
  count: bound,
  score: oneOf(halves),
  flag: fc.boolean(),
  at: oneOf(instants).map((at) => new Date(at).toISOString()),
  labels: someOf(words),
}).map((values) => new Map(Object.entries(values)));

const arbitraryStored = (value: fc.Arbitrary<StoredAttribute["value"]>): fc.Arbitrary<StoredAttribute> =>
  fc.tuple(value, oneOf([undefined, undefined, dayMs, 2 * dayMs])).map(([stored, ttlMs]) => ({
    value: stored,
    // Set a day ago: one TTL has just passed, the other has not.
    setAtMs: testNowMs - dayMs,
    ...(ttlMs !== undefined && { ttlMs }),
    source: "test",
  }));

const arbitraryPlayer: fc.Arbitrary<Player> = sparse<Record<string, StoredAttribute>>({
  kyc_country: arbitraryStored(oneOf(countries)),
  registered_at: arbitraryStored(oneOf(instants)),
  birth_date: arbitraryStored(oneOf([Date.UTC(2008, 0, 1), Date.UTC(2008, 0, 2), Date.UTC(1980, 5, 9)])),
  tier: arbitraryStored(oneOf(["none", "gold"])),
  // A value of a type that an older rule set declared is unknown.
  deposits: arbitraryStored(fc.oneof({ weight: 5, arbitrary: bound }, fc.constant("5"))),
  trust: arbitraryStored(oneOf(halves)),
  verified: arbitraryStored(fc.boolean()),
  seen_at: arbitraryStored(oneOf(instants)),
  tags: arbitraryStored(someOf(["vip", "card", ""])),
}).map((values) => ({ playerId: "player", attributes: new Map(Object.entries(values)), restrictions: [] }));

const arbitraryPayment: fc.Arbitrary<Payment> = fc
  .record({
    known: sparse<
      Pick<
        Required<Payment>,
        "amountMinor" | "method" | "playerCountry" | "ipCountry" | "deviceId" | "ip" | "trustScore"
      >
    >({
      amountMinor: fc.oneof(oddAmounts, oneOf(bounds.map((value) => Math.max(1, value)))),
      method: oneOf(texts["payment.method"]!),
      playerCountry: oneOf([...countries, "NO"]),
      ipCountry: oneOf(countries),
      deviceId: oneOf(devices),
      ip: oneOf(["10.1.2.3", "192.168.1.7", "2001:db8::7", "not an address"]),
      trustScore: oneOf(halves),
    }),
    card: maybe(arbitraryCard),
    brand: oneOf(["aurora", "crown", "polar", ""]),
    currency: oneOf(currencies),
    initiator: oneOf(["CIT", "MIT"] as const),
    revision: oneOf([0, 1, 2]),
    riskSignals: someOf(["proxy", "velocity"]),
    attributes: arbitraryAttributes,
  })
  .map(({ known, card, ...rest }) => ({
    requestId: "request",
    merchantId: "merchant",
    paymentId: "payment",
    playerId: "player",
    kind: "deposit",
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
    ...rest,
    ...known,
    ...(card && { card }),
  }));

const arbitraryBinFacts: fc.Arbitrary<BinFacts> = fc.record({
  scheme: maybe(oneOf(["visa", "mastercard"])),
  brand: fc.constant(undefined),
  funding: maybe(oneOf(["credit", "debit"] as const)),
  prepaid: maybe(fc.boolean()),
  issuer: fc.constant(undefined),
  issuerCountry: maybe(oneOf(countries)),
});

/** Random payments with all that is known around them. */
export const arbitraryFactInput: fc.Arbitrary<FactInput> = fc
  .record({
    payment: arbitraryPayment,
    player: arbitraryPlayer,
    bin: arbitraryBinFacts,
    nowMs: oneOf([testNowMs, testNowMs + 7.5 * 3_600_000]),
  })
  .map((input) => ({ ...input, licence: brands.get(input.payment.brand) }));
