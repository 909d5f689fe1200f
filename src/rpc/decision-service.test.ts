import { create, toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { codeTableOf, houseTable } from "../core/retry/code-table.ts";
import type { Decider } from "../decide/decided.ts";
import {
  GetCodeTableResponseSchema,
  type ReportOutcomeRequest,
  ReportOutcomeRequest_Result,
  ReportOutcomeRequestSchema,
} from "../gen/switchyard/v1/decision_pb.js";
import { readMerchants } from "../manage/merchants.ts";
import { Metrics } from "../platform/metrics.ts";
import { encodeCodeTable } from "./codec/encode-code-table.ts";
import { makeDecisionService } from "./decision-service.ts";

function say(paymentId: string): ReportOutcomeRequest {
  const result = ReportOutcomeRequest_Result.APPROVED;
  return create(ReportOutcomeRequestSchema, { paymentId, attemptId: "a", psp: "alpha", result });
}

test("an entry of the code table says all that follows from it", () => {
  const entry = {
    psp: "alpha",
    scheme: "visa",
    code: "57",
    outcomeClass: "HARD",
    attribution: "ISSUER",
    waitMs: 90_500,
    fields: ["cvv"],
    block: { what: "card", forMs: 1_000 },
    alert: true,
    fromMs: 1_000,
    untilMs: 2_000,
    meaning: "m",
    origin: "",
  } as const;
  const table = encodeCodeTable(codeTableOf([entry]));
  expect(table.version).toMatch(/^2026-11-22-[0-9a-f]{12}[+][0-9a-f]{12}$/);
  expect(toJson(GetCodeTableResponseSchema, table)).toMatchObject({
    entries: expect.arrayContaining([
      {
        psp: "alpha",
        scheme: "visa",
        code: "57",
        outcome: "HARD",
        attribution: "ATTRIBUTION_ISSUER",
        wait: "90.500s",
        fields: ["cvv"],
        block: "card",
        blockFor: "1s",
        alert: true,
        from: "1970-01-01T00:00:01Z",
        until: "1970-01-01T00:00:02Z",
        meaning: "m",
      },
      expect.objectContaining({ code: "43", block: "card", attribution: "ATTRIBUTION_ISSUER" }),
      expect.objectContaining({ adviceCode: "40", informational: true }),
      expect.objectContaining({ scheme: "mastercard", code: "65", scaZoneOnly: true }),
    ]),
  });
});

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
