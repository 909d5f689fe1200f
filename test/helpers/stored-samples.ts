/** Random players and payments as stores keep them: every optional member present and absent, every kind of edge, every type of value. */
import fc from "fast-check";
import type { Decision, Experience, Step } from "../../src/core/decision.ts";
import type { EventValue } from "../../src/core/events/event.ts";
import type { NewRow, Subject } from "../../src/core/history/history.ts";
import type { HeldAttempts, Hold, LimitReading } from "../../src/core/limits/limit.ts";
import type { Money, Payment } from "../../src/core/payment.ts";
import {
  type OwnLimit,
  ownLimitPeriods,
  type Player,
  type Restriction,
  type StoredAttribute,
} from "../../src/core/player.ts";
import type { Reason } from "../../src/core/reason.ts";
import { outcomeClasses } from "../../src/core/retry/outcome-class.ts";
import type { MembershipChange, MembershipState } from "../../src/ports/membership-log.ts";
import type { PaymentRecord } from "../../src/ports/payment-store.ts";
import { instant, list, maybe, number, record, text, texts } from "./arbitrary-values.ts";
import { outcomeClass, plan } from "./stored-plans.ts";

/** Without the members that are undefined. */
const told = <T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  value.map(
    (all) => Object.fromEntries(Object.entries(all).filter(([, member]) => member !== undefined)) as T,
  );
const attribute: fc.Arbitrary<StoredAttribute> = fc.record(
  {
    value: fc.oneof<fc.Arbitrary<StoredAttribute["value"]>[]>(
      fc.boolean(),
      number,
      text,
      texts,
      list(number),
    ),
    setAtMs: instant,
    ttlMs: fc.nat(),
    source: text,
  },
  { noNullPrototype: true, requiredKeys: ["value", "setAtMs", "source"] },
);

const restriction: fc.Arbitrary<Restriction> = fc.record(
  {
    kind: fc.constantFrom("SELF_EXCLUSION", "TIME_OUT", "SANCTION", "COURT_ORDER", "OPERATOR_BLOCK"),
    source: text,
    fromMs: instant,
    untilMs: instant,
    checkedAtMs: instant,
    maxAgeMs: fc.nat(),
    clear: fc.boolean(),
    returned: fc.boolean(),
  },
  { noNullPrototype: true, requiredKeys: ["kind", "source", "fromMs", "checkedAtMs", "clear", "returned"] },
);

const money: fc.Arbitrary<Money> = record({
  minorUnits: fc.maxSafeInteger(),
  currencyCode: fc.constantFrom("EUR", "JPY"),
});

const ownLimit: fc.Arbitrary<OwnLimit> = fc.record(
  {
    period: fc.constantFrom(...ownLimitPeriods),
    measure: fc.constantFrom("GROSS", "NET"),
    amount: money,
    setAtMs: instant,
    zone: text,
    pending: fc.record(
      { amount: money, requestedAtMs: instant, effectiveAtMs: instant, needsConfirmation: fc.boolean() },
      { noNullPrototype: true, requiredKeys: ["requestedAtMs", "effectiveAtMs", "needsConfirmation"] },
    ),
  },
  { noNullPrototype: true, requiredKeys: ["period", "measure", "amount", "setAtMs", "zone"] },
);

export const arbitraryPlayer: fc.Arbitrary<Player> = fc.record(
  {
    playerId: text,
    attributes: fc.array(fc.tuple(text, attribute), { maxLength: 5 }).map((entries) => new Map(entries)),
    restrictions: list(restriction),
    ownLimits: list(ownLimit),
    aliases: texts,
    mergedInto: text,
    knownSinceMs: fc.integer(),
  },
  { noNullPrototype: true, requiredKeys: ["playerId", "attributes", "restrictions"] },
);

const purposes = fc.subarray<Reason["purposes"][number]>(["payments", "fraud", "rg", "aml", "marketing"]);

