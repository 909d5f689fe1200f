import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createListedLabels,
  type ListedEvent,
  makeListedHistory,
} from "../../../test/helpers/listed-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { sampleHold } from "../../../test/helpers/stored-samples.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { HeldAttempts, Hold } from "../limits/limit.ts";
import { type CardQuestion, readCardStanding } from "./card-standing.ts";
import { CardViews, type ReadMeaning } from "./card-views.ts";
import { houseSchemeCaps, pickCaps, type SchemeCap } from "./scheme-cap.ts";

const hour = 3_600_000;
const day = 24 * hour;
const nowMs = Date.UTC(2026, 10, 16, 12);

/** Advice 24 waits an hour, 02 three days; 51 alone waits a day, which is the plan's matter. */
const readMeaning: ReadMeaning = ({ code, adviceCode }) => ({
  outcomeClass: "WAIT",
  waitMs: adviceCode === "24" ? hour : adviceCode === "02" ? 3 * day : code === "51" ? day : 0,
  fields: code === "54" ? ["expiry"] : [],
});

const labels = createListedLabels();
const views = new CardViews(readMeaning);

const asked: CardQuestion = {
  nowMs,
  latestMs: nowMs,
  caps: [],
  scheme: "visa",
  group: "CIT",
  amountMinor: 5000,
  currency: "EUR",
  player: Number.NaN,
  dataAsOfMs: Number.NEGATIVE_INFINITY,
  card: "fingerprint:f",
  paymentId: "asking",
  isCounted: true,
};

type Told = {
  readonly ago: number;
  readonly type?: "payment_approved" | "payment_declined";
  readonly values?: Readonly<Record<string, string>>;
  readonly wides?: Readonly<Record<string, number>>;
  readonly amountMinor?: number;
  readonly currency?: string;
};

function tell({ ago, type = "payment_declined", values = {}, wides = {}, ...amount }: Told): ListedEvent {
  return {
    type,
    atMs: nowMs - ago,
    amountMinor: 5000,
    currency: "EUR",
    values: { kind: "deposit", scheme: "visa", initiator: "CIT", ...values },
    wides,
    ...amount,
  };
}

function read(told: readonly Told[], question: Partial<CardQuestion> = {}, ofBin: readonly Told[] = []) {
  return readCardStanding(
    views,
    { ...asked, ...question },
    {
      card: makeListedHistory(told.map(tell), { labels }),
      bin: makeListedHistory(ofBin.map(tell), { labels }),
    },
  );
}

function obstaclesOf(...given: Parameters<typeof read>): readonly string[] {
  return read(...given).obstacles.map(
    ({ code, what, untilMs }) => `${code} ${what} ${untilMs === undefined ? "-" : (untilMs - nowMs) / hour}`,
  );
}

