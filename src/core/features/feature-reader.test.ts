import { describe, expect, test, vi } from "vitest";
import { compileForTest, testNowMs } from "../../../test/helpers/compile.ts";
import { type ListedEvent, makeListedHistory } from "../../../test/helpers/listed-history.ts";
import { unknownBin } from "../bin/bin-table.ts";
import type { SlotSource } from "../cel/environment.ts";
import type { Frame, Value } from "../cel/expr.ts";
import type { FactInput } from "../facts.ts";
import type { Payment } from "../payment.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";
import { buildFrameReader, createFrame, readFeatureValues } from "./frame-reader.ts";

const nowMs = testNowMs + 1_000_000_000;
const hourMs = 3_600_000;
const document = `
psps: [{ id: alpha, methods: [card] }]
fx_rates: [{ from: GBP, to: EUR, rate: "1.15" }]
event_types: [{ name: wheel_spun, attributes: [{ name: prize, type: STRING, values: [gold, silver] }] }]
models:
  - { id: score, model_version: "1", inputs: [deposits, doubled, big], logistic: { intercept: 0, weights: [
      { input: deposits, weight: 1 }, { input: doubled, weight: 0.5, missing: -1 }, { input: big, weight: 2 }] }, sigmoid: false }
features:
  - { id: deposits, aggregate: { function: COUNT, events: [payment_approved], where: event.kind == "deposit", window: { rolling: 7d } } }
  - { id: deposited, aggregate: { function: SUM, events: [payment_approved], currency: EUR, where: event.kind == "deposit" } }
  - { id: attempts, aggregate: { function: COUNT, events: [payment_attempted], window: { rolling: 1d }, include_current: true } }
  - { id: doubled, derived: "feature.deposits * 2" }
  - { id: big, derived: "feature.doubled > 3" }
  - { id: mean, derived: "feature.deposited / feature.deposits" }
  - { id: score, model: score }
  - { id: recent, derived: "within(player.registered_at, days(30))" }
  - { id: unused, aggregate: { function: COUNT, events: [wheel_spun], where: event.prize == "gold" } }
segments:
  - { id: regular, when: feature.deposits >= 2 }
  - { id: scored, when: feature.score > 4.0 }
  - { id: young, when: feature.recent }
  - { id: average, when: feature.mean > 100 }
  - { id: busy, when: feature.attempts >= 2 }
`;
const snapshot = compileForTest(document);

const payment = {
  playerId: "p",
  currency: "EUR",
  amountMinor: 100,
  kind: "deposit",
  method: "card",
  mode: "PAYMENT",
  brand: "",
  riskSignals: [],
  attributes: new Map(),
} as unknown as Payment;

function makeInput(events: readonly ListedEvent[] | undefined, more: Partial<FactInput> = {}): FactInput {
  const player = {
    playerId: "p",
    attributes: new Map([["registered_at", { value: nowMs - hourMs, setAtMs: 0, source: "test" }]]),
    restrictions: [],
  };
  const history = events && makeListedHistory(events);
  return { payment, player, bin: unknownBin, licence: undefined, nowMs, history, ...more };
}

const approved = (agoMs: number, amountMinor = 100): ListedEvent => ({
  type: "payment_approved",
  atMs: nowMs - agoMs,
  amountMinor,
  currency: "EUR",
  values: { kind: "deposit" },
});

function matchSegments(
  rules: RuleSnapshot,
  input: FactInput,
): { truths: Record<string, number>; frame: Frame } {
  const frame = createFrame(rules.slots, rules);
  buildFrameReader(rules.slots, rules)(input, frame);
  rules.matchSegments(frame);
  const truths = Object.fromEntries(rules.segments.map(({ id }, at) => [id, frame.segments[at]!]));
  return { truths, frame };
}

const readAll = (input: FactInput): Record<string, Value> =>
  Object.fromEntries(readFeatureValues(snapshot, input).map(({ id, value }) => [id, value]));