const reason: fc.Arbitrary<Reason> = fc.record(
  {
    stage: fc.constantFrom("restriction", "regulatory", "routing"),
    code: text,
    ruleClass: fc.constantFrom("REGULATORY", "RISK"),
    sourceId: text,
    detail: text,
    playerMessageKey: text,
    purposes,
  },
  {
    noNullPrototype: true,
    requiredKeys: ["stage", "code", "sourceId", "detail", "playerMessageKey", "purposes"],
  },
);

const experience: fc.Arbitrary<Experience> = record({
  methods: list(record({ method: text, maxAmount: maybe(money) })),
  hiddenMethods: list(record({ method: text, reasons: list(reason) })),
  amounts: list(money),
  messageKeys: texts,
});

const action: fc.Arbitrary<Decision["actions"][number]> = record({
  kind: fc.constantFrom("COOL_OFF_PROMPT", "TIME_OUT", "CRM_TRIGGER") as fc.Arbitrary<
    Decision["actions"][number]["kind"]
  >,
  key: text,
  purposes,
});

const figure = fc.oneof(
  fc.nat(),
  fc.double({ noNaN: true, min: 0 }).filter((value) => value > 0),
);

const limitReading: fc.Arbitrary<LimitReading> = record({
  limitId: text,
  ruleClass: fc.constantFrom("SAFER_GAMBLING", "RISK"),
  fits: fc.boolean(),
  used: figure,
  limit: figure,
  headroom: figure,
  asked: figure,
  currency: fc.constantFrom("EUR", ""),
  resetsAtMs: maybe(instant),
  fitsAtMs: maybe(instant),
  unknown: fc.boolean(),
  segment: text,
  subject: fc.constantFrom("player", "card", "key"),
  errorBound: figure,
  overrun: fc.boolean(),
  purposes,
});

const facet = fc.constantFrom("verdict", "exclude", "three_ds");
const decision: fc.Arbitrary<Decision> = record({
  decisionId: text,
  verdict: fc.constantFrom("APPROVE_ROUTE", "REVIEW", "DENY"),
  reasons: list(reason),
  plan: maybe(plan),
  segments: list(record({ id: text, purposes })),
  matchedRules: list(
    record({
      id: text,
      ruleClass: fc.constantFrom("OVERRIDE", "SEGMENT"),
      shadow: fc.boolean(),
      throughUnknown: fc.boolean(),
      won: list(facet),
      lost: list(record({ facet, to: text, why: text })),
      purposes,
    }),
  ),
  matchedRulesOmitted: fc.nat(),
  experience: maybe(experience),
  actions: list(action),
  removedActions: list(action),
  ruleSetVersion: fc.nat(),
  ruleSetHash: text,
  overrideRevision: fc.nat(),
  sources: list(record({ source: text, asOfMs: instant, degraded: fc.boolean() })),
  decidedAtMs: instant,
  retryAfterMs: maybe(instant),
  reviewUntilMs: maybe(instant),
  riskScore: fc.nat(1000),
  reviewedRules: texts,
  limits: list(limitReading),
});

const payment = told(
  record({
    requestId: fc.constant(""),
    merchantId: text,
    paymentId: text,
    revision: fc.nat(),
    playerId: text,
    brand: text,
    kind: fc.constantFrom("deposit", "withdrawal"),
    amountMinor: maybe(fc.nat()),
    currency: fc.constantFrom("EUR", "JPY"),
    method: maybe(text),
    card: maybe(
      told(record({ bin: maybe(text), fingerprint: maybe(text), credential: fc.constant("PAN" as const) })),
    ),
    playerCountry: maybe(text),
    ip: maybe(text),
    initiator: fc.constantFrom("CIT", "MIT"),
    trustScore: maybe(fc.constantFrom(0, 12.5, 100)),
    riskSignals: texts,
    attributes: fc.constantFrom(
      new Map(),
      new Map<string, boolean | string>([
        ["a", true],
        ["b", "x"],
      ]),
    ),
    previousAttempts: fc.constant([]),
    mode: fc.constant("PAYMENT" as const),
    trace: fc.constant(false),
  }),
) as fc.Arbitrary<Payment>;

