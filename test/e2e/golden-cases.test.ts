import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  DecisionConflict_Kind,
  DecisionConflictSchema,
  DecisionService,
  ReportOutcomeRequestSchema,
  type ReportOutcomeResponse,
  ReportOutcomeResponseSchema,
} from "../../src/gen/switchyard/v1/decision_pb.js";
import { FieldFaultSchema, MissingSchema } from "../../src/gen/switchyard/v1/fault_pb.js";
import type { Door } from "../../src/wire/transport.ts";
import {
  type CaseState,
  caseFolders,
  fillReferences,
  type GoldenCase,
  type Json,
  pickWanted,
  readCases,
} from "../helpers/golden-cases.ts";
import { connectInMemory } from "../helpers/memory-door.ts";
import { connectGateway, type InProcessService, post, startService } from "../helpers/service.ts";

const clock = { at: 0, nowMs: () => clock.at };
const ways = ["in memory", "over gRPC and JSON"] as const;
type Way = (typeof ways)[number];

/** The service of the case that runs. */
let service: InProcessService;

describe.each(caseFolders)("$title", ({ folder, binFile }) => {
  const cases = readCases(folder);
  /** The service that all cases of the folder share, but those that need one of their own. */
  let shared: InProcessService;

  beforeAll(async () => {
    shared = await startService({ merchants: listMerchants(cases), clock, binFile });
  });

  afterAll(() => shared.stop());

  describe.each(ways)("%s", (way) => {
    test.each(cases.map((golden, at) => ({ ...golden, at })))(
      "$file: $description",
      async ({ at, ...golden }) => {
        const merchants = nameMerchants(golden, way, at);
        clock.at = Date.parse(golden.now);
        service = shared;
        if (golden.hashed === true) {
          const alone = await startService({ merchants: clocksOf(golden, merchants), clock, binFile });
          onTestFinished(() => alone.stop());
          service = alone;
        }
        await runCase(golden, merchants, way);
      },
    );
  });
});

async function runCase(golden: GoldenCase, merchants: ReadonlyMap<string, string>, way: Way): Promise<void> {
  for (const merchantId of merchants.values()) await activate(merchantId, golden.ruleSet);
  await setState(merchants.get("default")!, golden.state);
  const responses: Json[] = [];
  for (const call of golden.calls) {
    if (call.at !== undefined) clock.at = Date.parse(call.at);
    if (call.rules !== undefined) {
      for (const merchantId of merchants.values())
        await activate(merchantId, { ...golden.ruleSet, rules: call.rules });
    }
    if (call.state !== undefined) await setState(merchants.get("default")!, call.state);
    const request = fillReferences(call.request, responses) as JsonObject;
    const named = String(request.merchantId ?? "default");
    const merchantId = merchants.get(named) ?? named;
    const told = { ...request, merchantId };
    const door = call.door ?? "gateway";
    const got = await (call.rpc === "ReportOutcome" ? report(way, told, door) : decide(way, told, door));
    responses.push("response" in got ? got.response : null);
    const want = fillReferences(call.want as Json, responses) as JsonObject;
    if ("refused" in want) {
      expect(got).toMatchObject({ refused: expectRefusal(want.refused as JsonObject) });
    } else expect(pickWanted(got as Json, want as Json), call.note).toEqual(want);
  }
}

/** Every case has merchants of its own in each way, so that none sees what another left; or a service of its own. */
function nameMerchants({ merchants, hashed }: GoldenCase, way: Way, at: number): ReadonlyMap<string, string> {
  const prefix = hashed === true ? "" : `${way === "in memory" ? "memory" : "live"}-${at}-`;
  return new Map(["default", ...Object.keys(merchants)].map((id) => [id, `${prefix}${id}`]));
}

function clocksOf(
  { merchants }: GoldenCase,
  names: ReadonlyMap<string, string>,
): Record<string, { readonly clock: "server" | "request" }> {
  return Object.fromEntries(
    [...names].map(([id, merchantId]) => [merchantId, { clock: merchants[id] ?? "server" }]),
  );
}

function listMerchants(
  cases: readonly GoldenCase[],
): Record<string, { readonly clock: "server" | "request" }> {
  const listed: Record<string, { readonly clock: "server" | "request" }> = {};
  for (const way of ways) {
    cases.forEach((golden, at) => {
      Object.assign(listed, clocksOf(golden, nameMerchants(golden, way, at)));
    });
  }
  return listed;
}

async function activate(merchantId: string, ruleSet: Json): Promise<void> {
  const content = Buffer.from(JSON.stringify(ruleSet)).toString("base64");
  await admin("RuleSetService/Push", {
    merchantId,
    document: { content, format: "JSON" },
    author: "case",
    activate: true,
    confirmLoosening: true,
    allowOrphans: true,
  });
}