describe("features in conditions", () => {
  test("are aggregates, what is derived from them, and models of both", () => {
    const { truths, frame } = matchSegments(snapshot, makeInput([approved(1), approved(2, 300)]));
    expect(truths).toEqual({ regular: 1, scored: 1, young: 1, average: 1, busy: 0 });
    expect(frame.evalErrors).toBe(0);
  });

  test("of a player of whom nothing is known count 0, and what divides by it is an evaluation error", () => {
    const { truths, frame } = matchSegments(snapshot, makeInput(undefined));
    expect(truths).toEqual({ regular: 0, scored: 0, young: 1, average: 2, busy: 0 });
    expect(frame.evalErrors).toBe(1);
  });

  test("count the payment at hand where they say so, and not while nothing is paid", () => {
    const attempted = { ...approved(1), type: "payment_attempted" };
    expect(matchSegments(snapshot, makeInput([attempted])).truths.busy).toBe(1);
    const cashier = { payment: { ...payment, mode: "CASHIER" as const } };
    expect(matchSegments(snapshot, makeInput([attempted], cashier)).truths.busy).toBe(0);
  });

  test("that nobody asks for are not computed", () => {
    const gold = { ...approved(1), type: "wheel_spun", values: {} };
    const input = makeInput([gold]);
    const get = vi.spyOn(input.history!.labels, "get");
    matchSegments(snapshot, input);
    // Each of the streams of the others looks at the label once.
    const asked = get.mock.calls.length;
    readFeatureValues(snapshot, input);
    expect(get.mock.calls.length - asked).toBe(asked + 1);
  });

  test("cost nothing where no slot shows one", () => {
    const rules = compileForTest(document.slice(0, document.indexOf("segments:")));
    const plain: SlotSource[] = [{ kind: "now" }];
    const input = makeInput([approved(1)]);
    const get = vi.spyOn(input.history!.labels, "get");
    const frame = createFrame(plain, rules);
    buildFrameReader(plain, rules)(input, frame);
    expect(get).not.toHaveBeenCalled();
  });

  test("of one history are right at each instant and for each payment, in whatever order they are asked for", () => {
    const psps = "psps: [{ id: alpha, methods: [card] }]";
    const ofEvents = compileForTest(`${psps}
features:
  - { id: day, aggregate: { function: COUNT, events: [payment_approved], window: { rolling: 1d } } }
`);
    const withCurrent = compileForTest(`${psps}
features:
  - { id: sum, aggregate: { function: SUM, events: [payment_approved, payment_attempted], currency: EUR, include_current: true } }
`);
    const input = makeInput([3, 2, 1, -5].map((hours) => approved(hours * hourMs)));
    const ask = (rules: RuleSnapshot, hours: number, amountMinor = 0) =>
      readFeatureValues(rules, {
        ...input,
        payment: { ...payment, amountMinor },
        nowMs: nowMs + hours * hourMs,
      })[0]?.value;
    for (const [hours, amountMinor, day, sum] of [
      [-1, 7, 3, 307],
      [0, 7, 3, 307],
      [0, 8, 3, 308],
      [5, 8, 4, 408],
      [21, 8, 3, 408],
      [23, 8, 1, 408],
      [-2, 8, 2, 208],
    ] as const) {
      expect(ask(ofEvents, hours), `${hours}`).toBe(day);
      expect(ask(withCurrent, hours, amountMinor), `${hours} ${amountMinor}`).toBe(sum);
    }
  });

  test("are the same to conditions with slots of their own, such as those of overrides", () => {
    const slots: SlotSource[] = [
      { kind: "field", path: "payment.currency" },
      ...["score", "deposits", "recent"].map((id): SlotSource => {
        const ordinal = snapshot.features.findIndex((feature) => feature.id === id);
        return { kind: "feature", ordinal, id };
      }),
    ];
    const frame = createFrame(slots, snapshot);
    buildFrameReader(slots, snapshot)(makeInput([approved(1), approved(2)]), frame);
    expect(frame.values).toEqual(["EUR", 6, 2, true]);
  });
});

describe("reading all features", () => {
  test("gives each in order of id, whether asked for or not", () => {
    const gold = { ...approved(1), type: "wheel_spun", values: { prize: "gold" } };
    expect(readAll(makeInput([gold, approved(1, 50)]))).toEqual({
      attempts: 1,
      big: false,
      deposited: 50,
      deposits: 1,
      doubled: 2,
      mean: 50,
      recent: true,
      score: 2,
      unused: 1,
    });
  });

  test("leaves out what is missing", () => {
    const values = readAll(makeInput([{ ...approved(1), currency: "SEK" }]));
    expect(values).toMatchObject({ deposits: 1, deposited: undefined, mean: undefined });
  });

  test("tells by how much tiles leave a value open", () => {
    const input = makeInput([approved(1)]);
    const history = makeListedHistory([approved(1)]);
    const tile = {
      fromMs: nowMs - 8 * 24 * hourMs,
      untilMs: nowMs - 6 * 24 * hourMs,
      label: history.label[history.start]!,
    };
    const tiles = [{ ...tile, count: 4, sumMinor: 400, minMinor: 100, maxMinor: 100 }];
    const read = readFeatureValues(snapshot, { ...input, history: { ...history, tiles } });
    const of = (id: string) => read.find((feature) => feature.id === id);
    expect(of("deposits")).toEqual({ id: "deposits", value: 1, errorBound: 4 });
    expect(of("deposited")).toEqual({ id: "deposited", value: 500, errorBound: 0 });
    expect(of("doubled")?.errorBound).toBe(Number.POSITIVE_INFINITY);
    expect(of("big")?.errorBound).toBe(Number.POSITIVE_INFINITY);
    expect(of("recent")?.errorBound).toBe(0);
  });
});
