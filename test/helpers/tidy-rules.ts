/**
 * The house rules of STYLE.md that a machine can see, each a function from sources to faults.
 *
 * The arrows are STYLE.md section 1's table as amended by docs/decisions/0002-core-rules-reads-the-generated-schema.md.
 */
import { dirname, posix } from "node:path";
import {
  findImports,
  findInCode,
  findRelativeFileNames,
  type Import,
  type SourceText,
} from "./source-text.ts";

export type Fault = { readonly path: string; readonly line: number; readonly why: string };

/** A fault as the test prints it: `path:line: why`. */
export function formatFault({ path, line, why }: Fault): string {
  return `${path}:${line}: ${why}`;
}

type Arrow = {
  /** A folder under src, or a file there; the longest that contains a file is the file's own. */
  readonly from: string;
  /** What it may import beside itself. */
  readonly may: readonly string[];
  /** Whether `may` holds for types only. */
  readonly typesOnly?: true;
};

const everything = ["src"];
const arrows: readonly Arrow[] = [
  { from: "src/main.ts", may: everything },
  { from: "src/app.ts", may: everything },
  { from: "src/wire", may: ["src/platform"] },
  {
    from: "src/rpc",
    may: ["src/gen", "src/wire", "src/decide", "src/ingest", "src/manage", "src/core", "src/platform"],
  },
  { from: "src/cli", may: ["src/gen", "src/core", "src/platform", "src/rpc/codec", "src/app.ts"] },
  { from: "src/decide", may: ["src/core", "src/ports"] },
  { from: "src/ingest", may: ["src/core", "src/ports"] },
  { from: "src/manage", may: ["src/core", "src/ports"] },
  { from: "src/core", may: [] },
  { from: "src/core/rules", may: ["src/core", "src/gen"] },
  { from: "src/ports", may: ["src/core"], typesOnly: true },
  { from: "src/adapters", may: ["src/ports", "src/core", "src/gen", "src/platform"] },
  { from: "src/platform", may: [] },
];

/** Packages that reach outside the process or keep time: rooms have no windows. */
const packagesWithWindows = [
  "@connectrpc/connect",
  "@connectrpc/connect-node",
  "@grpc/grpc-js",
  "commander",
  "lmdb",
  "pino",
  "prom-client",
];