describe("blocks of a card", () => {
  const lost = { values: { code: "41", block: "card" }, wides: { block_until: Number.POSITIVE_INFINITY } };

  test("a lost card is blocked for good", () => {
    expect(obstaclesOf([{ ago: 400 * day, ...lost }])).toEqual(["HARD_DECLINE card -"]);
  });

  test("a block ends at its end and not before", () => {
    const until = (at: number) => ({ ...lost, wides: { block_until: at } });
    expect(obstaclesOf([{ ago: day, ...until(nowMs + 1) }])).toHaveLength(1);
    expect(obstaclesOf([{ ago: day, ...until(nowMs) }])).toEqual([]);
  });

  test("a block of card and amount leaves other amounts", () => {
    const told = [
      { ago: hour, values: { code: "82", block: "card_amount" }, wides: { block_until: nowMs + 30 * day } },
    ];
    expect(obstaclesOf(told)).toEqual(["HARD_DECLINE card_amount 720"]);
    expect(obstaclesOf(told, { amountMinor: 4000 })).toEqual([]);
    expect(obstaclesOf(told, { currency: "GBP" })).toEqual([]);
    expect(obstaclesOf(told, { amountMinor: undefined })).toEqual([]);
  });

  test("a revoked agreement stops what the merchant starts and nothing else", () => {
    const told = [
      {
        ago: hour,
        values: { code: "R1", block: "agreement", initiator: "MIT" },
        wides: { block_until: Infinity },
      },
    ];
    expect(obstaclesOf(told)).toEqual([]);
    expect(obstaclesOf(told, { group: "MIT" })).toEqual(["HARD_DECLINE agreement -"]);
  });

  test("an approval of the same payment lifts the block, of another it does not", () => {
    const told = { ...lost, wides: { payment: 7, ...lost.wides } };
    const approved = (payment: number): Told => ({ ago: 0, type: "payment_approved", wides: { payment } });
    expect(obstaclesOf([{ ago: hour, ...told }, approved(7)])).toEqual([]);
    expect(obstaclesOf([{ ago: hour, ...told }, approved(8)])).toHaveLength(1);
  });

  test("a blocked BIN forbids all its cards", () => {
    const told = [{ ago: hour, values: { code: "5C", block: "bin" }, wides: { block_until: nowMs + day } }];
    expect(obstaclesOf([], {}, told)).toEqual(["HARD_DECLINE bin 24"]);
    expect(obstaclesOf([], { nowMs: nowMs + day }, told)).toEqual([]);
    // In the card's own history it says nothing: the BIN's has it.
    expect(obstaclesOf(told)).toEqual([]);
  });

  test("rows of another player do not count where the card is known by its last four", () => {
    const told = [{ ago: hour, ...lost, wides: { player: 1, ...lost.wides } }];
    expect(obstaclesOf(told, { player: 2 })).toEqual([]);
    expect(obstaclesOf(told, { player: 1 })).toHaveLength(1);
    expect(obstaclesOf(told)).toHaveLength(1);
  });

  test("withdrawals say nothing of deposits", () => {
    expect(obstaclesOf([{ ago: hour, ...lost, values: { ...lost.values, kind: "withdrawal" } }])).toEqual([]);
  });
});

describe("waits of advice codes", () => {
  test("an advice to wait an hour holds for the amount and higher ones, to the millisecond", () => {
    const told = (ago: number): Told[] => [{ ago, values: { code: "51", advice: "24" } }];
    expect(obstaclesOf(told(0))).toEqual(["ADVICE_WAIT advice 1"]);
    expect(obstaclesOf(told(hour - 1))).toHaveLength(1);
    expect(obstaclesOf(told(hour))).toEqual([]);
    expect(obstaclesOf(told(0), { amountMinor: 4999 })).toEqual([]);
    expect(obstaclesOf(told(0), { amountMinor: 6000 })).toHaveLength(1);
    expect(obstaclesOf(told(0), { currency: "GBP" })).toHaveLength(1);
  });

  test("where not funds but the card is at stake a lower amount waits, too", () => {
    expect(obstaclesOf([{ ago: 0, values: { code: "79", advice: "02" } }], { amountMinor: 1 })).toEqual([
      "ADVICE_WAIT advice 72",
    ]);
  });

  test("without advice, or with one that says nothing of waiting, the card is free", () => {
    expect(obstaclesOf([{ ago: 0, values: { code: "51" } }])).toEqual([]);
    expect(obstaclesOf([{ ago: 0, values: { code: "51", advice: "40" } }])).toEqual([]);
  });
});

