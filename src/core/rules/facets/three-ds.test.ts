import { describe, expect, test } from "vitest";
import type { RuleClass } from "../rule-class.ts";
import type { CompiledRule, ThreeDsWish } from "../snapshot.ts";
import { facetBits, type Speaker, speakRule } from "../speaker.ts";
import { resolveThreeDs } from "./three-ds.ts";

const speak = (id: string, ruleClass: RuleClass, threeDs: ThreeDsWish): Speaker =>
  speakRule({ id, ruleClass, priority: 0, effects: { threeDs } } as unknown as CompiledRule, 0);

const require04: ThreeDsWish = { level: "REQUIRE", challengeIndicator: "04" };

describe("the indicator of whoever wins asks at least as firmly as every floor", () => {
  const cases = [
    {
      name: "a floor of the same level that comes first",
      others: [speak("a", "REGULATORY", { level: "REQUIRE", challengeIndicator: "01" })],
      want: { level: "REQUIRE", challengeIndicator: "04" },
    },
    {
      name: "a stricter floor that asks for less",
      others: [speak("a", "REGULATORY", { level: "CHALLENGE", challengeIndicator: "03" })],
      want: { level: "CHALLENGE", challengeIndicator: "04" },
    },
    {
      name: "a stricter preference that asks for less",
      others: [speak("z", "SEGMENT", { level: "CHALLENGE", challengeIndicator: "03" })],
      want: { level: "CHALLENGE", challengeIndicator: "04" },
    },
  ];
  test.each(cases)("$name", ({ others, want }) => {
    const law = speak("law", "SAFER_GAMBLING", require04);
    const resolved = resolveThreeDs([...others, law]);
    expect(resolved.wish).toEqual(want);
    expect(resolved.floor?.challengeIndicator).toBe("04");
    for (const speaker of [law, ...others])
      expect(speaker).toMatchObject({ won: facetBits.three_ds, lost: [] });
  });

  test("a challenge without an indicator is a mandate", () => {
    const wish = speak("a", "RISK", { level: "CHALLENGE", challengeIndicator: "09" });
    const { floor } = resolveThreeDs([wish, speak("b", "RISK", { level: "CHALLENGE" })]);
    expect(floor).toEqual({ level: "CHALLENGE", challengeIndicator: "04" });
  });

  test("a firmer one keeps its own", () => {
    const law = speak("law", "REGULATORY", { level: "REQUIRE" });
    const wish: ThreeDsWish = { level: "CHALLENGE", challengeIndicator: "03" };
    expect(resolveThreeDs([law, speak("z", "SEGMENT", wish)]).wish).toBe(wish);
  });
});
