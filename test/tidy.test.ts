/** Reads every source of the project and lists what goes against the house rules, as `path:line: why`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findImports, findInCode, readSourceText, type SourceText } from "./helpers/source-text.ts";
import {
  type Fault,
  findAnyTypes,
  findDefaultExports,
  findImpurities,
  findLongFile,
  findUnimported,
  findWrongArrows,
  formatFault,
} from "./helpers/tidy-rules.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const rulesOfOneFile = [findWrongArrows, findImpurities, findAnyTypes, findLongFile, findDefaultExports];

function readSources(): readonly SourceText[] {
  const inFolders = ["src", "test", "bench", "scripts"]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
        join(folder, name),
      ),
    )
    .map((path) => path.split(sep).join("/"))
    .filter((path) => path.endsWith(".ts") && !path.startsWith("src/gen/"));
  return ["vitest.config.ts", ...inFolders].map((path) =>
    readSourceText(path, readFileSync(join(root, path), "utf8")),
  );
}

/** Files that a script of package.json starts, and those that a tool finds by itself. */
function listEntries(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const started = Object.values(scripts).flatMap((script) => script.match(/[\w./-]+\.ts\b/g) ?? []);
  return ["vitest.config.ts", ...started];
}

const list = (faults: readonly Fault[]) => faults.map(formatFault);

describe("the sources of this project", () => {
  const sources = readSources();

  test("keep the house rules, file by file", () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(sources.flatMap((source) => rulesOfOneFile.flatMap((rule) => list(rule(source))))).toEqual([]);
  });

  test("hold no file that nobody imports", () => {
    expect(list(findUnimported(sources, listEntries()))).toEqual([]);
  });
});

describe("arrows between folders", () => {
  const cases = [
    {
      name: "core must not read a corridor",
      path: "src/core/money.ts",
      text: 'import { decide } from "../decide/decide.ts";',
      why: "src/core may not import src/decide/decide.ts",
    },
    {
      name: "core must not read generated code",
      path: "src/core/payment.ts",
      text: 'import type { A } from "../gen/a_pb.js";',
      why: "src/core may not import src/gen/a_pb.js",
    },
    {
      name: "core/rules may read generated code",
      path: "src/core/rules/check.ts",
      text: 'import { A } from "../../gen/a_pb.js";',
    },
    {
      name: "core/rules may read other rooms",
      path: "src/core/rules/check.ts",
      text: 'import { parse } from "../cel/parse.ts";',
    },
    {
      name: "core/rules must not read adapters",
      path: "src/core/rules/check.ts",
      text: 'import { open } from "../../adapters/lmdb.ts";',
      why: "src/core/rules may not import src/adapters/lmdb.ts",
    },
    {
      name: "a corridor must not call another",
      path: "src/decide/decide.ts",
      text: 'import { push } from "../manage/push.ts";',
      why: "src/decide may not import src/manage/push.ts",
    },
    {
      name: "a corridor must not know codes",
      path: "src/decide/decide.ts",
      text: 'import { fail } from "../rpc/errors.ts";',
      why: "src/decide may not import src/rpc/errors.ts",
    },
    {
      name: "a corridor may read ports and rooms",
      path: "src/manage/push.ts",
      text: 'import type { S } from "../ports/store.ts";\nimport { c } from "../core/rules/c.ts";',
    },
    {
      name: "wire must not know payments",
      path: "src/wire/frame.ts",
      text: 'import type { P } from "../core/payment.ts";',
      why: "src/wire may not import src/core/payment.ts",
    },
    {
      name: "rpc must not read adapters",
      path: "src/rpc/psps.ts",
      text: 'import { open } from "../adapters/lmdb.ts";',
      why: "src/rpc may not import src/adapters/lmdb.ts",
    },
    {
      name: "cli may read the codecs of rpc",
      path: "src/cli/decide.ts",
      text: 'import { encode } from "../rpc/codec/money.ts";',
    },
    {
      name: "cli must not read the rest of rpc",
      path: "src/cli/decide.ts",
      text: 'import { listen } from "../rpc/listeners.ts";',
      why: "src/cli may not import src/rpc/listeners.ts",
    },
    {
      name: "ports may read types of core",
      path: "src/ports/clock.ts",
      text: 'import { type A, type B } from "../core/a.ts";\nexport type { C } from "../core/c.ts";',
    },
    {
      name: "ports must not load core",
      path: "src/ports/clock.ts",
      text: 'import { type A, b } from "../core/a.ts";',
      why: "src/ports may import only types of src/core/a.ts",
    },
    {
      name: "adapters may load core",
      path: "src/adapters/compiler/worker.ts",
      text: 'import { compile } from "../../core/rules/compile.ts";',
    },
    {
      name: "adapters must not read corridors",
      path: "src/adapters/a.ts",
      text: 'import { decide } from "../decide/decide.ts";',
      why: "src/adapters may not import src/decide/decide.ts",
    },
    {
      name: "platform imports nothing of ours",
      path: "src/platform/log.ts",
      text: 'import type { P } from "../core/payment.ts";',
      why: "src/platform may not import src/core/payment.ts",
    },
    {
      name: "the front step may import everything",
      path: "src/main.ts",
      text: 'import { open } from "./adapters/lmdb.ts";',
    },
    {
      name: "nobody leaves src",
      path: "src/app.ts",
      text: 'import manifest from "../package.json" with { type: "json" };',
      why: "../package.json leaves src",
    },
    {
      name: "a folder needs a row in the table",
      path: "src/utils/text.ts",
      text: "",
      why: "stands in no folder of STYLE.md section 1's table",
    },
    {
      name: "re-exports and dynamic imports count",
      path: "src/core/a.ts",
      text: 'const b = import(\n  "../rpc/errors.ts"\n);',
      why: "src/core may not import src/rpc/errors.ts",
    },
    {
      name: "tests may look anywhere",
      path: "src/core/a.test.ts",
      text: 'import { open } from "../adapters/lmdb.ts";',
    },
  ];
  test.each(cases)("$name", ({ path, text, why }) => {
    expect(list(findWrongArrows(readSourceText(path, text)))).toEqual(
      why === undefined ? [] : [`${path}:1: ${why}`],
    );
  });
});

