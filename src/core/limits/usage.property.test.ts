import fc from "fast-check";
import { expect, test } from "vitest";
import { dayMs, hourMs, makeBook, makeHold, makeSpec } from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory, type PlainFact } from "../../../test/helpers/limit-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { CalendarPeriod } from "../features/feature.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { Hold, LimitSpec } from "./limit.ts";
import { readUsage } from "./usage.ts";

type Attempt = {
  readonly atMs: number;
  readonly outcome: "approved" | "declined" | "none";
  readonly amountMinor: number;
};

/** A payment with all that happened to it; instants are in the past of the question. */
type Story = {
  readonly id: string;
  readonly kind: "deposit" | "withdrawal";
  readonly card: string | undefined;
  readonly decidedAtMs: number | undefined;
  readonly attempts: readonly Attempt[];
  readonly voidOf: number | "all" | undefined;
  readonly clearedAtMs: number | undefined;
  readonly refund: { readonly atMs: number; readonly amountMinor: number } | undefined;
  readonly paid:
    | { readonly atMs: number; readonly amountMinor: number; readonly isReturned: boolean }
    | undefined;
  readonly hold: Hold | undefined;
};

const spanMs = 6 * hourMs;

/** A summer night, and the nights on which clocks change in Berlin; each a little after midnight or noon there. */
const nows = [
  Date.UTC(2026, 6, 7, 10),
  Date.UTC(2026, 2, 29, 3),
  Date.UTC(2026, 9, 25, 3),
  Date.UTC(2026, 9, 25, 22, 59, 59, 999),
  Date.UTC(2026, 9, 26, 0, 0, 0),
  Date.UTC(2026, 4, 31, 22),
];

const zone = "Europe/Berlin";

function startOf(nowMs: number, period: CalendarPeriod): Temporal.ZonedDateTime {
  const day = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(zone).startOfDay();
  if (period === "WEEK") return day.subtract({ days: day.dayOfWeek - 1 }).startOfDay();
  return period === "MONTH" ? day.with({ day: 1 }).startOfDay() : day;
}

function isInWindow(atMs: number, nowMs: number, { window }: LimitSpec): boolean {
  if (window.kind === "rolling") return nowMs - window.spanMs < atMs && atMs <= nowMs;
  const start = startOf(nowMs, window.period);
  const next = start.add(
    window.period === "DAY" ? { days: 1 } : window.period === "WEEK" ? { days: 7 } : { months: 1 },
  );
  return start.epochMilliseconds <= atMs && atMs < next.startOfDay().epochMilliseconds && atMs <= nowMs;
}

