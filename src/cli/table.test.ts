import { describe, expect, test } from "vitest";
import { makeIo } from "../../test/helpers/captured-io.ts";
import { choosePaint } from "./io.ts";
import { openProgress } from "./progress.ts";
import { formatFields, formatTable, toPrintable } from "./table.ts";

describe("tables", () => {
  test("columns are as wide as their widest cell, and lines have no blanks at their ends", () => {
    const columns = [{ title: "Name" }, { title: "Count", align: "right" as const }, { title: "" }];
    expect(
      formatTable(columns, [
        ["a", "1", ""],
        ["much longer", "100000", "x"],
      ]),
    ).toBe("Name          Count\na                 1\nmuch longer  100000  x\n");
  });

  test("colours do not count as width", () => {
    const paint = (text: string) => `<${text}>`;
    expect(
      formatTable(
        [{ title: "A" }, { title: "B" }],
        [
          [{ text: "red", paint }, "x"],
          ["longer", "y"],
        ],
      ),
    ).toBe("A       B\n<red>     x\nlonger  y\n");
  });

  test("no rows give the titles alone", () => {
    expect(formatTable([{ title: "A" }, { title: "B" }], [])).toBe("A  B\n");
  });

  test("empty fields are left out", () => {
    expect(
      formatFields([
        ["a", "1"],
        ["long", ""],
        ["bb", "2"],
      ]),
    ).toBe("a   1\nbb  2\n");
  });

  test("text from elsewhere can't drive the terminal or forge a line", () => {
    expect(toPrintable("a\u001b[31mb\nc\u2028d\u202ee\u0085")).toBe(
      "a\\u001b[31mb\\u000ac\\u2028d\\u202ee\\u0085",
    );
    expect(formatTable([{ title: "A" }], [["x\ny"], [{ text: "\u001b[2J", paint: (text) => text }]])).toBe(
      "A\nx\\u000ay\n\\u001b[2J\n",
    );
    expect(toPrintable("žluťoučký 日本 🎲")).toBe("žluťoučký 日本 🎲");
  });
});

describe("colours", () => {
  test.each([
    { name: "a terminal has them", isTty: true, env: {}, want: "\u001b[31mx\u001b[0m" },
    { name: "a pipe has none", isTty: false, env: {}, want: "x" },
    { name: "NO_COLOR takes them away", isTty: true, env: { NO_COLOR: "1" }, want: "x" },
    { name: "an empty NO_COLOR does not", isTty: true, env: { NO_COLOR: "" }, want: "\u001b[31mx\u001b[0m" },
    { name: "a dumb terminal has none", isTty: true, env: { TERM: "dumb" }, want: "x" },
  ])("$name", ({ isTty, env, want }) => {
    expect(choosePaint(makeIo({ isTty }).out, env).red("x")).toBe(want);
  });
});

describe("the progress bar", () => {
  test("is drawn on a terminal, at most every 100 ms and at the end, and taken away", () => {
    const io = makeIo({ isTty: true });
    let now = 0;
    const progress = openProgress(io.err, { total: 100, unit: "payments", nowMs: () => now });
    for (let done = 1; done <= 100; done++) {
      now += 10;
      progress.show(done);
    }
    const drawn = io.stderr().split("\r\u001b[K").slice(1);
    expect(drawn).toHaveLength(11);
    expect(drawn[0]).toMatch(/^\[#*-+\] 1% 1\/100 payments, 100\/s, 1 s left$/);
    expect(drawn.at(-1)).toMatch(/^\[#+\] 100% 100\/100 payments, 100\/s, 0 s left$/);
    expect(drawn.every((line) => line.length < 100)).toBe(true);
    progress.clear();
    expect(io.stderr().endsWith("\r\u001b[K")).toBe(true);
  });

  test("writes nothing where nobody looks", () => {
    const io = makeIo();
    const progress = openProgress(io.err, { total: 1, unit: "payments", nowMs: () => 0 });
    progress.show(1);
    progress.clear();
    expect(io.stderr()).toBe("");
  });
});
