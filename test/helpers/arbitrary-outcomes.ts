/** Random sections about outcomes, SCA and breakers, as documents have them: right by themselves, so that a push takes them. */
import fc from "fast-check";
import { testNowMs } from "./compile.ts";

/** What a rule set says of one PSP beside what it can do, and its sections about outcomes. */
export type OutcomeSections = {
  readonly conduct: object;
  readonly sections: {
    readonly retry_policies: readonly object[];
    readonly response_codes: readonly object[];
    readonly scheme_caps: readonly object[];
    readonly sca_policy?: object;
    readonly breaker_policy?: object;
  };
};

const dayMs = 86_400_000;
const exemptions = ["low_value", "tra", "recurring", "trusted_beneficiary"];
const fundings = ["credit", "debit", "prepaid", "charge"];
const schemes = ["visa", "mastercard", "jcb"];
const zoneIds = ["EEA", "UK"];

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const someOf = <T>(values: readonly T[], minLength = 0): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...values], { minLength });
/** A record of which every field may be left out. */
function sparse<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const instant = fc
  .integer({ min: -400, max: 400 })
  .map((days) => new Date(testNowMs + days * dayMs).toISOString());
const money = (max: number) =>
  fc.integer({ min: 1, max }).map((minor) => ({ minor_units: minor, currency_code: "EUR" }));
const days = (max: number) => fc.integer({ min: 1, max }).map((count) => `${count}d`);
const whole = (min: number, max: number) => fc.integer({ min, max });

const arbitraryConduct: fc.Arbitrary<object> = sparse({
  idempotent: fc.boolean(),
  timeout: whole(1, 300).map((seconds) => `${seconds}s`),
  sca: sparse({
    fraud_rate_bps: oneOf([0, 0.5, 1, 5, 12.5, 40]),
    exemptions: someOf(exemptions),
    takes_proof: fc.boolean(),
    three_ds_version: oneOf(["2.1.0", "2.2.0", "2.3.1"]),
  }),
  maintenance: fc
    .uniqueArray(instant, { maxLength: 6 })
    .map((instants) => {
      const turns = [...instants].sort();
      return turns.flatMap((from, place) => {
        const until = turns[place + 1];
        return place % 2 === 0 && until !== undefined ? [{ from, until }] : [];
      });
    })
    .chain((windows) => fc.shuffledSubarray(windows, { minLength: windows.length })),
});

function arbitraryPolicies(segments: readonly string[]): fc.Arbitrary<readonly object[]> {
  const policy = fc
    .tuple(
      sparse({ max_attempts: whole(1, 8), single_try: someOf(segments.slice(0, 16)) }),
      fc.option(fc.tuple(whole(1, 20), days(30)), { nil: undefined }),
      fc.boolean(),
    )
    .map(([rest, declines, isLong]) => ({
      ...rest,
      ...(declines && { player_declines: declines[0], ...(isLong && { player_window: declines[1] }) }),
    }));
  return fc
    .array(policy, { maxLength: 3 })
    .map((policies) => policies.map((each, place) => ({ id: `p${place}`, ...each })));
}

const meanings: fc.Arbitrary<object> = fc.oneof(
  sparse({ block: oneOf(["CARD", "CARD_AMOUNT", "BIN", "AGREEMENT"]) }).chain(({ block }) =>
    fc.option(days(1_000), { nil: undefined }).map((blockFor) => ({
      outcome: "HARD",
      ...(block && { block, ...(blockFor && { block_for: blockFor }) }),
    })),
  ),
  sparse({ wait: days(30) }).chain((wait) =>
    oneOf(["WAIT", "GENERIC", "TECH_NOT_PROCESSED", "ISSUER_DOWN"]).map((outcome) => ({ outcome, ...wait })),
  ),
  sparse({ fields: someOf(["cvv", "expiry"]) }).map((fields) => ({ outcome: "DATA", ...fields })),
  oneOf(["SCA", "UNKNOWN", "PENDING", "AUTH_FAILED", "ABANDONED"]).map((outcome) => ({ outcome })),
);

function arbitraryCodes(psps: readonly string[]): fc.Arbitrary<readonly object[]> {
  const network = fc.tuple(
    sparse({ psp: oneOf(psps), scheme: oneOf(schemes) }),
    fc.oneof(
      fc.record({ code: oneOf(["05", "51", "57", "1A", "9Z"]) }),
      fc.record({ advice_code: oneOf(["02", "03", "77"]) }),
      fc.record({ code: oneOf(["82", "83"]), advice_code: oneOf(["01", "03"]) }),
    ),
  );
  const own = fc.tuple(fc.record({ psp: oneOf(psps) }), fc.record({ psp_code: oneOf(["D-1", "D 2"]) }));
  const answer: fc.Arbitrary<object> = fc.oneof(network, own).map(([where, what]) => ({ ...where, ...what }));
  const more = sparse({
    attribution: oneOf(["ATTRIBUTION_PSP", "ATTRIBUTION_ISSUER", "ATTRIBUTION_CONFIG"]),
    alert: fc.boolean(),
    meaning: oneOf(["as they say", "not so"]),
  });
  const times = fc
    .uniqueArray(instant, { maxLength: 2 })
    .map((turns) => [...turns].sort())
    .map(([from, until]) => ({ ...(from && { from }), ...(until && { until }) }));
  return fc
    .uniqueArray(answer, {
      maxLength: 8,
      selector: (each) => JSON.stringify(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))),
    })
    .chain((answers) =>
      fc.tuple(
        ...answers.map((each) =>
          fc.tuple(meanings, more, times).map((parts) => Object.assign({}, each, ...parts) as object),
        ),
      ),
    );
}

