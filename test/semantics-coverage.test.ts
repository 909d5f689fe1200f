import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Paragraphs of the semantics that the service fulfils so far; a chapter grows when its issue lands. */
const fulfilled: Readonly<Record<string, number>> = { 1: 10, 2: 5, 3: 9, 4: 4, 5: 9, 6: 4 };

test("every paragraph of the semantics has a golden case that is named after it", () => {
  const files = ["semantics", "pushes", "players"].flatMap((folder) =>
    readdirSync(join(import.meta.dirname, "cases", folder)),
  );
  const shown = new Set(files.map((file) => /^(\d+\.\d+)-/.exec(file)?.[1]));
  const wanted = Object.entries(fulfilled).flatMap(([chapter, count]) =>
    Array.from({ length: count }, (_, at) => `${chapter}.${at + 1}`),
  );
  expect(wanted.filter((paragraph) => !shown.has(paragraph))).toEqual([]);
});