export const arbitraryRecord = record({
  paymentId: text,
  revision: fc.nat(),
  identity: record({
    playerId: text,
    kind: fc.constantFrom("deposit", "withdrawal"),
    amount: money,
    method: text,
    instrument: text,
  }),
  decision,
  attempts: list(
    told(
      record({
        attemptId: text,
        psp: text,
        outcomeClass,
        atMs: instant,
        revision: fc.nat(9),
        voided: maybe(fc.constant(true)),
        approvedMinor: maybe(fc.nat()),
        code: maybe(text),
        pspCode: maybe(text),
        adviceCode: maybe(text),
        attribution: maybe(fc.constantFrom("PSP", "ISSUER", "PLAYER")),
        waitUntilMs: maybe(instant),
        fields: maybe(texts),
        block: maybe(
          record({
            what: fc.constantFrom("card", "bin"),
            untilMs: fc.oneof(instant, fc.constant(Number.POSITIVE_INFINITY)),
          }),
        ),
        initiator: maybe(fc.constantFrom("CIT", "MIT", "MOTO")),
        threeDs: maybe(
          told(
            record({
              host: fc.constantFrom("PSP", "MERCHANT"),
              transStatus: maybe(fc.constantFrom("Y", "R")),
              eci: maybe(text),
            }),
          ),
        ),
        refunded: maybe(fc.constant(true)),
        corrected: maybe(fc.constant(true)),
      }),
    ),
  ),
  keepUntilMs: instant,
}).chain((whole) =>
  fc.tuple(maybe(payment), maybe(fc.constant(new Map([["EUR", 5000]])))).map(([asked, converted]) => ({
    ...whole,
    ...(asked === undefined
      ? {}
      : {
          earlier: [
            {
              revision: 0,
              payment: { ...asked, paymentId: whole.paymentId },
              decidedAtMs: whole.keepUntilMs,
              ruleSetVersion: 3,
              converted: converted ?? new Map(),
              accounts: new Map([["alpha", "A-1"]]),
            },
          ],
        }),
    ...(asked === undefined ? {} : { payment: { ...asked, paymentId: whole.paymentId } }),
    ...(converted === undefined ? {} : { converted }),
  })),
) as fc.Arbitrary<PaymentRecord>;

const kind = fc.constantFrom("player", "card", "device", "ip", "bin", "psp", "mid", "brand", "key");

const arbitraryHeldAttempts: fc.Arbitrary<HeldAttempts> = record({
  revision: fc.nat(),
  card: text,
  scheme: text,
  group: fc.constantFrom("CIT", "MIT"),
  amountMinor: fc.maxSafeNat(),
  currency: fc.constantFrom("EUR", "JPY"),
  planned: fc.nat(8),
  open: fc.nat(8),
  openAtMs: instant,
});

export const arbitraryHold: fc.Arbitrary<Hold> = told(
  record({
    paymentId: text,
    revision: fc.nat(),
    playerId: text,
    kind: fc.constantFrom("deposit", "withdrawal"),
    amountMinor: fc.maxSafeNat(),
    currency: fc.constantFrom("EUR", "JPY"),
    converted: list(fc.tuple(text, fc.maxSafeNat())).map((entries) => new Map(entries)),
    ratesVersion: fc.nat(),
    instantMs: instant,
    lastWordMs: instant,
    state: fc.constantFrom("HELD", "UNKNOWN", "PENDING", "REVIEW"),
    releasesAtMs: fc.oneof(instant, fc.constant(Number.POSITIVE_INFINITY)),
    authorisations: fc.nat(9),
    values: list(fc.tuple(text, text)).map((entries) => new Map(entries)),
    subjects: list(record({ kind, id: text })),
    attempts: maybe(fc.array(arbitraryHeldAttempts, { minLength: 1, maxLength: 3 })),
  }),
) as fc.Arbitrary<Hold>;

