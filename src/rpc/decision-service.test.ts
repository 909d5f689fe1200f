import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { houseTable } from "../core/retry/code-table.ts";
import type { Decider } from "../decide/decided.ts";
import {
  type ReportOutcomeRequest,
  ReportOutcomeRequest_Result,
  ReportOutcomeRequestSchema,
} from "../gen/switchyard/v1/decision_pb.js";
import { readMerchants } from "../manage/merchants.ts";
import { Metrics } from "../platform/metrics.ts";
import { makeDecisionService } from "./decision-service.ts";

function say(paymentId: string): ReportOutcomeRequest {
  const result = ReportOutcomeRequest_Result.APPROVED;
  return create(ReportOutcomeRequestSchema, { paymentId, attemptId: "a", psp: "alpha", result });
}

test("a write that fails while the next report is waited for fails the stream, and nothing else", async () => {
  const read = readMerchants("merchants: { default: {} }");
  if (!read.ok) throw new Error(read.faults.join());
  const metrics = new Metrics();
  const { methods } = makeDecisionService({
    merchants: read.merchants,
    decider: {} as Decider,
    reporter: {
      report: () => ({
        ok: true,
        verdict: "APPLIED",
        plan: undefined,
        limits: [],
        overrun: false,
        outcome: "APPROVED",
        attribution: undefined,
        alerts: [],
        durable: Promise.reject(new Error("the disk is full")),
      }),
    },
    codeTable: () => houseTable,
    metrics,
  });
  const hosted = methods.find(({ method }) => method.name === "ReportOutcomes");
  if (hosted?.kind !== "client_streaming") throw new Error("ReportOutcomes is no stream of a client");
  async function* tell() {
    yield say("one");
    // Whoever leaves the failure alone so long ends the process.
    await new Promise((resolve) => setImmediate(resolve));
    yield say("two");
  }
  const call = {
    door: "gateway",
    deadlineMs: undefined,
    header: () => undefined,
    peer: () => "test",
  } as const;
  const answer = hosted.handle(tell(), { ...call, signal: () => new AbortController().signal });
  await expect(answer).rejects.toThrow("the disk is full");
  metrics.close();
});