async function setState(
  merchantId: string,
  { players = [], overrides = [], pspStates = [] }: CaseState,
): Promise<void> {
  for (const { playerId, attributes, restrictions } of players) {
    if (attributes !== undefined)
      await admin("PlayerService/UpdatePlayer", { merchantId, playerId, attributes });
    for (const restriction of (restrictions ?? []) as readonly Json[]) {
      await admin("PlayerService/SetRestriction", { merchantId, playerId, restriction });
    }
  }
  for (const override of overrides) await admin("OverrideService/PutOverride", { merchantId, override });
  for (const state of pspStates) {
    await admin("PspService/SetPspState", { merchantId, ...state, author: "case", reason: "case" });
  }
}

async function admin(method: string, body: unknown): Promise<void> {
  const answer = await post(service, method, body);
  if (answer.status !== 200) throw new Error(`${method}: ${JSON.stringify(answer.body)}`);
}

type Got = { readonly response: Json } | { readonly refused: JsonObject };

async function decide(way: Way, request: JsonObject, door: Door): Promise<Got> {
  try {
    const response =
      way === "in memory"
        ? await memoryClient(door).decide(fromJson(DecideRequestSchema, request))
        : await decideLive(request, door);
    return { response: toJson(DecideResponseSchema, response, { alwaysEmitImplicit: true }) as Json };
  } catch (thrown) {
    return { refused: describeError(ConnectError.from(thrown)) };
  }
}

async function report(way: Way, request: JsonObject, door: Door): Promise<Got> {
  try {
    const response =
      way === "in memory"
        ? await memoryClient(door).reportOutcome(fromJson(ReportOutcomeRequestSchema, request))
        : await reportLive(request, door);
    return { response: toJson(ReportOutcomeResponseSchema, response, { alwaysEmitImplicit: true }) as Json };
  } catch (thrown) {
    return { refused: describeError(ConnectError.from(thrown)) };
  }
}

function memoryClient(door: Door): Client<typeof DecisionService> {
  const { gatewayServices, adminServices } = service.services;
  return connectInMemory(DecisionService, door === "admin" ? adminServices : gatewayServices, door);
}

/** By gRPC at the gateway; by JSON, as `curl` would, at the admin listener. */
async function decideLive(request: JsonObject, door: Door): Promise<DecideResponse> {
  if (door === "gateway") {
    return connectGateway(DecisionService, service).decide(fromJson(DecideRequestSchema, request));
  }
  return fromJson(DecideResponseSchema, await postDecision("Decide", request));
}

async function reportLive(request: JsonObject, door: Door): Promise<ReportOutcomeResponse> {
  if (door === "gateway") {
    const message = fromJson(ReportOutcomeRequestSchema, request);
    return connectGateway(DecisionService, service).reportOutcome(message);
  }
  return fromJson(ReportOutcomeResponseSchema, await postDecision("ReportOutcome", request));
}

/** Fails: throws the error that the answer tells. */
async function postDecision(method: string, request: JsonObject): Promise<JsonValue> {
  const { status, body } = await post(service, `DecisionService/${method}`, request);
  if (status === 200) return body as JsonValue;
  const { code, message, details } = body as {
    code: string;
    message: string;
    details?: { type: string; value: string }[];
  };
  const error = new ConnectError(message, codes[code]);
  error.details = (details ?? []).map(({ type, value }) => ({ type, value: Buffer.from(value, "base64") }));
  throw error;
}

const codes: Readonly<Record<string, Code>> = {
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  failed_precondition: Code.FailedPrecondition,
};

function describeError(error: ConnectError): JsonObject {
  const conflict = error.findDetails(DecisionConflictSchema)[0];
  return {
    code: Code[error.code]!,
    faults: error.findDetails(FieldFaultSchema).map(({ field, rule }) => ({ field, rule })),
    missing: error.findDetails(MissingSchema).map(({ kind }) => kind),
    conflict: conflict === undefined ? "" : DecisionConflict_Kind[conflict.kind]!.toLowerCase(),
    fields: conflict?.fields ?? [],
  };
}

/** How a refusal of the corridor looks from outside. */
function expectRefusal(refused: JsonObject): unknown {
  switch (refused.kind) {
    case "unknown_merchant":
      return { code: "NotFound", missing: ["merchant"] };
    case "invalid": {
      const faults = refused.faults as readonly JsonObject[] | undefined;
      return {
        code: "InvalidArgument",
        ...(faults === undefined
          ? {}
          : { faults: faults.map(({ field, rule }) => expect.objectContaining(keep({ field, rule }))) }),
      };
    }
    default:
      return {
        code: "FailedPrecondition",
        conflict: refused.kind,
        ...("fields" in refused ? { fields: refused.fields } : {}),
      };
  }
}

function keep(fields: Record<string, JsonValue | undefined>): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}