export const arbitraryChange: fc.Arbitrary<MembershipChange> = record({
  playerId: text,
  segment: text,
  kind: fc.constantFrom("ENTER", "EXIT", "CORRECTION_ENTER", "CORRECTION_EXIT"),
  atMs: instant,
  suppressedBy: text,
  ruleSetVersion: fc.nat(),
});

export const arbitraryState: fc.Arbitrary<MembershipState> = record({
  ruleSetHash: text,
  memberSince: list(fc.tuple(text, instant)).map((entries) => new Map(entries)),
  toldUpToMs: instant,
  rowsSeen: fc.nat(),
  suppressedBy: fc.constantFrom("", "RESTRICTED"),
  nextLookMs: fc.oneof(instant, fc.constant(Number.POSITIVE_INFINITY)),
});

/** A plain row. */
export function sampleRow(id: number, atMs: number, changes: Partial<NewRow> = {}): NewRow {
  return {
    id,
    atMs,
    amountMinor: 5_000,
    label: {
      type: "deposit",
      currency: "EUR",
      values: new Map<string, EventValue>([
        ["method", id % 3 === 0 ? "card" : "bank"],
        ["first", false],
      ]),
      wides: ["payment", "device", "attempt"],
    },
    wides: [id * 1_000 + 0.5, Number.NaN, id],
    ...changes,
  };
}

/** The row of that number, of a player of their own few: what the writer of the crash test writes. */
export function writtenRow(number: number): NewRow {
  return sampleRow(number, 1_792_900_000_000 + ((number * 7_919) % 10_000), { amountMinor: number });
}

export function writtenSubject(number: number): Subject {
  return { kind: "player", id: `player-${number % 50}` };
}

/** A plain hold, and plain memberships. */
export function sampleHold(paymentId: string, changes: Partial<Hold> = {}): Hold {
  return {
    paymentId,
    revision: 0,
    playerId: "player-1",
    kind: "deposit",
    amountMinor: 5_000,
    currency: "EUR",
    converted: new Map([["GBP", 4_300]]),
    ratesVersion: 3,
    instantMs: 1_792_900_000_000,
    lastWordMs: 1_792_900_000_000,
    state: "HELD",
    releasesAtMs: 1_792_901_800_000,
    authorisations: 2,
    values: new Map([
      ["kind", "deposit"],
      ["method", "card"],
    ]),
    subjects: [{ kind: "player", id: "player-1" }],
    ...changes,
  };
}

export function sampleChange(playerId: string): MembershipChange {
  return {
    playerId,
    segment: "vip",
    kind: "ENTER",
    atMs: 1_792_900_000_000,
    suppressedBy: "",
    ruleSetVersion: 3,
  };
}

export function sampleState(ruleSetHash = "0123456789abcdef"): MembershipState {
  return {
    ruleSetHash,
    memberSince: new Map([["vip", 1_792_900_000_000]]),
    toldUpToMs: 1_792_900_000_000,
    rowsSeen: 3,
    suppressedBy: "",
    nextLookMs: 1_793_159_200_000,
  };
}

/** A plain player and a plain payment, for tests that do not care. */
export function samplePlayer(playerId: string, source = "crm"): Player {
  return {
    playerId,
    attributes: new Map([["vip_level", { value: 3, setAtMs: 1, source }]]),
    restrictions: [],
  };
}

