import { expect, test } from "vitest";
import { EventSources } from "./sources.ts";

test("a source has its watermark, its verdicts and its late events", () => {
  const sources = new EventSources();
  sources.count("wallet", "ACCEPTED", 20, false);
  sources.count("wallet", "ACCEPTED", 10, true);
  sources.count("wallet", "REFUSED", undefined, false);
  sources.count("crm", "QUARANTINED", undefined, false);
  expect(sources.list()).toEqual([
    { source: "crm", watermarkMs: undefined, verdicts: new Map([["QUARANTINED", 1]]), late: 0 },
    {
      source: "wallet",
      watermarkMs: 20,
      verdicts: new Map([
        ["ACCEPTED", 2],
        ["REFUSED", 1],
      ]),
      late: 1,
    },
  ]);
});

test("sources beyond 256 are counted as one", () => {
  const sources = new EventSources();
  for (let at = 0; at < 1_000; at++) sources.count(`s-${at}`, "ACCEPTED", at, false);
  sources.count("other", "ACCEPTED", 0, false);
  const list = sources.list();
  expect(list).toHaveLength(256);
  expect(list.find(({ source }) => source === "other")).toMatchObject({
    watermarkMs: 999,
    verdicts: new Map([["ACCEPTED", 746]]),
  });
});
