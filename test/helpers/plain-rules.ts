/**
 * What a rule set means, read plainly: facts as `SEMANTICS.md` names them, every condition by CEL's own evaluator, our functions written out.
 * Slow and simple; whatever is compiled is held against it.
 */

import { BlockList, isIP } from "node:net";
import {
  type CelInput,
  type CelMap,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celList,
  celMap,
  celMethod,
  isCelError,
  mapType,
  parse,
  plan,
} from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { FactInput } from "../../src/core/facts.ts";
import { attributes, lists, type RandomRuleSet, ratesToEur } from "./arbitrary-rule-set.ts";

/** True, false, or undefined for unknown: an error of CEL is unknown. */
export type Truth = boolean | undefined;

export type PlainAnswer = {
  readonly segments: ReadonlyMap<string, Truth>;
  /** The truth of each rule's condition, in the order of the rules given. */
  readonly rules: readonly Truth[];
};

/** Plans every condition of a rule set once; the function judges all of them, one by one. */
export function readPlainly({ segments, rules }: RandomRuleSet): (input: FactInput) => PlainAnswer {
  let current: { readonly input: FactInput; readonly segments: Map<string, Truth> };
  const environment = createEnvironment({
    nowMs: () => current.input.nowMs,
    payment: () => current.input.payment,
    isMember: (id) => judgeSegment(id),
  });
  const planAll = (text: string) => plan(environment, parse(text));
  const plannedSegments = new Map(segments.map(({ id, when }) => [id, planAll(when)]));
  const plannedRules = rules.map(({ when, class: ruleClass }) => ({
    judge: when === undefined ? undefined : planAll(when),
    isStrict: ruleClass === "REGULATORY" || ruleClass === "SAFER_GAMBLING",
  }));
  const judgeSegment = (id: string): Truth => {
    if (!current.segments.has(id)) {
      const planned = plannedSegments.get(id);
      if (planned === undefined) throw new Error(`no segment ${id}`);
      current.segments.set(id, toTruth(planned(bindFacts(current.input, false))));
    }
    return current.segments.get(id);
  };
  return (input) => {
    current = { input, segments: new Map() };
    for (const { id } of segments) judgeSegment(id);
    const plain = bindFacts(input, false);
    const strict = bindFacts(input, true);
    return {
      segments: current.segments,
      rules: plannedRules.map(({ judge, isStrict }) =>
        judge === undefined ? true : toTruth(judge(isStrict ? strict : plain)),
      ),
    };
  };
}

function toTruth(result: unknown): Truth {
  if (isCelError(result)) {
    // A missing value or a failing operation is what unknown means; conditions that are checked never fail for a type.
    if (/overload|no such function/i.test(result.message)) throw result;
    return undefined;
  }
  if (typeof result !== "boolean") throw new Error(`a condition gave ${String(result)}`);
  return result;
}

type Surroundings = {
  readonly nowMs: () => number;
  readonly payment: () => FactInput["payment"];
  readonly isMember: (segment: string) => Truth;
};

function createEnvironment({ nowMs, payment, isMember }: Surroundings) {
  const { BOOL, DYN, INT, STRING } = CelScalar;
  const facts = mapType(STRING, DYN);
  return celEnv({
    variables: { payment: facts, card: facts, player: facts, context: facts, attr: facts, now: DYN },
    funcs: [
      celFunc(
        "within",
        [DYN, DYN],
        BOOL,
        (at, span) => nowMs() - toMs(span) < toMs(at) && toMs(at) <= nowMs(),
      ),
      celFunc("silent", [DYN, DYN], BOOL, (at, span) => nowMs() - toMs(at) >= toMs(span)),
      celFunc(
        "between",
        [DYN, DYN, DYN],
        BOOL,
        (x, low, high) => toNumber(x) >= toNumber(low) && toNumber(x) <= toNumber(high),
      ),
      celFunc("days", [INT], DYN, (count) => create(DurationSchema, { seconds: count * 86_400n })),
      celFunc("local_hour", [DYN, STRING], INT, (at, zone) => BigInt(toLocal(at, zone).hour)),
      celFunc("local_weekday", [DYN, STRING], INT, (at, zone) => BigInt(toLocal(at, zone).dayOfWeek)),
      celFunc("cidr", [STRING, STRING], BOOL, isInNetwork),
      celFunc("list", [STRING], DYN, (id) => celList([...findList(id).values])),
      celFunc("in_list", [STRING, STRING], BOOL, isInList),
      celFunc("segment", [STRING], BOOL, (id) => known(isMember(id), "segment")),
      celMethod("amount_in", DYN, [STRING], INT, (to) => known(convertAmount(payment(), to), "amount")),
    ],
  });
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`unknown ${what}`);
  return value;
}

function findList(id: string): (typeof lists)[number] {
  return known(
    lists.find((list) => list.id === id),
    "list",
  );
}

function isInList(value: string, id: string): boolean {
  const { kind, values } = findList(id);
  return values.some((member) => (kind === "BIN" ? value.startsWith(member) : value === member));
}