/** Recomputed by definition from the stories. */
function countNaively(
  stories: readonly Story[],
  spec: LimitSpec,
  nowMs: number,
  isProtective: boolean,
): number {
  const { measure, counted, countedAt } = spec;
  let total = 0;
  const values = new Set<string>();
  for (const story of stories) {
    const { hold, attempts, decidedAtMs, paid, refund, kind, clearedAtMs } = story;
    const instantOf = (atMs: number): number => decidedAtMs ?? atMs;
    if (counted !== "PAYMENTS") {
      const sent = attempts.filter(
        ({ atMs, outcome }) =>
          kind === "deposit" &&
          (counted === "AUTHORISATIONS" || outcome === "declined") &&
          isInWindow(instantOf(atMs), nowMs, spec),
      );
      total += sent.length;
      if (sent.length > 0 && story.card !== undefined) values.add(story.card);
    }
    const isHeld =
      hold !== undefined &&
      (nowMs < hold.releasesAtMs || (isProtective && hold.state !== "REVIEW")) &&
      (countedAt === "CLEARED" || isInWindow(hold.instantMs, nowMs, spec));
    if (counted === "AUTHORISATIONS" && isHeld) {
      total += hold.authorisations;
      if (story.card !== undefined && hold.authorisations > 0) values.add(story.card);
    }
    if (counted !== "PAYMENTS") continue;
    let gross = 0;
    const standing = attempts.filter(
      ({ outcome }, at) => outcome === "approved" && story.voidOf !== "all" && story.voidOf !== at,
    );
    if (kind === "deposit" && countedAt === "CLEARED" && clearedAtMs !== undefined) {
      if (story.voidOf !== "all" && isInWindow(clearedAtMs, nowMs, spec)) gross += attempts[0]!.amountMinor;
    } else if (kind === "deposit") {
      for (const { atMs, amountMinor } of standing) {
        const isUncleared = countedAt === "CLEARED" && instantOf(atMs) > nowMs - 30 * dayMs;
        if (isUncleared || isInWindow(instantOf(atMs), nowMs, spec)) gross += amountMinor;
      }
    }
    if (isHeld) gross = Math.max(gross, hold.amountMinor);
    if (measure === "COUNT") total += gross > 0 ? 1 : 0;
    else if (measure === "DISTINCT") {
      if (gross > 0 && story.card !== undefined) values.add(story.card);
    } else total += gross;
    if (measure !== "NET") continue;
    if (refund !== undefined && kind === "deposit" && isInWindow(refund.atMs, nowMs, spec))
      total -= refund.amountMinor;
    if (paid === undefined) continue;
    const isVoid = story.voidOf === "all" || story.voidOf === 0;
    if (!isVoid && isInWindow(paid.atMs, nowMs, spec)) total -= paid.amountMinor;
    if (paid.isReturned && isInWindow(paid.atMs + hourMs, nowMs, spec)) total += paid.amountMinor;
  }
  if (measure === "DISTINCT") return values.size;
  return measure === "NET" && !spec.netFloorNone ? Math.max(0, total) : total;
}

function tellFacts({
  id,
  kind,
  card,
  decidedAtMs,
  attempts,
  voidOf,
  clearedAtMs,
  refund,
  paid,
}: Story): PlainFact[] {
  const shared = {
    payment: id,
    kind,
    ...(card === undefined ? {} : { card }),
    ...(decidedAtMs === undefined ? {} : { countedAtMs: decidedAtMs }),
  };
  const facts: PlainFact[] = attempts.flatMap(({ atMs, outcome, amountMinor }, at) => {
    const fact = { ...shared, atMs, amountMinor, attempt: `a${at}` };
    const sent = { ...fact, type: "payment_attempted" };
    return outcome === "none" ? [sent] : [sent, { ...fact, type: `payment_${outcome}` }];
  });
  if (voidOf !== undefined) {
    // A void follows what it undoes, a payout included.
    const atMs = Math.max(...attempts.map((each) => each.atMs), paid?.atMs ?? 0);
    facts.push({
      ...shared,
      type: "payment_voided",
      atMs,
      ...(voidOf === "all" ? {} : { attempt: `a${voidOf}` }),
    });
  }
  if (clearedAtMs !== undefined)
    facts.push({
      ...shared,
      type: "payment_cleared",
      atMs: clearedAtMs,
      amountMinor: attempts[0]!.amountMinor,
      attempt: "a0",
    });
  if (refund !== undefined) facts.push({ ...shared, ...refund, type: "payment_refunded", attempt: "a0" });
  if (paid !== undefined) {
    const fact = { ...shared, kind: "withdrawal", amountMinor: paid.amountMinor, attempt: "a0" } as const;
    facts.push({ ...fact, type: "withdrawal_paid", atMs: paid.atMs });
    if (paid.isReturned) facts.push({ ...fact, type: "withdrawal_returned", atMs: paid.atMs + hourMs });
  }
  return facts;
}

