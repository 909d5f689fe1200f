import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderCaps, renderCodes } from "../../../test/helpers/code-docs.ts";
import { houseTable } from "./code-table.ts";
import { houseSchemeCaps } from "./scheme-cap.ts";

const page = readFileSync(new URL("../../../docs/response-codes.md", import.meta.url), "utf8");

test("docs/response-codes.md has the table of the house, under its version", () => {
  expect(page).toContain(renderCodes(houseTable.entries));
  expect(page).toContain(`\`${houseTable.version}\``);
});

test("docs/response-codes.md has the caps of the schemes", () => {
  expect(page).toContain(renderCaps(houseSchemeCaps));
});