const impurities: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /(?<![.\w$])await\b/g, why: "core is synchronous: no await" },
  { pattern: /\bDate\.now\b/g, why: "time is an argument of core: no Date.now" },
  {
    pattern: /\bnew\s+Date\b(?!\s*\(\s*[^\s)])/g,
    why: "time is an argument of core: no new Date() without one",
  },
  { pattern: /(?<![.\w$])(?<!new\s+)Date\s*\(/g, why: "time is an argument of core: no Date()" },
  { pattern: /(?<![.\w$])performance\s*\./g, why: "time is an argument of core: no performance" },
  { pattern: /\bMath\.random\b/g, why: "chance is an argument of core: no Math.random" },
  { pattern: /(?<![.\w$])crypto\s*\./g, why: "chance is an argument of core: no crypto" },
  { pattern: /(?<![.\w$])process\s*\./g, why: "core reads no process state" },
  { pattern: /(?<![.\w$])globalThis\b/g, why: "core reads no global state" },
  {
    pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/g,
    why: "core schedules nothing",
  },
  { pattern: /(?<![.\w$])(?:fetch|require)\s*\(/g, why: "core does no I/O" },
  { pattern: /(?<![.\w$])console\s*\./g, why: "core does no I/O: no console" },
];

const linesMax = 600;

function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** Imports of product code that point against the table, or out of src. Tests may look anywhere. */
export function findWrongArrows(source: SourceText): readonly Fault[] {
  if (!source.path.startsWith("src/") || isTest(source.path)) return [];
  const arrow = findArrow(source.path);
  if (arrow === undefined) {
    return [{ path: source.path, line: 1, why: "stands in no folder of STYLE.md section 1's table" }];
  }
  return findImports(source).flatMap((found) => {
    const why = judgeImport(source.path, arrow, found);
    return why === undefined ? [] : [{ path: source.path, line: found.line, why }];
  });
}

function findArrow(path: string): Arrow | undefined {
  return arrows
    .filter(({ from }) => isWithin(path, from))
    .reduce<Arrow | undefined>(
      (best, next) => (best && best.from.length > next.from.length ? best : next),
      undefined,
    );
}

function judgeImport(path: string, arrow: Arrow, found: Import): string | undefined {
  const target = resolveImport(path, found.specifier);
  if (target === undefined) return undefined;
  if (!isWithin(target, "src")) return `${found.specifier} leaves src`;
  if (isWithin(target, arrow.from)) return undefined;
  if (!arrow.may.some((folder) => isWithin(target, folder))) return `${arrow.from} may not import ${target}`;
  if (arrow.typesOnly && !found.typesOnly) return `${arrow.from} may import only types of ${target}`;
  return undefined;
}

/** I/O, clock and chance in the core. */
export function findImpurities(source: SourceText): readonly Fault[] {
  if (!isWithin(source.path, "src/core") || isTest(source.path)) return [];
  const windows = findImports(source)
    .filter(({ specifier }) => specifier.startsWith("node:") || packagesWithWindows.includes(specifier))
    .map(({ specifier, line }) => ({ path: source.path, line, why: `core does no I/O: no ${specifier}` }));
  const uses = impurities.flatMap(({ pattern, why }) =>
    findInCode(source, pattern).map(({ line }) => ({ path: source.path, line, why })),
  );
  return [...windows, ...uses];
}

/** `any` where a type is expected. */
export function findAnyTypes(source: SourceText): readonly Fault[] {
  const inTypePosition = /(?:[:<|&=]|\bas|,(?=\s*any\s*[>,\]]))\s*any\b(?!\s*[:(.])/g;
  return findInCode(source, inTypePosition).map(({ line }) => ({
    path: source.path,
    line,
    why: "any: say `unknown` at the edge, parse, then use a real type",
  }));
}

export function findLongFile(source: SourceText): readonly Fault[] {
  const lines = source.text.replace(/\n$/, "").split("\n").length;
  if (lines <= linesMax) return [];
  return [{ path: source.path, line: linesMax + 1, why: `${lines} lines, more than ${linesMax}` }];
}

/** Default exports; the configuration files of tools, at the root, must have one. */
export function findDefaultExports(source: SourceText): readonly Fault[] {
  if (!source.path.includes("/")) return [];
  return findInCode(source, /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g).map(({ line }) => ({
    path: source.path,
    line,
    why: "default export: exports are named",
  }));
}

/**
 * Files that no other file imports or starts by its relative name. `entries` are the files that a person or a tool
 * starts; every test is one as well. A test keeps no file of src alive: what only tests use stands in test/helpers.
 */
export function findUnimported(sources: readonly SourceText[], entries: readonly string[]): readonly Fault[] {
  const reached = new Set(entries);
  const tested = new Set<string>();
  for (const source of sources) {
    const names = [
      ...findImports(source).map(({ specifier }) => specifier),
      ...findRelativeFileNames(source),
    ];
    const targets = names
      .map((name) => resolveImport(source.path, name))
      .filter((target) => target !== undefined);
    for (const target of targets) {
      if (target === source.path) continue;
      if (isWithin(target, "src") && !isProduct(source.path)) tested.add(target);
      else reached.add(target);
    }
  }
  return sources
    .filter(({ path }) => !reached.has(path) && !isTest(path))
    .map(({ path }) => ({
      path,
      line: 1,
      why: tested.has(path) ? "imported only by tests or benches" : "imported by nobody",
    }));
}

function isProduct(path: string): boolean {
  return isWithin(path, "src") && !isTest(path);
}

/** Path from the project root of a relative import; undefined for a package. */
function resolveImport(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.normalize(posix.join(dirname(path), specifier));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