describe("guards", () => {
  const wrongCvv = (ago: number): Told => ({ ago, values: { code: "N7" } });

  test("SEMANTICS 4.6: two wrong CVVs may be entered again, the third locks the card for 24 hours", () => {
    expect(obstaclesOf([wrongCvv(2), wrongCvv(1)])).toEqual([]);
    expect(obstaclesOf([wrongCvv(2), wrongCvv(1), wrongCvv(0)])).toEqual(["HARD_DECLINE cvv 24"]);
    expect(obstaclesOf([wrongCvv(day + 1), wrongCvv(day + 1), wrongCvv(day)])).toEqual([]);
    expect(obstaclesOf([wrongCvv(day + 1), wrongCvv(day), wrongCvv(day - 1)])).toHaveLength(1);
    expect(obstaclesOf([wrongCvv(day), wrongCvv(1), wrongCvv(0)])).toEqual([]);
  });

  test("an approval forgets wrong CVVs", () => {
    const approval: Told = { ago: 1, type: "payment_approved" };
    expect(obstaclesOf([wrongCvv(3), wrongCvv(2), approval, wrongCvv(0)])).toEqual([]);
  });

  test("an expired card is not sent again until new data is announced, or it was approved since", () => {
    const expired: Told = { ago: hour, values: { code: "54" } };
    expect(obstaclesOf([expired])).toEqual(["DATA_UNCHANGED data -"]);
    expect(obstaclesOf([expired], { dataAsOfMs: nowMs - hour })).toEqual([]);
    expect(obstaclesOf([expired], { dataAsOfMs: nowMs - hour - 1 })).toHaveLength(1);
    expect(obstaclesOf([expired, { ago: 0, type: "payment_approved" }])).toEqual([]);
    expect(obstaclesOf([{ ...expired, ago: 30 * day }])).toEqual([]);
  });
});

describe("scheme caps", () => {
  const capsOf = (scheme: string, at = nowMs) => pickCaps(houseSchemeCaps, scheme, at);
  const declines = (count: number, values: Readonly<Record<string, string>>): Told[] =>
    Array.from({ length: count }, (_, at) => ({ ago: at, values: { code: "05", ...values } }));

  test("SEMANTICS 4.6: Visa allows a first try and 20 reattempts of card and amount in 30 days", () => {
    const caps = capsOf("visa");
    expect(read(declines(20, {}), { caps })).toMatchObject({ obstacles: [], free: 1 });
    const full = read(declines(21, {}), { caps });
    expect(full).toMatchObject({ free: 0, obstacles: [{ code: "SCHEME_CAP", what: "visa-30d" }] });
    expect(full.obstacles[0]!.untilMs).toBe(nowMs - 20 + 30 * day);
    expect(read(declines(21, {}), { caps, amountMinor: 4999 }).free).toBe(21);
    expect(read(declines(21, {}), { caps, group: "MIT" }).free).toBe(21);
  });

  test("SEMANTICS 4.6: Mastercard allows 10 declines of a card in 24 hours and 35 of card and amount in 30 days", () => {
    const question = { caps: capsOf("mastercard"), scheme: "mastercard" };
    const scheme = { scheme: "mastercard" };
    expect(read(declines(9, scheme), question).free).toBe(1);
    expect(obstaclesOf(declines(10, scheme), { ...question, amountMinor: 1 })).toEqual([
      `SCHEME_CAP mastercard-24h ${(day - 9) / hour}`,
    ]);
    const spread = declines(35, scheme).map((each, at) => ({ ...each, ago: (at + 1) * 20 * hour }));
    expect(read(spread, question).obstacles).toMatchObject([{ what: "mastercard-30d" }]);
    expect(read(spread.slice(1), question).free).toBe(1);
  });

  test("an approval of card and amount lets the count begin again", () => {
    const approval = (ago: number, amountMinor = 5000): Told => ({
      ago,
      type: "payment_approved",
      amountMinor,
    });
    const caps = capsOf("visa");
    expect(read([...declines(21, {}), approval(2)], { caps }).free).toBe(19);
    expect(read([...declines(21, {}), approval(2, 4999)], { caps }).free).toBe(0);
  });

  test("what others met between the decision and the approval of a payment may have come after it, and counts", () => {
    const approval: Told = {
      ago: 2,
      type: "payment_approved",
      wides: { payment: 1, counted_at: nowMs - 10 },
    };
    const by = (payment: number, ago: number): Told => ({ ago, values: { code: "05" }, wides: { payment } });
    const used = (...told: readonly Told[]) =>
      read([...told, approval], { caps: capsOf("visa") }).caps[0]!.used;
    expect(used(by(2, 11), by(2, 10))).toBe(0);
    expect(used(by(2, 9), by(2, 5))).toBe(2);
    expect(used(by(1, 9), by(1, 5)), "its own").toBe(0);
    expect(used(by(2, 1)), "after it").toBe(1);
  });

  test("an approval of a part resets no count by amount: what was asked for is not its own amount", () => {
    const part: Told = { ago: 2, type: "payment_approved", values: { code: "10" } };
    expect(read([...declines(21, {}), part], { caps: capsOf("visa") }).free).toBe(0);
    const mastercard = { scheme: "mastercard" };
    const ofCard = { ...part, values: { ...part.values, ...mastercard } };
    const question = { scheme: "mastercard", caps: capsOf("mastercard").slice(0, 1) };
    expect(read([...declines(5, mastercard), ofCard], question).free).toBeGreaterThan(5);
  });

  test("what no network saw is not counted", () => {
    const told: Told[] = [
      { ago: 1, values: { outcome: "TECH_NOT_PROCESSED" } },
      { ago: 1, values: { outcome: "AUTH_FAILED" } },
      { ago: 1, values: { outcome: "TECH_NOT_PROCESSED", code: "96" } },
      { ago: 1, values: { outcome: "HARD" } },
    ];
    expect(read(told, { caps: capsOf("visa") }).caps).toMatchObject([{ used: 2 }]);
  });

  test("of caps over the same window the one that began last counts", () => {
    expect(capsOf("visa", Date.UTC(2025, 4, 24)).map(({ declines }) => declines)).toEqual([16]);
    expect(capsOf("visa").map(({ declines }) => declines)).toEqual([21]);
    expect(capsOf("jcb")).toEqual([]);
  });
});