function isInNetwork(address: string, prefix: string): boolean {
  const family = isIP(address);
  if (family === 0) throw new Error("no address");
  const [network = "", length = ""] = prefix.split("/");
  const block = new BlockList();
  block.addSubnet(network, Number(length), isIP(network) === 4 ? "ipv4" : "ipv6");
  return block.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Decimal places of minor units. */
const exponents: Readonly<Record<string, number>> = { EUR: 2, GBP: 2, SEK: 2, USD: 2, JPY: 0 };

/** Half up to whole minor units, by the rate of the pair or the inverse of the opposite one. */
function convertAmount({ amountMinor, currency }: FactInput["payment"], to: string): bigint | undefined {
  if (amountMinor === undefined) return undefined;
  if (currency === to) return BigInt(amountMinor);
  const rate = ratesToEur.get(currency);
  if (to !== "EUR" || rate === undefined) return undefined;
  const [whole = "", decimals = ""] = rate.split(".");
  const top = BigInt(amountMinor) * BigInt(whole + decimals) * 10n ** BigInt(exponents[to]!);
  const bottom = 10n ** BigInt(decimals.length + exponents[currency]!);
  return (2n * top + bottom) / (2n * bottom);
}

function toLocal(at: CelValue, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(toMs(at)).toZonedDateTimeISO(zone);
}

/** Milliseconds of a timestamp or a duration. */
function toMs(value: CelValue): number {
  const { seconds, nanos } = (
    value as unknown as { readonly message: { readonly seconds: bigint; readonly nanos: number } }
  ).message;
  return Number(seconds) * 1000 + nanos / 1_000_000;
}

function toNumber(value: CelValue): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw new Error("no such overload");
}

function toTimestamp(ms: number): CelInput {
  const seconds = Math.floor(ms / 1000);
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 });
}

type Fields = Record<string, CelInput | undefined>;
type Root = "payment" | "card" | "player" | "context" | "attr";

/** Facts as CEL takes them: a map per root, without what is unknown. `isStrict` is how classes 1 and 2 see `card.funding`. */
function bindFacts(input: FactInput, isStrict: boolean) {
  const { payment, bin, licence, nowMs } = input;
  const card = payment.card ?? {};
  const stored = readStored(input);
  const home = stored("kyc_country") ?? payment.playerCountry;
  const known = [...new Set([home, licence])].filter((country) => country !== undefined) as string[];
  // Without a country of the player nobody can say whose law does not hold.
  const jurisdictions = home === undefined ? undefined : known;
  const isCredit = card.funding === "credit" || bin.funding === "credit";
  const facts: { readonly [root in Root]: Fields } = {
    payment: {
      method: payment.method,
      currency: payment.currency,
      amount_minor: payment.amountMinor === undefined ? undefined : BigInt(payment.amountMinor),
      brand: payment.brand === "" ? undefined : payment.brand,
      player_country: payment.playerCountry,
      ip_country: payment.ipCountry,
      device_id: payment.deviceId,
      ip: payment.ip,
      initiator: payment.initiator,
      trust_score: payment.trustScore,
      risk_signals: celList([...payment.riskSignals]),
      revision: BigInt(payment.revision),
    },
    card: {
      bin: card.bin,
      scheme: card.scheme ?? bin.scheme,
      funding: isStrict && isCredit ? "credit" : (card.funding ?? bin.funding),
      funding_strict: isCredit ? "credit" : (card.funding ?? bin.funding),
      issuer_country: card.issuerCountry ?? bin.issuerCountry,
      table_funding: bin.funding,
      prepaid: bin.prepaid,
    },
    player: {
      kyc_country: stored("kyc_country") as CelInput | undefined,
      age: ageAt(stored("birth_date"), nowMs),
    },
    context: { jurisdictions: jurisdictions && celList(jurisdictions) },
    attr: {},
  };
  const registeredAt = stored("registered_at");
  if (typeof registeredAt === "number") facts.player.registered_at = toTimestamp(registeredAt);
  for (const [path, { type }] of Object.entries(attributes)) {
    const [root = "", name = ""] = path.split(".");
    const value = root === "attr" ? payment.attributes.get(name) : stored(name);
    facts[root as Root][name] = value === undefined ? undefined : bindAttribute(value, type);
  }
  return {
    payment: bindRoot(facts.payment),
    card: bindRoot(facts.card),
    player: bindRoot(facts.player),
    context: bindRoot(facts.context),
    attr: bindRoot(facts.attr),
    now: toTimestamp(nowMs),
  };
}

function bindRoot(fields: Fields): CelMap {
  return celMap(
    new Map(Object.entries(fields).filter((entry): entry is [string, CelInput] => entry[1] !== undefined)),
  );
}

type Stored = boolean | number | string | readonly string[];

function readStored({ player, nowMs }: FactInput): (name: string) => Stored | undefined {
  return (name) => {
    const { value, setAtMs = 0, ttlMs } = player.attributes.get(name) ?? {};
    return ttlMs !== undefined && nowMs - setAtMs >= ttlMs ? undefined : (value as Stored | undefined);
  };
}

function ageAt(birthMs: Stored | undefined, nowMs: number): bigint | undefined {
  if (typeof birthMs !== "number") return undefined;
  const [birth, now] = [birthMs, nowMs].map((ms) =>
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO("UTC").toPlainDate(),
  );
  return BigInt(birth!.until(now!, { largestUnit: "years" }).years);
}

/** A value of another type than declared is unknown. */
function bindAttribute(
  value: Stored,
  type: (typeof attributes)[keyof typeof attributes]["type"],
): CelInput | undefined {
  switch (type) {
    case "INT":
      return typeof value === "number" ? BigInt(value) : undefined;
    case "TIMESTAMP":
      return toTimestamp(
        typeof value === "string" ? Temporal.Instant.from(value).epochMilliseconds : Number(value),
      );
    case "STRING_LIST":
      return typeof value === "object" ? celList([...value]) : undefined;
    case "BOOL":
    case "DOUBLE":
    case "STRING":
      return value as CelInput;
  }
}
