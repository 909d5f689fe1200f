import { rm } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { PlayerService, Restriction_Kind } from "../../src/gen/switchyard/v1/player_pb.js";
import { PspService, PspStatus_State } from "../../src/gen/switchyard/v1/psp_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { countRuns } from "../helpers/property-runs.ts";
import { makeDeposit, makeMarkedRuleSet } from "../helpers/rule-sets.ts";
import { connectAdmin, connectGateway, makeDataDirectory, post, spawnService } from "../helpers/service.ts";

const dataDirectory = await makeDataDirectory();

afterAll(() => rm(dataDirectory, { recursive: true }));

const cycles = countRuns(3);

test("what was acknowledged is there after kill -9: pushes, activations, answers, restrictions, PSP states", async () => {
  let answered = new Map<string, string>();
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const service = await spawnService({ dataDirectory });
    const rules = connectAdmin(RuleSetService, service);
    const before = await rules.list({});
    if (cycle > 1) {
      // One version more for every cycle so far, and the last of them is active.
      expect(before.newestVersion).toBe(BigInt(cycle));
      expect(before.activeVersion).toBe(BigInt(cycle));
      for (const [paymentId, decisionId] of answered) {
        const again = await post(service, "DecisionService/Decide", makeDeposit(paymentId));
        expect(again.body).toMatchObject({ decisionId, replayed: true });
      }
      const player = await connectAdmin(PlayerService, service).getPlayer({ playerId: `out-${cycle - 1}` });
      expect(player.player?.restrictions).toHaveLength(1);
      const { psps } = await connectAdmin(PspService, service).listPsps({});
      expect(psps.map(({ state }) => state)).toEqual([PspStatus_State.DRAINING]);
    }
    await rules.push({
      document: { content: new TextEncoder().encode(makeMarkedRuleSet("k")) },
      author: "test",
      activate: true,
      confirmLoosening: true,
    });
    await connectAdmin(PlayerService, service).setRestriction({
      playerId: `out-${cycle}`,
      restriction: { kind: Restriction_Kind.SELF_EXCLUSION, source: "register" },
    });
    answered = await decideSome(cycle);
    await connectAdmin(PspService, service).setPspState({
      psp: "psp-k",
      state: PspStatus_State.DRAINING,
      author: "test",
      reason: "test",
    });
    await service.end("SIGKILL");

    async function decideSome(round: number): Promise<Map<string, string>> {
      const client = connectGateway(DecisionService, service);
      const ids = Array.from({ length: 20 }, (_, at) => `kill-${round}-${at}`);
      const answers = await Promise.all(
        ids.map((paymentId) =>
          client.decide({
            paymentId,
            playerId: "player-1",
            kind: "deposit",
            amount: { minorUnits: 5_000n, currencyCode: "EUR" },
            method: "card",
            card: { bin: "45710435" },
            playerCountry: "DK",
          }),
        ),
      );
      return new Map(answers.map(({ paymentId, decisionId }) => [paymentId, decisionId]));
    }
  }
}, 120_000);

test("a stop on SIGTERM loses no call that was accepted", async () => {
  const directory = await makeDataDirectory();
  const service = await spawnService({ dataDirectory: directory });
  const client = connectGateway(DecisionService, service);
  let answered = 0;
  const refused: string[] = [];
  let stopping = false;
  const lanes = Array.from({ length: 8 }, async (_, lane) => {
    for (let at = 0; ; at++) {
      const paymentId = `stop-${lane}-${at}`;
      try {
        await client.decide({
          paymentId,
          playerId: "player-1",
          kind: "deposit",
          amount: { minorUnits: 5_000n, currencyCode: "EUR" },
          method: "card",
        });
        answered++;
      } catch (error) {
        if (!stopping) throw error;
        refused.push(paymentId);
        return;
      }
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  stopping = true;
  const code = await service.end("SIGTERM");
  await Promise.all(lanes);
  expect(code).toBe(0);
  expect(answered).toBeGreaterThan(8);
  // What the client saw fail was never decided: a call that was accepted was answered.
  const after = await spawnService({ dataDirectory: directory });
  for (const paymentId of refused) {
    const { body } = await post(after, "DecisionService/Decide", {
      ...makeDeposit(paymentId),
      card: undefined,
      playerCountry: undefined,
    });
    expect(body).toMatchObject({ paymentId });
    expect(body).not.toHaveProperty("replayed");
  }
  await after.stop();
  await rm(directory, { recursive: true });
});