function arbitraryStories(nowMs: number): fc.Arbitrary<readonly Story[]> {
  const edges = [
    nowMs - spanMs,
    nowMs,
    ...(["DAY", "WEEK", "MONTH"] as const).map((period) => startOf(nowMs, period).epochMilliseconds),
  ];
  const instant = fc
    .oneof(
      fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 2 })).map(([edge, step]) => edge + step),
      fc.integer({ min: 0, max: 3 * spanMs }).map((before) => nowMs - before),
      fc.integer({ min: 0, max: 40 * dayMs }).map((before) => nowMs - before),
    )
    .map((atMs) => Math.min(atMs, nowMs));
  const amountMinor = fc.integer({ min: 1, max: 5_000 });
  const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined, freq: 2 });
  const hold = fc.record({
    instantMs: instant,
    amountMinor,
    state: fc.constantFrom("HELD", "UNKNOWN", "PENDING", "REVIEW"),
    authorisations: fc.nat({ max: 3 }),
    lapse: fc.integer({ min: -2, max: 2 * spanMs }),
  });
  const story = fc.record({
    kind: fc.constantFrom("deposit", "deposit", "withdrawal"),
    card: maybe(fc.constantFrom("c1", "c2", "c3")),
    decidedAtMs: maybe(instant),
    attempts: fc.array(
      fc.record({ atMs: instant, outcome: fc.constantFrom("approved", "declined", "none"), amountMinor }),
      { minLength: 1, maxLength: 3 },
    ),
    voidOf: maybe(fc.constantFrom<0 | 1 | "all">(0, 1, "all")),
    clearedAtMs: maybe(instant),
    refund: maybe(fc.record({ atMs: instant, amountMinor })),
    paid: maybe(
      fc.record({
        atMs: instant.map((atMs) => Math.min(atMs, nowMs - hourMs)),
        amountMinor,
        isReturned: fc.boolean(),
      }),
    ),
    held: maybe(hold),
  });
  return fc.array(story, { maxLength: 8 }).map((stories) =>
    stories.map(({ held, ...each }, at) => {
      const id = `pay-${at}`;
      const { card } = each;
      // What is held and what was approved of a payment share its instant.
      const decided = each.kind === "deposit" && held !== undefined ? held.instantMs : each.decidedAtMs;
      // What a fact tells comes after its decision.
      const attempts = each.attempts.map((attempt) => ({
        ...attempt,
        atMs: Math.max(attempt.atMs, decided ?? 0),
      }));
      const isDeposit = each.kind === "deposit";
      return {
        ...each,
        id,
        decidedAtMs: decided,
        kind: each.kind as Story["kind"],
        attempts: attempts as Attempt[],
        // A void of one attempt and a clearing of another tell no story.
        clearedAtMs:
          isDeposit &&
          each.voidOf === undefined &&
          attempts.length === 1 &&
          attempts[0]!.outcome === "approved"
            ? each.clearedAtMs && Math.max(each.clearedAtMs, attempts[0]!.atMs)
            : undefined,
        refund: isDeposit ? each.refund : undefined,
        paid: isDeposit ? undefined : each.paid,
        hold:
          held === undefined || !isDeposit
            ? undefined
            : makeHold({
                paymentId: id,
                instantMs: held.instantMs,
                amountMinor: held.amountMinor,
                state: held.state as Hold["state"],
                authorisations: held.authorisations,
                releasesAtMs: nowMs + held.lapse,
                subjects: card === undefined ? [] : [{ kind: "card", id: card }],
              }),
      };
    }),
  );
}

const arbitrarySpec: fc.Arbitrary<LimitSpec> = fc
  .record({
    measure: fc.constantFrom("COUNT", "GROSS", "NET", "DISTINCT"),
    counted: fc.constantFrom("PAYMENTS", "AUTHORISATIONS", "DECLINES"),
    window: fc.constantFrom("rolling", "DAY", "WEEK", "MONTH"),
    countedAt: fc.constantFrom("DECIDED", "DECIDED", "CLEARED"),
    netFloorNone: fc.boolean(),
    ruleClass: fc.constantFrom("REGULATORY", "RISK"),
    value: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ window, value, measure, counted, ...rest }) => {
    const isSum = measure === "GROSS" || measure === "NET";
    return makeSpec({
      ...(rest as Partial<LimitSpec>),
      measure: measure as LimitSpec["measure"],
      counted: isSum ? "PAYMENTS" : (counted as LimitSpec["counted"]),
      distinctOf: measure === "DISTINCT" ? "card" : undefined,
      window:
        window === "rolling"
          ? { kind: "rolling", spanMs, offsetMs: 0 }
          : { kind: "calendar", period: window as CalendarPeriod, zone, weekStart: 1, anchorDay: 0, back: 0 },
      thresholds: [{ segment: undefined, value: isSum ? value * 1_000 : value }],
    });
  });

