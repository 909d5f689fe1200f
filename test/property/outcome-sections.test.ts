import fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { judgeDocument } from "../../src/core/rules/compile/compile.ts";
import { type DiffSide, diffRuleSets } from "../../src/core/rules/diff.ts";
import { arbitraryOutcomes, type OutcomeSections } from "../helpers/arbitrary-outcomes.ts";
import { sha256, testNowMs } from "../helpers/compile.ts";
import { countRuns } from "../helpers/property-runs.ts";

const segments = ["a", "b", "c"];

function writeDocument({ conduct, sections }: OutcomeSections): string {
  return stringify({
    ...sections,
    psps: [
      { ...conduct, id: "one", methods: ["card"] },
      { id: "two", methods: ["card"] },
    ],
    segments: segments.map((id) => ({ id, when: 'payment.method == "card"' })),
  });
}

function judge(text: string, format: "YAML" | "JSON" = "YAML"): DiffSide & { readonly hash: string } {
  const document = new TextEncoder().encode(text);
  const { compilation, accepted } = judgeDocument({ document, format, nowMs: testNowMs, sha256 });
  if (accepted === undefined) throw new Error(JSON.stringify(compilation.faults));
  return { ...accepted, hash: compilation.hash };
}

const arbitrary = arbitraryOutcomes({ segments, psps: ["one", "two"] });

function loosens(before: DiffSide, after: DiffSide): boolean {
  return diffRuleSets(before, after).some((change) => change.loosens);
}

it("takes sections about outcomes in any order, and finds no difference", () => {
  const reverse = (value: unknown): unknown =>
    typeof value !== "object" || value === null ? value : Object.fromEntries(Object.entries(value).reverse());
  fc.assert(
    fc.property(arbitrary, ({ conduct, sections }) => {
      const { retry_policies: policies, response_codes: codes, scheme_caps: caps, ...rest } = sections;
      const other = {
        conduct,
        sections: {
          ...rest,
          scheme_caps: caps.map((cap) => reverse(cap) as object).reverse(),
          response_codes: codes.toReversed(),
          retry_policies: policies.toReversed(),
        },
      };
      const [first, second] = [judge(writeDocument({ conduct, sections })), judge(writeDocument(other))];
      expect(second.hash).toBe(first.hash);
      expect(diffRuleSets(first, second)).toEqual([]);
    }),
    { numRuns: countRuns(60) },
  );
});

it.each(["response_codes", "scheme_caps", "sca_policy"] as const)(
  "asks for a word on every way on which %s ends looser than it began",
  (section) => {
    const seen = { loose: 0, tight: 0 };
    const only = ({ sections }: OutcomeSections): DiffSide => {
      const { [section]: part } = sections;
      const empty = { retry_policies: [], response_codes: [], scheme_caps: [] };
      return judge(writeDocument({ conduct: {}, sections: { ...empty, ...(part && { [section]: part }) } }));
    };
    fc.assert(
      fc.property(arbitrary, arbitrary, arbitrary, (...drawn) => {
        const [first, second, third] = drawn.map(only);
        const direct = loosens(first!, third!);
        seen[direct ? "loose" : "tight"]++;
        if (direct) expect(loosens(first!, second!) || loosens(second!, third!)).toBe(true);
      }),
      { numRuns: countRuns(240) },
    );
    expect(seen.loose).toBeGreaterThan(0);
    expect(seen.tight).toBeGreaterThan(0);
  },
);
