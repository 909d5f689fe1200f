import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInstant, parseOffset, parseSpan } from "./instant.ts";

describe("instants", () => {
  test.each([
    { text: "2019-12-01T09:29:45+0000", iso: "2019-12-01T09:29:45.000Z" },
    { text: "2019-12-01T09:29:45+02:00", iso: "2019-12-01T07:29:45.000Z" },
    { text: "2019-12-01 09:29:45.123456Z", iso: "2019-12-01T09:29:45.123Z" },
    { text: "2019-12-01 09:29 UTC", iso: "2019-12-01T09:29:00.000Z" },
    { text: "2020-02-29Z", iso: "2020-02-29T00:00:00.000Z" },
    { text: "2020-01-01T00:00:00-0330", iso: "2020-01-01T03:30:00.000Z" },
  ])("$text is $iso", ({ text, iso }) => {
    expect(parseInstant(text)).toEqual({ ok: true, ms: Date.parse(iso) });
  });

  test("a text without an offset takes the given one, and is refused without one", () => {
    expect(parseInstant("2019-12-01 09:00:00", "+01:00")).toEqual({
      ok: true,
      ms: Date.parse("2019-12-01T08:00:00Z"),
    });
    expect(parseInstant("2019-12-01 09:00:00")).toMatchObject({ ok: false, rule: "offset" });
  });

  test.each([
    { text: "2019-02-29T00:00:00Z", rule: "calendar" },
    { text: "2019-13-01T00:00:00Z", rule: "calendar" },
    { text: "2019-12-01T24:00:00Z", rule: "calendar" },
    { text: "2019-12-01T00:60:00Z", rule: "calendar" },
    { text: "2019-12-01T00:00:00+19:00", rule: "calendar" },
    { text: "0099-12-01T00:00:00Z", rule: "calendar" },
    { text: "01.12.2019", rule: "instant" },
    { text: "", rule: "instant" },
    { text: "1575192585", rule: "instant" },
  ])("$text is refused: $rule", ({ text, rule }) => {
    expect(parseInstant(text)).toMatchObject({ ok: false, rule });
  });

  test("whatever is written out is read back", () => {
    const instants = fc.date({
      min: new Date("1000-01-01Z"),
      max: new Date("9999-12-31Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instants, (instant) => {
        expect(parseInstant(instant.toISOString())).toEqual({ ok: true, ms: instant.getTime() });
      }),
    );
  });
});

test("offsets are in minutes", () => {
  expect(["Z", "+0000", "+05:30", "-08", "+18:30", "5"].map(parseOffset)).toEqual([
    0,
    0,
    330,
    -480,
    undefined,
    undefined,
  ]);
});

test("spans are in ms", () => {
  expect(parseSpan("90s")).toEqual({ ok: true, ms: 90_000 });
  expect(parseSpan("30d")).toEqual({ ok: true, ms: 30 * 86_400_000 });
  for (const text of ["", "5", "-5s", "1.5h", "1w"])
    expect(parseSpan(text)).toMatchObject({ ok: false, rule: "span" });
});
