import { describe, expect, test } from "vitest";
import { unknownBin } from "../bin/bin-table.ts";
import type { SlotSource } from "../cel/environment.ts";
import type { Value } from "../cel/expr.ts";
import type { FactInput } from "../facts.ts";
import { buildFx } from "../money.ts";
import type { Payment } from "../payment.ts";
import type { StoredAttribute } from "../player.ts";
import type { AttributeInfo } from "../rules/snapshot.ts";
import { buildFrameReader, checkAttributes, createFrame } from "./frame-reader.ts";

const built = buildFx({ rates: [{ from: "GBP", to: "EUR", rate: "1.15" }] });
if (!built.ok) throw new Error("rates");
const nowMs = Date.UTC(2026, 10, 16, 23, 30);

const declare = (
  name: string,
  type: AttributeInfo["type"],
  values: string[] = [],
): [string, AttributeInfo] => [name, { name, type, values, purposes: ["payments"] }];
const declarations = {
  fx: built.fx,
  attributes: new Map([
    declare("since", "TIMESTAMP"),
    declare("visits", "INT"),
    declare("tags", "STRING_LIST"),
  ]),
  playerAttributes: new Map([declare("tier", "STRING"), declare("visits", "INT")]),
  slots: [],
  features: [],
  featureOrder: [],
  eventSlots: [],
  models: [],
  lists: [],
};

const payment = {
  playerId: "p",
  currency: "GBP",
  amountMinor: 100,
  kind: "deposit",
  riskSignals: [],
  attributes: new Map<string, boolean | number | string | string[]>([
    ["since", "2026-01-01T00:00:00Z"],
    ["tags", ["a"]],
    ["visits", "many"],
  ]),
} as unknown as Payment;

function read(source: SlotSource, stored: Partial<StoredAttribute> & { name?: string } = {}): Value {
  const { name = "tier", ...rest } = stored;
  const attribute: StoredAttribute = { value: "gold", setAtMs: nowMs - 1_000, source: "test", ...rest };
  const player = { playerId: "p", attributes: new Map([[name, attribute]]), restrictions: [] };
  const input: FactInput = { payment, player, bin: unknownBin, licence: undefined, nowMs };
  const frame = createFrame([source], { segments: [], lists: [] });
  buildFrameReader([source], declarations)(input, frame);
  expect(frame.nowMs).toBe(nowMs);
  return frame.values[0];
}

describe("reading slots", () => {
  test.each<{
    name: string;
    source: SlotSource;
    stored?: Partial<StoredAttribute> & { name?: string };
    value: Value;
  }>([
    { name: "a fact", source: { kind: "field", path: "payment.currency" }, value: "GBP" },
    { name: "an amount, converted half up", source: { kind: "amountIn", currency: "EUR" }, value: 115 },
    { name: "an amount without a rate", source: { kind: "amountIn", currency: "USD" }, value: undefined },
    { name: "the hour of a zone", source: { kind: "localHour", zone: "Europe/Berlin" }, value: 0 },
    { name: "the day of a zone", source: { kind: "localWeekday", zone: "Europe/Berlin" }, value: 2 },
    { name: "now", source: { kind: "now" }, value: nowMs },
    {
      name: "a timestamp of the request",
      source: { kind: "paymentAttribute", name: "since" },
      value: Date.UTC(2026, 0, 1),
    },
    { name: "a list of the request", source: { kind: "paymentAttribute", name: "tags" }, value: ["a"] },
    {
      name: "an ill-typed attribute",
      source: { kind: "paymentAttribute", name: "visits" },
      value: undefined,
    },
    {
      name: "an attribute that was not sent",
      source: { kind: "paymentAttribute", name: "other" },
      value: undefined,
    },
    { name: "a stored attribute", source: { kind: "playerAttribute", name: "tier" }, value: "gold" },
    {
      name: "a stored attribute within its TTL",
      source: { kind: "playerAttribute", name: "tier" },
      stored: { ttlMs: 1_001 },
      value: "gold",
    },
    {
      name: "a stored attribute at its TTL",
      source: { kind: "playerAttribute", name: "tier" },
      stored: { ttlMs: 1_000 },
      value: undefined,
    },
    {
      name: "a stored attribute of an older type",
      source: { kind: "playerAttribute", name: "tier" },
      stored: { value: 7 },
      value: undefined,
    },
    {
      name: "a built-in stored attribute",
      source: { kind: "playerAttribute", name: "kyc_country" },
      stored: { name: "kyc_country", value: "DK" },
      value: "DK",
    },
    {
      name: "a stored attribute that nobody declares",
      source: { kind: "playerAttribute", name: "x" },
      stored: { name: "x", value: "y" },
      value: undefined,
    },
  ])("$name", ({ source, stored, value }) => {
    expect(read(source, stored)).toEqual(value);
  });

  test("a fact that does not exist is a bug", () => {
    expect(() => buildFrameReader([{ kind: "field", path: "payment.nothing" }], declarations)).toThrow(
      "no fact",
    );
  });
});

test("undeclared and ill-typed attributes are faults naming the field", () => {
  const sent = {
    ...payment,
    attributes: new Map<string, string | number>([
      ["colour", "red"],
      ["visits", 1.5],
    ]),
  };
  expect(checkAttributes(sent, declarations.attributes)).toMatchObject([
    { field: "attributes.colour", rule: "declared" },
    { field: "attributes.visits", rule: "type" },
  ]);
  expect(checkAttributes({ ...sent, attributes: new Map() }, declarations.attributes)).toEqual([]);
});