describe("I/O, clock and chance in core", () => {
  const wrong = [
    'import { readFileSync } from "node:fs";',
    'import { open } from "lmdb";',
    "const a = await b;",
    "for await (const a of b) use(a);",
    "const a = Date.now();",
    "const a = new Date();",
    "const a = new Date;",
    "const a = Date();",
    "const a = Math.random();",
    "const a = crypto.randomUUID();",
    "const a = process.env.HOME;",
    "const a = globalThis.Date;",
    "const a = performance.now();",
    "setTimeout(run, 1);",
    "const a = `${Date.now()}`;",
    "fetch(url);",
    "console.log(1);",
  ];
  test.each(wrong)("%s is refused", (text) => {
    const faults = findImpurities(readSourceText("src/core/a.ts", `\n${text}\n`));
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every(({ line }) => line === 2)).toBe(true);
    expect(findImpurities(readSourceText("src/adapters/a.ts", text))).toEqual([]);
    expect(findImpurities(readSourceText("src/core/a.test.ts", text))).toEqual([]);
  });

  const right = [
    "const a = new Date(nowMs);",
    "const a = new Date(\n  nowMs,\n);",
    "const a = now.process.fetch(b);",
    '// await Date.now()\nconst a = "await Date.now()"; /* Math.random() */',
    "const a = /Math.random()/.test(b);",
    "const a = `await ${b} Date.now()`;",
    'import { parse } from "@bufbuild/cel";',
  ];
  test.each(right)("%s is fine", (text) => {
    expect(list(findImpurities(readSourceText("src/core/a.ts", text)))).toEqual([]);
  });
});

describe("any", () => {
  test.each([
    "const a: any = b;",
    "const a = b as any;",
    "const a: any[] = [];",
    "const a: Map<string, any> = b;",
    "type A = Array<any>;",
    "type A = string | any;",
    "function a(): any {}",
  ])("%s is refused", (text) => {
    expect(list(findAnyTypes(readSourceText("src/rpc/a.ts", `\n${text}`)))).toEqual([
      "src/rpc/a.ts:2: any: say `unknown` at the edge, parse, then use a real type",
    ]);
  });

  test.each(["// of any kind: any", 'const a = "x: any";', "const anyone: Any = b;", "const a = b.any(c);"])(
    "%s is fine",
    (text) => {
      expect(findAnyTypes(readSourceText("src/rpc/a.ts", text))).toEqual([]);
    },
  );
});