describe("attempts in flight", () => {
  const cap: SchemeCap = {
    ...{ id: "day", scheme: "visa", windowMs: day, key: "CARD_AMOUNT", declines: 3 },
    ...{ resetOnApproval: true, fromMs: undefined },
  };
  const holdOf = (held: Partial<HeldAttempts>, changes: Partial<Hold> = {}): Hold =>
    sampleHold("other", {
      instantMs: nowMs,
      releasesAtMs: nowMs + hour,
      attempts: [
        {
          ...{
            revision: 0,
            card: asked.card,
            scheme: "visa",
            group: "CIT",
            amountMinor: 5_000,
            currency: "EUR",
          },
          ...{ planned: 2, open: 0, openAtMs: 0 },
          ...held,
        },
      ],
      ...changes,
    });
  const readWith = (hold: Hold, question: Partial<CardQuestion> = {}, told: readonly Told[] = []) =>
    readCardStanding(
      views,
      { ...asked, caps: [cap], ...question },
      { card: makeListedHistory(told.map(tell), { labels }), bin: undefined, holds: [hold] },
    );

  test.each<[string, number, Partial<HeldAttempts>, Partial<Hold>?, Partial<CardQuestion>?]>([
    ["of another payment count", 1, {}],
    ["of the payment itself do not", 3, {}, { paymentId: "asking" }],
    ["but what is out of it does", 2, { open: 1, openAtMs: nowMs }, { paymentId: "asking" }],
    ["of another amount do not", 3, { amountMinor: 4_000 }],
    ["do where the cap is of the card", 1, { amountMinor: 4_000 }, {}, { caps: [{ ...cap, key: "CARD" }] }],
    ["in another currency do not", 3, { currency: "GBP" }],
    ["of what the merchant starts do not", 3, { group: "MIT" }],
    ["of another scheme do not", 3, { scheme: "mastercard" }],
    ["of a scheme that nobody knows do", 1, { scheme: "" }],
    ["of another card do not", 3, { card: "fingerprint:g" }],
    ["of a hold that has ended do not", 3, {}, { releasesAtMs: nowMs }],
    ["that are out do after its end", 2, { open: 1, openAtMs: nowMs - day + 1 }, { releasesAtMs: nowMs }],
    ["until they leave the window", 3, { open: 1, openAtMs: nowMs - day }, { releasesAtMs: nowMs }],
    ["of the future do not", 3, {}, { instantMs: nowMs + 1 }],
    ["of another player do not, where the card may be another one", 3, {}, {}, { player: hashWide("p") }],
    ["of the player do", 1, {}, { playerId: "p" }, { player: hashWide("p") }],
  ])("%s", (_, free, held, changes = {}, question = {}) => {
    expect(readWith(holdOf(held, changes), question).free).toBe(free);
  });

  test("fill a cap with declines until the first of them are let go or leave", () => {
    const decline: Told = { ago: 23 * hour + 30 * 60_000, values: { code: "05" } };
    const full = readWith(holdOf({}), {}, [decline]);
    expect(full.obstacles).toEqual([
      { code: "SCHEME_CAP", what: "day", answer: "", untilMs: nowMs + hour / 2, isInFlight: true },
    ]);
    const lapsing = readWith(holdOf({}), {}, [{ ...decline, ago: 0 }]);
    expect(lapsing.obstacles[0]!.untilMs).toBe(nowMs + hour);
    expect(lapsing.caps).toMatchObject([{ used: 1, inFlight: 2, declines: 3 }]);
  });
});

