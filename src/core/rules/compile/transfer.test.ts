import { expect, test } from "vitest";
import { compileForTest, sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { compileDocument } from "./compile.ts";
import { hydrateSnapshot } from "./hydrate.ts";
import { imageBuffers } from "./image.ts";

const text = `
psps: [{ id: a, methods: [card] }]
lists: [{ id: chosen, values: [p-1] }]
attributes: [{ name: level, subject: PLAYER, type: INT }]
event_types:
  - { name: spin, has_amount: true, attributes: [{ name: wheel, type: STRING, values: [red, blue] }, { name: speed, type: DOUBLE }] }
features:
  - { id: spins, aggregate: { function: RATIO, events: [spin], where: event.speed > 2.0, hit: event.wheel == "red", window: { rolling: 7d } } }
  - { id: methods, aggregate: { function: DISTINCT, events: [payment_approved], of: method } }
  - { id: both, derived: feature.spins > 0.5 && feature.methods > 1 }
  - { id: night, marker: night_play }
segments:
  - { id: many, when: feature.both, exit_when: feature.spins < 0.2, dwell_min: 3d, include_list: chosen }
  - { id: nightly, when: feature.night, purposes: [RG] }
lifecycles:
  - { id: journey, states: [{ id: a, when: player.level > 3, dwell_min: 1h }, { id: b }] }
rules:
  - { id: r, class: RISK, when: segment("many") && feature.methods > 2, effects: { review: {} } }
`;

/** Every buffer that an image holds, wherever it stands. */
function findBuffers(value: unknown): readonly ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(findBuffers);
}

test("an image crosses to another thread whole, without a copy, and opens as the same snapshot", () => {
  const document = new TextEncoder().encode(text);
  const { image } = compileDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  const held = findBuffers(image);
  const moved = structuredClone(image!, { transfer: imageBuffers(image!) });
  expect(held.length).toBeGreaterThan(20);
  expect(held.every((buffer) => buffer.detached)).toBe(true);

  const steps = hydrateSnapshot(moved, { version: 1, nowMs: testNowMs });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const snapshot = step.value;
  const here = compileForTest(text);
  for (const field of [
    "slots",
    "eventSlots",
    "features",
    "featureOrder",
    "segments",
    "lifecycles",
    "eventTypes",
  ] as const) {
    expect(snapshot[field], field).toEqual(here[field]);
  }
  for (const [ordinal] of here.segments.entries()) {
    expect(snapshot.segmentCondition(ordinal)).toEqual(here.segmentCondition(ordinal));
    expect(snapshot.segmentExit(ordinal)).toEqual(here.segmentExit(ordinal));
  }
  expect(snapshot.eventTypes.get("spin")).toEqual({
    name: "spin",
    amount: "optional",
    attributes: new Map([
      ["speed", { name: "speed", type: "DOUBLE", storage: "wide", values: [], required: false, doc: "" }],
      [
        "wheel",
        {
          name: "wheel",
          type: "STRING",
          storage: "plain",
          values: ["blue", "red"],
          required: false,
          doc: "",
        },
      ],
    ]),
    isPaymentFact: false,
    purposes: ["payments", "fraud"],
    doc: "",
  });
});
