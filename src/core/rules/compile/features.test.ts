import { describe, expect, test } from "vitest";
import { compileForTest } from "../../../../test/helpers/compile.ts";

const head = "psps: [{ id: a, methods: [card] }]\n";

describe("features of a snapshot", () => {
  const snapshot = compileForTest(`${head}
event_types:
  - { name: spin, has_amount: true, attributes: [{ name: wheel, type: STRING, values: [red, blue] }, { name: speed, type: DOUBLE }] }
attributes: [{ name: level, subject: PLAYER, type: INT }]
features:
  - { id: z_deposits_7d, aggregate: { function: COUNT, events: [payment_approved], where: 'event.kind == "deposit" && local_hour(event.at, "Europe/Berlin") < 6', window: { rolling: 7d, offset: 1d } } }
  - { id: a_doubled, derived: feature.z_deposits_7d * 2 + player.level }
  - { id: red_share, aggregate: { function: RATIO, events: [spin], hit: event.wheel == "red" && event.speed > 1.5, min_samples: 5, window: { calendar: { period: WEEK, zone: Europe/Berlin, back: 1 } } } }
  - { id: last_at, aggregate: { function: LAST, events: [payment_approved, payment_declined], of: at } }
segments:
  - { id: doubles, when: feature.a_doubled > 3 }
`);

  test("stand in order of id with their types", () => {
    expect(snapshot.features.map(({ id, type }) => `${id} ${String(type)}`)).toEqual([
      "a_doubled int",
      "last_at timestamp",
      "red_share double",
      "z_deposits_7d int",
    ]);
    expect(snapshot.featureOrder).toEqual([3, 0, 1, 2]);
  });

  test("hold windows, filters and what is aggregated", () => {
    const [, lastAt, share, deposits] = snapshot.features;
    expect(deposits?.how).toMatchObject({
      kind: "aggregate",
      aggregate: {
        function: "COUNT",
        events: ["payment_approved"],
        where: { op: "and" },
        window: { kind: "rolling", spanMs: 7 * 86_400_000, offsetMs: 86_400_000 },
      },
    });
    expect(share?.how).toMatchObject({
      aggregate: { hit: { op: "and" }, minSamples: 5, window: { kind: "calendar", period: "WEEK", back: 1 } },
    });
    expect(lastAt?.how).toMatchObject({
      aggregate: { of: { kind: "at" }, window: { kind: "lifetime" } },
    });
    expect(snapshot.eventSlots).toEqual(
      ["kind", "at", "wheel", "speed"].map((name) => ({ kind: "event", name })),
    );
  });

  test("give segments their longest window", () => {
    expect(snapshot.segments[0]).toMatchObject({
      windowMsMax: 8 * 86_400_000,
      hasMemory: false,
      needsPayment: false,
    });
  });
});
