import { describe, expect, it } from "vitest";
import { HistoryTable } from "../../core/history/history-table.ts";
import { MoveOrder } from "./move-order.ts";
import { NumberQueue } from "./number-queue.ts";

function open(count: number): { readonly table: HistoryTable; readonly numbers: NumberQueue } {
  const table = new HistoryTable();
  const numbers = new NumberQueue();
  for (let at = 0; at < count; at++) {
    const id = `p-${(at * 7_919) % count}`.padStart(9, "0");
    numbers.push(table.open(`m${at % 2}`, { kind: "player", id }));
  }
  return { table, numbers };
}

describe("MoveOrder", () => {
  it.each([10, 20_000])("has each of %d numbers once, and none that came since", (count) => {
    const { table, numbers } = open(count);
    const order = new MoveOrder(table, numbers);
    order.begin(count);
    numbers.push(table.open("late", { kind: "player", id: "late" }));
    while (order.step());
    const ordered = Array.from({ length: count }, (_, place) => order.at(place));
    expect(ordered.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
  });

  it("puts those together whose keys lie together", () => {
    const count = 20_000;
    const { table, numbers } = open(count);
    const order = new MoveOrder(table, numbers);
    order.begin(count);
    while (order.step());
    const keyOf = (place: number): string => {
      const number = order.at(place);
      return table.merchantOf(number) + table.subjectOf(number).id;
    };
    const keys = Array.from({ length: count }, (_, place) => keyOf(place));
    const sorted = keys.toSorted();
    const rank = new Map(sorted.map((key, at) => [key, at]));
    const farthest = Math.max(...keys.map((key, at) => Math.abs(rank.get(key)! - at)));
    // A stretch has 78 of them, and is not drawn evenly.
    expect(farthest).toBeLessThan(1_000);
  });

  it("minds no subject that was removed meanwhile, nor who has its number now", () => {
    const count = 5_000;
    const { table, numbers } = open(count);
    const order = new MoveOrder(table, numbers);
    order.begin(count);
    order.step();
    for (let number = 0; number < count; number += 3) table.remove(number);
    for (let at = 0; at < 100; at++) table.open("m", { kind: "card", id: `${"ü€".repeat(at)}` });
    while (order.step());
    const ordered = Array.from({ length: count }, (_, place) => order.at(place));
    expect(ordered.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
  });
});
