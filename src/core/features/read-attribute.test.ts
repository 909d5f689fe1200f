import { describe, expect, test } from "vitest";
import type { AttributeInfo } from "../rules/snapshot.ts";
import { readAttribute } from "./read-attribute.ts";

const since: AttributeInfo = { name: "since", type: "TIMESTAMP", values: [], purposes: ["payments"] };

describe("an attribute of type TIMESTAMP", () => {
  test.each([
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31t13:00:00.1239+01:00", Date.UTC(2026, 0, 31, 12, 0, 0, 123)],
    ["1969-12-31T23:59:59.999Z", -1],
  ])("reads %s to the millisecond", (text, value) => {
    expect(readAttribute(since, text)).toEqual({ value });
  });

  test.each(["2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31", "2026-01-31T12:00:00", "soon", 5])(
    "refuses %j",
    (input) => {
      expect(readAttribute(since, input)).toMatchObject({ rule: "type" });
    },
  );
});
