import { expect, test } from "vitest";
import { createListedLabels, makeListedHistory } from "../../../test/helpers/listed-history.ts";
import { countDeclines } from "./retry-budget.ts";

const hour = 3_600_000;
const nowMs = Date.UTC(2026, 10, 16, 12);
const labels = createListedLabels();

const declined = (atMs: number, kind = "deposit") => ({
  type: "payment_declined",
  atMs,
  values: { kind },
});
const ask = { nowMs, latestMs: nowMs, windowMs: hour };

test("declined deposits count within the window, which an instant leaves at its end", () => {
  const history = makeListedHistory(
    [
      declined(nowMs - hour),
      declined(nowMs - hour + 1),
      declined(nowMs),
      declined(nowMs, "withdrawal"),
      { type: "payment_approved", atMs: nowMs, values: { kind: "deposit" } },
      declined(nowMs + 1),
    ],
    { labels },
  );
  expect(countDeclines(history, ask)).toBe(2);
  expect(countDeclines(history, { ...ask, latestMs: Number.POSITIVE_INFINITY })).toBe(3);
  expect(countDeclines(undefined, ask)).toBe(0);
});

test("what was folded away counts whole where it reaches into the window", () => {
  const label = labels.intern(declined(0));
  const other = labels.intern({ type: "payment_approved", atMs: 0, values: { kind: "deposit" } });
  const tile = { count: 3, sumMinor: 0, minMinor: 0, maxMinor: 0 };
  const tiles = [
    { ...tile, label, fromMs: nowMs - 3 * hour, untilMs: nowMs - hour },
    { ...tile, label, fromMs: nowMs - 2 * hour, untilMs: nowMs - hour + 1 },
    { ...tile, label: other, fromMs: nowMs - 2 * hour, untilMs: nowMs },
  ];
  const history = makeListedHistory([declined(nowMs)], { labels, tiles });
  expect(countDeclines(history, ask)).toBe(4);
});