/** Reads the standing condition by condition, each with a pass of its own. */
function readNaively(events: readonly ListedEvent[], question: CardQuestion): readonly string[] {
  const { nowMs } = question;
  const rows = events
    .toSorted((a, b) => a.atMs - b.atMs || (a.id ?? 0) - (b.id ?? 0))
    .filter(({ atMs }) => atMs <= question.latestMs)
    .filter(
      ({ wides }) => Number.isNaN(question.player) || (wides?.player ?? question.player) === question.player,
    );
  const isApproval = ({ type }: ListedEvent) => type === "payment_approved";
  const textOf = ({ values }: ListedEvent, name: string) => String(values?.[name] ?? "");
  const isSameAmount = (row: ListedEvent) =>
    row.amountMinor === question.amountMinor && row.currency === question.currency;
  const after = (row: ListedEvent) => rows.slice(rows.indexOf(row) + 1);
  const found: string[] = [];
  for (const what of ["card", "card_amount", "agreement"]) {
    const untils = rows
      .filter((row) => !isApproval(row) && textOf(row, "block") === what)
      .filter((row) => what !== "card_amount" || isSameAmount(row))
      .filter(() => what !== "agreement" || question.group === "MIT")
      .filter(
        (row) => !after(row).some((each) => isApproval(each) && each.wides!.payment === row.wides!.payment),
      )
      .map(({ wides }) => wides!.block_until!)
      .filter((untilMs) => untilMs > nowMs);
    if (untils.length > 0) found.push(`${what} ${Math.max(...untils)}`);
  }
  const waits = rows
    .filter((row) => !isApproval(row) && textOf(row, "advice") !== "")
    .filter((row) => {
      if (!["51", "61"].includes(textOf(row, "code"))) return true;
      return row.currency !== question.currency || question.amountMinor! >= row.amountMinor!;
    })
    .map((row) => row.atMs + (textOf(row, "advice") === "24" ? hour : 3 * day))
    .filter((untilMs) => untilMs > nowMs);
  const wrong = rows.filter(
    (row) => !isApproval(row) && textOf(row, "code") === "N7" && !after(row).some(isApproval),
  );
  const lock = wrong
    .filter((row, at) => at >= 2 && row.atMs - wrong[at - 2]!.atMs < day)
    .map(({ atMs }) => atMs + day)
    .filter((untilMs) => untilMs > nowMs);
  if (lock.length > 0) found.push(`cvv ${Math.max(...lock)}`);
  if (
    rows.some(
      (row) =>
        !isApproval(row) &&
        textOf(row, "code") === "54" &&
        row.atMs > question.dataAsOfMs &&
        row.atMs + 30 * day > nowMs &&
        !after(row).some(isApproval),
    )
  )
    found.push("data -");
  if (waits.length > 0) found.push(`advice ${Math.max(...waits)}`);
  const resets = (approval: ListedEvent, row: ListedEvent) =>
    isApproval(approval) &&
    (row.wides!.payment === approval.wides!.payment ||
      row.atMs <= (approval.wides!.counted_at ?? approval.atMs));
  for (const cap of question.caps) {
    const isSame = (row: ListedEvent) =>
      [question.group, ""].includes(textOf(row, "initiator")) && (cap.key === "CARD" || isSameAmount(row));
    const countAt = (at: number) =>
      rows.filter(
        (row) =>
          !isApproval(row) &&
          isSame(row) &&
          row.atMs > at - cap.windowMs &&
          !(cap.resetOnApproval && after(row).some((each) => isSame(each) && resets(each, row))),
      ).length;
    if (countAt(nowMs) < cap.declines) continue;
    const frees = rows.map(({ atMs }) => atMs + cap.windowMs).filter((at) => countAt(at) < cap.declines);
    found.push(`${cap.id} ${Math.min(...frees)}`);
  }
  return found;
}