/** A player with limits of their own, merged into another. */
export function limitedPlayer(playerId: string): Player {
  const setAtMs = 1_792_900_000_000;
  const effectiveAtMs = 1_793_500_000_000;
  return {
    ...samplePlayer(playerId),
    ownLimits: [
      {
        period: "DAY",
        measure: "GROSS",
        amount: { minorUnits: 5_000, currencyCode: "EUR" },
        setAtMs,
        zone: "Europe/Berlin",
        pending: {
          amount: { minorUnits: 9_000, currencyCode: "EUR" },
          requestedAtMs: setAtMs,
          effectiveAtMs,
          needsConfirmation: true,
        },
      },
      {
        period: "ROLLING_WEEK",
        measure: "NET",
        amount: { minorUnits: 7_000, currencyCode: "EUR" },
        setAtMs,
        zone: "UTC",
        pending: { requestedAtMs: setAtMs, effectiveAtMs, needsConfirmation: false },
      },
    ],
    aliases: ["p-old"],
    mergedInto: "p-one",
  };
}

export function samplePayment(paymentId: string, changes: Partial<PaymentRecord> = {}): PaymentRecord {
  return {
    paymentId,
    revision: 0,
    identity: {
      playerId: "player-1",
      kind: "deposit",
      amount: { minorUnits: 5_000, currencyCode: "EUR" },
      method: "card",
      instrument: "45710435/1234",
    },
    decision: sampleDecision,
    attempts: [],
    keepUntilMs: 1_793_500_000_000,
    ...changes,
  };
}

const sampleStep = (stepNumber: number): Step => ({
  number: stepNumber,
  kind: stepNumber === 1 ? "FIRST" : "CASCADE",
  psp: "adyen-eu",
  mid: "mid-1",
  instrument: "card",
  threeDs: { requirement: "THREE_DS", challengeIndicator: "01", reason: "", useProof: false },
  liabilityShift: "EXPECTED",
  attemptId: `pay-1-${stepNumber}`,
  idempotencyKey: "0123456789abcdef0123456789abcdef",
  notBeforeMs: undefined,
  edges: outcomeClasses.map((each) => ({
    outcomeClass: each,
    edge: each === "APPROVED" ? { action: "DONE" } : { action: "STEP", step: stepNumber + 1 },
  })),
  timeoutMs: 60_000,
  mayResend: false,
});

export const sampleDecision: Decision = {
  decisionId: "0192f6a0-1c2d-7000-8000-000000000001",
  verdict: "APPROVE_ROUTE",
  reasons: [],
  plan: {
    steps: [sampleStep(1), sampleStep(2), sampleStep(3)],
    validUntilMs: 1_792_900_900_000,
    codeTableVersion: "2026-1",
  },
  segments: [{ id: "vip", purposes: ["payments"] }],
  matchedRules: [
    {
      id: "vip-route",
      ruleClass: "SEGMENT",
      shadow: false,
      throughUnknown: false,
      won: ["strategy"],
      lost: [],
      purposes: ["payments"],
    },
  ],
  matchedRulesOmitted: 0,
  experience: undefined,
  actions: [],
  removedActions: [],
  ruleSetVersion: 3,
  ruleSetHash: "0123456789abcdef0123456789abcdef",
  overrideRevision: 1,
  sources: [{ source: "players", asOfMs: 1_792_900_000_000, degraded: false }],
  decidedAtMs: 1_792_900_000_000,
  retryAfterMs: undefined,
  reviewUntilMs: undefined,
  riskScore: 0,
  reviewedRules: [],
  limits: [],
};

/** A decision that read limits. */
export const limitedDecision: Decision = {
  ...sampleDecision,
  limits: [
    {
      limitId: "deposit-day",
      ruleClass: "SAFER_GAMBLING",
      fits: true,
      used: 12_000,
      limit: 50_000,
      headroom: 38_000,
      asked: 5_000,
      currency: "EUR",
      resetsAtMs: 1_792_958_400_000,
      fitsAtMs: undefined,
      unknown: false,
      segment: "vip",
      subject: "player",
      errorBound: 0,
      overrun: false,
      purposes: ["payments", "rg"],
    },
  ],
};
