import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { compileForTest, testNowMs } from "../../../test/helpers/compile.ts";
import type { CompileInput, RuleCompiler } from "../../ports/rule-compiler.ts";
import { openRuleCompiler, type RuleCompilerOptions } from "./rule-compiler.ts";
import { copyBytes, runInSlices } from "./slices.ts";

const fullText = readFileSync(
  fileURLToPath(new URL("../../../test/cases/rules/full.yaml", import.meta.url)),
  "utf8",
);
const small = "psps: [{ id: a, methods: [card] }]";

function makeInput(text: string, more: Partial<CompileInput> = {}): CompileInput {
  const document = new TextEncoder().encode(text);
  return { merchantId: "default", document, format: "YAML", version: 3, nowMs: testNowMs, ...more };
}

let compiler: RuleCompiler | undefined;
const lost: string[] = [];

function open(options: RuleCompilerOptions = {}): RuleCompiler {
  lost.length = 0;
  compiler = openRuleCompiler({ ...options, onWorkerLost: (why) => lost.push(why) });
  return compiler;
}

afterEach(async () => {
  await compiler?.close();
  compiler = undefined;
});

describe("the compiler", () => {
  test("makes the snapshot that this thread would make, and leaves the document to its owner", async () => {
    const input = makeInput(fullText);
    const result = await open().compile(input);
    if (!result.ok) throw new Error(JSON.stringify(result.compilation));
    const expected = compileForTest(fullText);
    expect(result.snapshot).toMatchObject({ version: 3, hash: expected.hash });
    expect(result.snapshot.rules).toEqual(expected.rules);
    expect(result.snapshot.psps).toEqual(expected.psps);
    expect(result.compilation).toMatchObject({ faults: [], hash: expected.hash, ruleCount: 9 });
    expect(new TextDecoder().decode(input.document)).toBe(fullText);
  });

  test("checks without compiling, and refuses with located faults", async () => {
    const { check, compile } = open();
    expect(await check(makeInput(small))).toMatchObject({ faults: [] });
    const wrong = makeInput("psps: [{ id: a, method: [card] }]");
    expect(await check(wrong)).toMatchObject({
      faults: [{ rule: "unknown-field", line: 1, column: 17, id: "a" }],
    });
    expect(await compile(wrong)).toMatchObject({ ok: false, compilation: { hash: "" } });
  });

  test("compares documents, alone or while it compiles", async () => {
    const { compile, diff } = open();
    const [before, after] = [makeInput(small), makeInput(small.replace("card", "pix"))];
    const changes = [{ section: "psps", id: "a", loosens: false }];
    expect(await diff(before, after)).toMatchObject({ ok: true, changes });
    expect(await compile(after, before)).toMatchObject({ ok: true, changes, snapshot: { methods: ["pix"] } });
    expect(await compile(after)).toMatchObject({ ok: true, changes: [] });
    const wrong = makeInput("{}");
    expect(await diff(before, wrong)).toMatchObject({ ok: false, compilation: { hash: "" } });
    expect(await compile(wrong, before)).toMatchObject({ ok: false, compilation: { hash: "" } });
    await expect(diff(wrong, after)).rejects.toThrow("accepted");
  });

  test("runs jobs one after another, each with its own answer", async () => {
    const { check } = open();
    const names = ["one", "two", "three"];
    const answers = await Promise.all(names.map((name) => check(makeInput(`name: ${name}\n${small}`))));
    expect(answers.map(({ name }) => name)).toEqual(names);
  });
});

describe("a compiler under attack", () => {
  test("loses its worker to a document that needs too much memory, and goes on with another", async () => {
    const { check } = open({ heapMiB: 32 });
    const bomb = `lists:\n${"  - { id: a, values: [b, c, d] }\n".repeat(40_000)}`;
    const [bombed, next] = await Promise.all([check(makeInput(bomb)), check(makeInput(small))]);
    expect(bombed).toMatchObject({ hash: "", faults: [{ rule: "compiler-failed", severity: "ERROR" }] });
    expect(lost).toHaveLength(1);
    expect(next).toMatchObject({ faults: [] });
  });

  test("stops a job that takes too long, and goes on with another", async () => {
    const { check, diff } = open({ timeLimitMs: 1 });
    expect(await check(makeInput(small))).toMatchObject({ faults: [{ rule: "compiler-failed" }] });
    expect(lost).toEqual(["the compiler took more than 1 ms"]);
    expect(await diff(makeInput(small), makeInput(small))).toMatchObject({
      ok: false,
      compilation: { faults: [{ rule: "compiler-failed" }] },
    });
  });

  test("refuses what does not fit into the queue", async () => {
    const { check } = open({ queueMax: 2 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => check(makeInput(small))));
    const refused = answers.filter(({ faults }) => faults[0]?.rule === "compiler-failed");
    // One runs, two wait.
    expect(refused).toHaveLength(2);
    expect(lost).toEqual([]);
  });

  test("answers what waits when it is closed, and all that comes later", async () => {
    const { check, close } = open();
    const waiting = [check(makeInput(small)), check(makeInput(small))];
    await new Promise(setImmediate);
    await close();
    const answers = [...(await Promise.all(waiting)), await check(makeInput(small))];
    expect(answers.map(({ faults }) => faults[0]?.rule)).toEqual(Array(3).fill("compiler-failed"));
    expect(lost).toEqual([]);
  });
});

describe("slices", () => {
  test("let other work run between them", async () => {
    function* steps(): Generator<void, string> {
      for (let n = 0; n < 20; n++) {
        const endMs = performance.now() + 0.5;
        while (performance.now() < endMs);
        yield;
      }
      return "done";
    }
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    expect(await runInSlices(steps())).toBe("done");
    isDone = true;
    expect(turns).toBeGreaterThan(10);
  });

  test("copy bytes whole", async () => {
    const source = Uint8Array.from({ length: 2_500_000 }, (_, n) => n % 251);
    const copy = await runInSlices(copyBytes(source));
    expect(Buffer.compare(copy, source)).toBe(0);
    expect(copy.buffer).not.toBe(source.buffer);
  });
});
