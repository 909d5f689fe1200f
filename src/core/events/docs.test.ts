import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderEventTypes } from "../../../test/helpers/event-docs.ts";
import { eventTypes } from "./event-types.ts";

test("docs/events.md has the tables of the catalogue", () => {
  const page = readFileSync(new URL("../../../docs/events.md", import.meta.url), "utf8");
  expect(page).toContain(renderEventTypes(eventTypes.values()));
});
