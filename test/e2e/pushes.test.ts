import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { DocumentFault } from "../../src/core/rules/compilation.ts";
import { compileDocument } from "../../src/core/rules/compile/compile.ts";
import { sha256 } from "../helpers/compile.ts";
import { post, startService, type TestService } from "../helpers/service.ts";

const folder = join(import.meta.dirname, "../cases/pushes");
const base = join(import.meta.dirname, "../cases/semantics");
/** As of this instant the documents are pushed to the core; the live server has its own clock. */
const nowMs = Date.UTC(2026, 10, 16, 12);

type Fault = Partial<Pick<DocumentFault, "severity" | "path" | "rule">>;

type PushCase = {
  readonly file: string;
  readonly description: string;
  /** Number of the paragraph in SEMANTICS.md. */
  readonly paragraph: string;
  /** A YAML file of test/cases/semantics. */
  readonly ruleSet: string;
  /** Entries to add to its sections. */
  readonly add: Readonly<Record<string, readonly unknown[]>>;
  readonly want: { readonly valid: boolean; readonly faults: readonly Fault[] };
};

const cases: readonly PushCase[] = readdirSync(folder)
  .sort()
  .map((file) => ({ ...(JSON.parse(readFileSync(join(folder, file), "utf8")) as PushCase), file }));

let service: TestService;

beforeAll(async () => {
  service = await startService();
});

afterAll(() => service.stop());

describe("pushes that SEMANTICS.md judges", () => {
  test.each(cases)("on the core: $paragraph: $description ($file)", ({ want, ...pushed }) => {
    const { compilation } = compileDocument({
      document: writeDocument(pushed),
      format: "JSON",
      nowMs,
      sha256,
    });
    expect(compilation.hash !== "").toBe(want.valid);
    expectFaults(compilation.faults, want.faults);
  });

  test.each(cases)("over JSON: $paragraph: $description ($file)", async ({ want, ...pushed }) => {
    const content = Buffer.from(writeDocument(pushed)).toString("base64");
    const { status, body } = await post(service, "RuleSetService/Validate", {
      document: { content, format: "JSON" },
    });
    expect(status).toBe(200);
    // JSON leaves out what is false or empty.
    expect(body.valid ?? false).toBe(want.valid);
    expectFaults((body.faults ?? []) as readonly Fault[], want.faults);
  });
});

function expectFaults(got: readonly Fault[], want: readonly Fault[]): void {
  expect(got).toEqual(want.map((fault) => expect.objectContaining(fault)));
}

function writeDocument({ ruleSet, add }: Pick<PushCase, "ruleSet" | "add">): Uint8Array {
  const document = parse(readFileSync(join(base, ruleSet), "utf8")) as Record<string, readonly unknown[]>;
  for (const [section, entries] of Object.entries(add))
    document[section] = [...(document[section] ?? []), ...entries];
  return new TextEncoder().encode(JSON.stringify(document));
}