const arbitraryCaps: fc.Arbitrary<readonly object[]> = fc
  .array(
    fc.tuple(
      fc.record({
        scheme: oneOf(schemes),
        window: days(90),
        key: oneOf(["CARD", "CARD_AMOUNT"]),
        declines: whole(1, 40),
      }),
      sparse({ reset_on_approval: fc.boolean(), from: instant }),
    ),
    { maxLength: 5 },
  )
  .map((caps) => caps.map(([cap, more], place) => ({ id: `cap${place}`, ...cap, ...more })));

const inTime = sparse({ from: instant });
const arbitraryLowValue = fc
  .tuple(fc.record({ zone: oneOf(zoneIds), amount: money(5_000), count: whole(1, 9) }), money(10_000), inTime)
  .map(([entry, more, time]) => ({
    ...entry,
    cumulative: { ...more, minor_units: entry.amount.minor_units + more.minor_units },
    ...time,
  }));
const arbitraryTier = fc
  .tuple(
    fc.record({ zone: oneOf(zoneIds), amount: money(60_000), fraud_rate_bps: oneOf([1, 6, 13]) }),
    inTime,
  )
  .map(([tier, time]) => ({ ...tier, ...time }));
const arbitraryMandate = fc
  .tuple(
    fc.record({ country: oneOf(["JP", "IN", "BR"]) }),
    sparse({ fundings: someOf(fundings), domestic_only: fc.boolean(), from: instant }),
  )
  .map(([mandate, more]) => ({ ...mandate, ...more }));

const arbitraryZones = fc
  .tuple(someOf(["MC", "CH", "TR"]), someOf(["GG", "JE"]), someOf(zoneIds))
  .map(([withEea, withUk, treated]) => ({
    zones: [
      { id: "EEA", countries: ["EEA", ...withEea] },
      { id: "UK", countries: ["UK", ...withUk] },
    ],
    treated_as_one: treated,
  }));

const arbitrarySca: fc.Arbitrary<object> = fc
  .tuple(
    fc.option(arbitraryZones, { nil: {} }),
    sparse({
      low_value: fc.uniqueArray(arbitraryLowValue, {
        maxLength: 3,
        selector: ({ zone, from }) => `${zone} ${from}`,
      }),
      tra: fc.uniqueArray(arbitraryTier, {
        maxLength: 5,
        selector: ({ zone, fraud_rate_bps: rate, from }) => `${zone} ${rate} ${from}`,
      }),
      mandates: fc.array(arbitraryMandate, { maxLength: 4 }),
      exemption_order: someOf(exemptions),
      high_risk_score: whole(0, 1_000),
    }),
  )
  .map(([zones, rest]) => ({ ...zones, ...rest }));

function arbitraryBreakers(segments: readonly string[]): fc.Arbitrary<object> {
  return sparse({
    window: whole(1, 3_600).map((seconds) => `${seconds}s`),
    calls_max: whole(20, 1_000),
    calls_min: whole(1, 20),
    failure_share: oneOf([0.1, 0.5, 1]),
    timeouts_in_row: whole(1, 20),
    open_for: whole(1, 300).map((seconds) => `${seconds}s`),
    probes_max: whole(1, 5),
    close_after: whole(1, 5),
    per_method: fc.boolean(),
    all_down: oneOf(["REFUSE", "LEAST_BAD"]),
    probe_amount_max: money(50_000),
    never_probe: someOf(segments.slice(0, 16)),
    normal_share: oneOf([0.7, 0.95]),
    broken_share: oneOf([0.05, 0.3]),
  });
}

/** Sections over the segments and PSPs of a rule set. */
export function arbitraryOutcomes(known: {
  readonly segments: readonly string[];
  readonly psps: readonly string[];
}): fc.Arbitrary<OutcomeSections> {
  return fc
    .tuple(
      arbitraryConduct,
      fc.record({
        retry_policies: arbitraryPolicies(known.segments),
        response_codes: arbitraryCodes(known.psps),
        scheme_caps: arbitraryCaps,
      }),
      sparse({ sca_policy: arbitrarySca, breaker_policy: arbitraryBreakers(known.segments) }),
    )
    .map(([conduct, sections, policies]) => ({ conduct, sections: { ...sections, ...policies } }));
}
