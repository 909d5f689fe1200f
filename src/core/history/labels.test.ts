import { describe, expect, it } from "vitest";
import type { EventValue } from "../events/event.ts";
import type { Label } from "./history.ts";
import { reversedType } from "./history.ts";
import { LabelTable, reversedLabel } from "./labels.ts";

const makeLabel = (type: string, values: Record<string, EventValue> = {}, wides: string[] = []): Label => ({
  type,
  currency: "EUR",
  values: new Map(Object.entries(values)),
  wides,
});

describe("LabelTable", () => {
  it("numbers equal labels alike, whatever the order of their values", () => {
    const labels = new LabelTable();
    const bet = labels.intern(makeLabel("bet", { game: "dice", vertical: "casino" }));
    expect(labels.intern(makeLabel("bet", { vertical: "casino", game: "dice" }))).toBe(bet);
    expect(labels.intern(labels.get(bet!))).toBe(bet);
    expect(labels.count()).toBe(2);
    expect(labels.get(bet!)).toMatchObject({ type: "bet", currency: "EUR" });
  });

  it("tells values of different types, names and places apart", () => {
    const labels = new LabelTable();
    const places = [
      makeLabel("a", { x: 1 }),
      makeLabel("a", { x: "1" }),
      makeLabel("a", { x: true }),
      makeLabel("a", { x: "true" }),
      makeLabel("a", { y: 1 }),
      makeLabel("a", { x: "\ud800" }),
      makeLabel("a", { x: "\ufffd" }),
      makeLabel("a", {}, ["p", "q"]),
      makeLabel("a", {}, ["q", "p"]),
      makeLabel("a", {}, ["pq"]),
      { ...makeLabel("a"), currency: "USD" },
    ].map((label) => labels.intern(label));
    expect(new Set(places).size).toBe(places.length);
  });

  it("refuses the label that is one too many, and still knows the others", () => {
    const labels = new LabelTable(3);
    expect(labels.intern(makeLabel("a"))).toBe(1);
    expect(labels.intern(makeLabel("b"))).toBe(2);
    expect(labels.intern(makeLabel("c"))).toBeUndefined();
    expect(labels.intern(makeLabel("b"))).toBe(2);
  });

  it("takes labels that were written down back in their order, and no others", () => {
    const before = new LabelTable();
    before.intern(makeLabel("a", { x: 1 }));
    before.intern(makeLabel("b", {}, ["w"]));
    const after = new LabelTable();
    for (const [at, label] of before.entriesFrom(0).entries()) after.restore(at, label);
    expect(after.entriesFrom(1).map((label) => label.type)).toEqual(["a", "b"]);
    expect(after.intern(makeLabel("a", { x: 1 }))).toBe(1);
    expect(() => after.restore(1, makeLabel("b", {}, ["w"]))).toThrow(/label 1/);
    expect(() => after.restore(4, makeLabel("c"))).toThrow(/label 4/);
    expect(() => after.restore(2, makeLabel("d"))).toThrow(/label 2/);
  });

  it("has the label of what was taken back from the start", () => {
    expect(new LabelTable().get(reversedLabel).type).toBe(reversedType);
  });
});
