import { afterAll, beforeAll, expect, test } from "vitest";
import { type DecideResponse, DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { countRuns } from "../helpers/property-runs.ts";
import { makeMarkedRuleSet } from "../helpers/rule-sets.ts";
import { connectAdmin, connectGateway, startService, type TestService } from "../helpers/service.ts";

let service: TestService;

beforeAll(async () => {
  service = await startService();
});

afterAll(() => service.stop());

/** 200 a minute. */
const periodMs = 300;
const inFlight = 16;

test("every answer is wholly of one rule set, and names it, while two take turns 200 times a minute", async () => {
  const rules = connectAdmin(RuleSetService, service);
  const versions: bigint[] = [];
  for (const mark of ["a", "b"]) {
    const content = new TextEncoder().encode(makeMarkedRuleSet(mark));
    const pushed = await rules.push({
      document: { content },
      author: "test",
      activate: true,
      confirmLoosening: true,
    });
    versions.push(pushed.version!.version);
  }
  const marks = new Map([
    [versions[0]!, "a"],
    [versions[1]!, "b"],
  ]);
  const activations = countRuns(20);
  let done = false;
  let calls = 0;
  const seen = new Map<string, number>();
  const client = connectGateway(DecisionService, service);

  async function decideOn(lane: number): Promise<void> {
    for (let at = 0; !done; at++) {
      const answer = await client.decide({
        paymentId: `swap-${lane}-${at}`,
        playerId: "player-1",
        kind: "deposit",
        amount: { minorUnits: 5_000n, currencyCode: "EUR" },
        method: "card",
      });
      calls++;
      const mark = marks.get(answer.ruleSet!.version)!;
      seen.set(mark, (seen.get(mark) ?? 0) + 1);
      expect(describe(answer)).toEqual(describeWhole(mark));
    }
  }

  const lanes = Array.from({ length: inFlight }, (_, lane) => decideOn(lane));
  const started = performance.now();
  for (let at = 0; at < activations; at++) {
    await rules.activate({ version: versions[at % 2]!, author: "test", confirmLoosening: true });
    const nextMs = started + (at + 1) * periodMs;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())));
  }
  done = true;
  await Promise.all(lanes);
  expect(calls).toBeGreaterThan(activations);
  // Both rule sets really answered, or the test would show nothing.
  expect([...seen.keys()].sort()).toEqual(["a", "b"]);
});

/** All that differs between the two rule sets. */
function describe(answer: DecideResponse): unknown {
  return {
    psps: [...new Set(answer.plan!.steps.map(({ psp }) => psp))],
    segments: answer.segments,
    rules: answer.matchedRules.map(({ id }) => id),
    actions: answer.actions.map(({ key }) => key),
  };
}

function describeWhole(mark: string): unknown {
  return {
    psps: [`psp-${mark}`],
    segments: [`seg-${mark}`],
    rules: [`act-${mark}`, `route-${mark}`],
    actions: [`act-${mark}`],
  };
}