const arbitraryCase = fc.constantFrom(...nows).chain((nowMs) =>
  fc.record({
    nowMs: fc.constant(nowMs),
    stories: arbitraryStories(nowMs),
    spec: arbitrarySpec,
    asked: fc.integer({ min: 0, max: 4 }),
  }),
);

/** Every instant at which a reading may change by time alone. */
function listTurns(stories: readonly Story[], spec: LimitSpec, nowMs: number): readonly number[] {
  const instants = stories.flatMap(({ attempts, decidedAtMs, clearedAtMs, refund, paid, hold }) => [
    ...attempts.map(({ atMs }) => atMs),
    ...[decidedAtMs, clearedAtMs, refund?.atMs, paid?.atMs, paid && paid.atMs + hourMs, hold?.instantMs],
  ]);
  const known = instants.filter((atMs) => atMs !== undefined);
  const turns = [
    ...known.map((atMs) => atMs + 30 * dayMs),
    ...stories.flatMap(({ hold }) => (hold === undefined ? [] : [hold.releasesAtMs])),
  ];
  if (spec.window.kind === "rolling") turns.push(...known.map((atMs) => atMs + spanMs));
  else {
    const step =
      spec.window.period === "DAY"
        ? { days: 1 }
        : spec.window.period === "WEEK"
          ? { days: 7 }
          : { months: 1 };
    turns.push(startOf(nowMs, spec.window.period).add(step).startOfDay().epochMilliseconds);
  }
  return turns.filter((turn) => turn > nowMs).sort((a, b) => a - b);
}

test("usage, reset and fit are what the list of all payments gives by definition", () => {
  fc.assert(
    fc.property(arbitraryCase, ({ nowMs, stories, spec, asked }) => {
      const book = makeBook([spec]);
      const limit = book.limits[0]!;
      const threshold = spec.thresholds[0]!.value;
      const isSum = spec.measure === "GROSS" || spec.measure === "NET";
      // Of authorisations one has to fit: of more the plan is cut.
      const ask = isSum
        ? asked * 1_000
        : spec.measure === "COUNT" && spec.counted !== "PAYMENTS"
          ? Math.min(1, asked)
          : asked;
      const usage = readUsage(
        { limit, threshold, asked: ask, askedKey: hashWide("nobody's") },
        {
          history: makeLimitHistory(stories.flatMap(tellFacts)),
          holds: stories.flatMap(({ hold }) => (hold === undefined ? [] : [hold])),
        },
        { nowMs, latestMs: nowMs, paymentId: "another", payment: hashWide("another"), fx: book.fx },
      )!;
      const usedAt = (atMs: number): number => countNaively(stories, spec, atMs, limit.isProtective);
      const used = usedAt(nowMs);
      const leftAt = (atMs: number): number => threshold - usedAt(atMs);
      const headroom = Math.max(0, threshold - used);
      const fits = ask === 0 || ask <= threshold - used;
      expect({ used: usage.used, headroom: usage.headroom, fits: usage.fits }).toEqual({
        used,
        headroom,
        fits,
      });
      // An approval without clearing that is given up after 30 days is beyond what a calendar reading foresees.
      if (spec.countedAt === "CLEARED") return;
      // Calendar periods after the next one hold nothing that is known today.
      const turns = listTurns(stories, spec, nowMs);
      const resetsAtMs = turns.find((turn) => Math.max(0, leftAt(turn)) > headroom);
      const fitsAtMs = fits ? undefined : turns.find((turn) => ask <= leftAt(turn));
      expect({ resetsAtMs: usage.resetsAtMs, fitsAtMs: usage.fitsAtMs }).toEqual({ resetsAtMs, fitsAtMs });
    }),
    { numRuns: countRuns(400) },
  );
});