describe("the shape of files", () => {
  test("a file of 600 lines is fine, one more is too long", () => {
    expect(findLongFile(readSourceText("src/a.ts", "a;\n".repeat(600)))).toEqual([]);
    expect(list(findLongFile(readSourceText("src/a.ts", "a;\n".repeat(601))))).toEqual([
      "src/a.ts:601: 601 lines, more than 600",
    ]);
  });

  test.each(["export default function run() {}", "const a = 1;export { a as default };"])(
    "%s is refused",
    (text) => {
      expect(list(findDefaultExports(readSourceText("src/a.ts", `\n${text}`)))).toEqual([
        "src/a.ts:2: default export: exports are named",
      ]);
      expect(findDefaultExports(readSourceText("vitest.config.ts", text))).toEqual([]);
    },
  );

  test("a file that nobody imports is named", () => {
    const sources = [
      readSourceText(
        "src/main.ts",
        'import { a } from "./a.ts";\nnew Worker(new URL("./b.ts", import.meta.url));',
      ),
      readSourceText("src/a.ts", ""),
      readSourceText("src/b.ts", '// import "./c.ts";'),
      readSourceText("src/c.ts", 'import { self } from "./c.ts";'),
      readSourceText(
        "src/d.test.ts",
        'import { d } from "./d.ts";\nimport { e } from "../test/helpers/e.ts";',
      ),
      readSourceText("src/d.ts", ""),
      readSourceText("test/helpers/e.ts", ""),
    ];
    expect(list(findUnimported(sources, ["src/main.ts"]))).toEqual([
      "src/c.ts:1: imported by nobody",
      "src/d.ts:1: imported only by tests or benches",
    ]);
    expect(list(findUnimported(sources, []))).toContain("src/main.ts:1: imported by nobody");
  });
});

describe("the reading of sources", () => {
  test("imports are found with their line and whether they are erased", () => {
    const text = [
      "/* a */ import {",
      "  a,",
      '} from "./a.ts"; import "./b.ts";',
      'export * from "./c.ts";',
      'import type { D } from "./d.ts";',
      'import { type E } from "./e.ts";',
      'import type, { f } from "./f.ts";',
      "const s = 'import { g } from \"./g.ts\"';",
      '// import { h } from "./h.ts";',
      'const later = import("./i.ts");',
    ].join("\n");
    expect(findImports(readSourceText("src/x.ts", text))).toEqual([
      { specifier: "./a.ts", line: 1, typesOnly: false },
      { specifier: "./b.ts", line: 3, typesOnly: false },
      { specifier: "./c.ts", line: 4, typesOnly: false },
      { specifier: "./d.ts", line: 5, typesOnly: true },
      { specifier: "./e.ts", line: 6, typesOnly: true },
      { specifier: "./f.ts", line: 7, typesOnly: false },
      { specifier: "./i.ts", line: 10, typesOnly: false },
    ]);
  });

  test.each([
    { name: "a quote in a regular expression", text: "const a = /[\"'/]/; MARK" },
    { name: "a division", text: "const a = b / c; MARK; d / e" },
    { name: "a division after a parenthesis", text: "(a) / b; MARK; 'c' / d" },
    { name: "an escaped quote", text: "const a = 'it\\'s'; MARK" },
    { name: "a nested template", text: 'const a = `x ${b ? `y ${{ c: 1 }.c}` : "}"} z`; MARK' },
    { name: "an expression in a template", text: "const a = `x ${MARK} z`;" },
    { name: "a comment opener in a string", text: 'const a = "/*"; MARK' },
    { name: "a comment with a quote", text: "// don't\nMARK" },
  ])("code behind $name is seen", ({ text }) => {
    expect(findInCode(readSourceText("a.ts", text), /MARK/g)).toHaveLength(1);
  });

  test.each(["`MARK ${a} MARK`", "'MARK'", "/MARK/", "// MARK", "/* \n MARK */", '"\\"MARK"'])(
    "%s is not code",
    (text) => {
      expect(findInCode(readSourceText("a.ts", `a = ${text}; b`), /MARK/g)).toEqual([]);
    },
  );
});