const event: fc.Arbitrary<ListedEvent> = fc
  .record({
    type: fc.constantFrom("payment_approved", "payment_declined", "payment_declined", "payment_declined"),
    atMs: fc.oneof(
      fc.integer({ min: 0, max: 6 }).map((steps) => nowMs + hour - steps * 12 * hour),
      fc.integer({ min: 0, max: 35 }).map((days) => nowMs - days * day),
    ),
    amountMinor: fc.constantFrom(4000, 5000, 6000),
    currency: fc.constantFrom("EUR", "EUR", "GBP"),
    values: fc.record(
      {
        code: fc.constantFrom("05", "51", "54", "N7", "N7"),
        advice: fc.constantFrom("", "24", "02"),
        block: fc.constantFrom("", "", "card", "card_amount", "agreement"),
        initiator: fc.constantFrom("CIT", "MIT", "MOTO"),
      },
      { requiredKeys: ["code"] },
    ),
    wides: fc.record(
      {
        payment: fc.integer({ min: 1, max: 4 }),
        player: fc.constantFrom(1, 2),
        block_until: fc.constantFrom(nowMs - 1, nowMs, nowMs + day, Number.POSITIVE_INFINITY),
        counted_at: fc.integer({ min: 0, max: 35 }).map((days) => nowMs - days * day),
      },
      { requiredKeys: ["payment", "player", "block_until"] },
    ),
  })
  .map((told) => {
    const values = Object.fromEntries(
      Object.entries(told.values).filter(([, value]) => value !== undefined && value !== ""),
    );
    if (values.initiator === "MOTO") values.initiator = "CIT";
    return { ...told, values };
  });

const cap: fc.Arbitrary<SchemeCap> = fc.record({
  id: fc.constantFrom("x", "y"),
  scheme: fc.constant("visa"),
  windowMs: fc.constantFrom(day, 30 * day),
  key: fc.constantFrom("CARD" as const, "CARD_AMOUNT" as const),
  declines: fc.integer({ min: 1, max: 4 }),
  resetOnApproval: fc.boolean(),
  fromMs: fc.constant(undefined),
});

test("the one pass reads what a pass for each condition reads", () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 14 }),
      fc.array(cap, { maxLength: 3 }),
      fc.record({
        group: fc.constantFrom("CIT" as const, "MIT" as const),
        player: fc.constantFrom(Number.NaN, 1),
        dataAsOfMs: fc.constantFrom(Number.NEGATIVE_INFINITY, nowMs - day, nowMs),
        latestMs: fc.constantFrom(nowMs, Number.POSITIVE_INFINITY),
      }),
      (told, caps, question) => {
        const events = told.map((each, id) => ({ ...each, id }));
        const whole = { ...asked, caps, ...question };
        const {
          obstacles,
          free,
          caps: readings,
        } = readCardStanding(views, whole, {
          card: makeListedHistory(events, { labels }),
          bin: undefined,
        });
        const got = obstacles.map(
          ({ what, untilMs }) => `${what} ${untilMs ?? (what === "data" ? "-" : "Infinity")}`,
        );
        expect(got).toEqual(readNaively(events, whole));
        expect(free === 0).toBe(obstacles.some(({ code }) => code === "SCHEME_CAP"));
        for (const { used, declines } of readings)
          expect(free).toBeLessThanOrEqual(Math.max(0, declines - used));
      },
    ),
    { numRuns: countRuns(3_000) },
  );
});
