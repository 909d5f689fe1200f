import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type DescMethod, type DescService, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { AnalyticsService } from "../../src/gen/switchyard/v1/analytics_pb.js";
import { DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { EventService } from "../../src/gen/switchyard/v1/event_pb.js";
import { OverrideService } from "../../src/gen/switchyard/v1/override_pb.js";
import { PlayerService } from "../../src/gen/switchyard/v1/player_pb.js";
import { buildRuleSet, fillReferences, type Json, pickWanted } from "../helpers/golden-cases.ts";
import { connectAdmin, type InProcessService, post, startService } from "../helpers/service.ts";

type JsonObject = { readonly [key: string]: Json };

/**
 * A case about players over time: calls of any RPC, one after the other, with the clock where the case puts it. A stream from the server is an array
 * of its messages.
 *
 * `$0.attemptId` in a request or a `want` stands for what the call of that index gave.
 */
type PlayerCase = {
  readonly description: string;
  /** Of SEMANTICS.md. */
  readonly paragraph: string;
  /** The rule set, from the folder of the cases on. */
  readonly ruleSetFile: string;
  /** Sections to add to it. */
  readonly ruleSet?: JsonObject;
  readonly clock?: "server" | "request";
  readonly soleSources?: JsonObject;
  /** Since when events are complete; the oldest event where absent. */
  readonly completeSince?: string;
  readonly now: string;
  readonly calls: readonly {
    readonly note?: string;
    /** The instant of this call and the next. */
    readonly at?: string;
    /** `DecisionService/Decide` where absent. */
    readonly rpc?: string;
    /** Sections to add from here on, instead of those of before. */
    readonly ruleSet?: JsonObject;
    readonly request?: JsonObject;
    /** How many messages to wait for, where the server never ends its stream. */
    readonly take?: number;
    /** A part of the response, or the code of the error with its faults. */
    readonly want?: Json;
    readonly refused?: { readonly code: string; readonly faults?: readonly JsonObject[] };
  }[];
};

const folder = join(import.meta.dirname, "../cases/players");
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .sort()
  .map((file) => ({
    file,
    ...(parse(readFileSync(join(folder, file), "utf8"), { merge: true }) as PlayerCase),
  }));

const clock = { at: 0, nowMs: () => clock.at };
let service: InProcessService;

describe("players over time", () => {
  beforeAll(async () => {
    const merchants = cases.map(({ clock: kind = "server", soleSources, completeSince }, at) => [
      `case-${at}`,
      {
        clock: kind,
        ...(soleSources === undefined ? {} : { sole_sources: soleSources }),
        ...(completeSince === undefined ? {} : { complete_since: completeSince }),
      },
    ]);
    service = await startService({ merchants: Object.fromEntries(merchants), clock });
  });

  afterAll(() => service.stop());

  test.each(cases.map((each, at) => ({ ...each, at })))("$file: $description", async ({ at, ...told }) => {
    const merchantId = `case-${at}`;
    clock.at = Date.parse(told.now);
    await push(merchantId, told.ruleSetFile, told.ruleSet ?? {});
    const answers: Json[] = [];
    for (const [index, call] of told.calls.entries()) {
      const title = `call ${index}: ${call.note ?? ""}`;
      if (call.at !== undefined) clock.at = Date.parse(call.at);
      if (call.ruleSet !== undefined) await push(merchantId, told.ruleSetFile, call.ruleSet);
      if (call.request === undefined) {
        answers.push(null);
        continue;
      }
      const { serviceOf, method } = findMethod(call.rpc ?? "DecisionService/Decide");
      const request = { ...(fillReferences(call.request, answers) as JsonObject), merchantId };
      const { status, body } =
        method.methodKind === "unary"
          ? await post(service, `${serviceOf.name}/${method.name}`, request)
          : await collect(serviceOf, method, request, call.take);
      answers.push(status === 200 ? complete(method, body) : (body as Json));
      if (call.refused !== undefined) {
        expect({ status: status >= 400, ...readError(body as JsonObject) }, title).toMatchObject({
          status: true,
          ...call.refused,
        });
        continue;
      }
      expect(status, `${title} ${JSON.stringify(body)}`).toBe(200);
      const want = fillReferences(call.want ?? {}, answers);
      expect(pickWanted(answers.at(-1)!, want), title).toEqual(want);
    }
  });
});

const services: readonly DescService[] = [
  AnalyticsService,
  DecisionService,
  EventService,
  OverrideService,
  PlayerService,
];

function findMethod(rpc: string): { readonly serviceOf: DescService; readonly method: DescMethod } {
  const [serviceName = "", methodName = ""] = rpc.split("/");
  const serviceOf = services.find(({ name }) => name === serviceName);
  const method = serviceOf?.methods.find(({ name }) => name === methodName);
  if (serviceOf === undefined || method === undefined) throw new Error(`no RPC ${rpc}`);
  return { serviceOf, method };
}

type Answer = { readonly status: number; readonly body: unknown };

/** All messages of a stream, or its first so many. */
async function collect(
  serviceOf: DescService,
  method: DescMethod,
  request: JsonObject,
  take = Number.POSITIVE_INFINITY,
): Promise<Answer> {
  const client = connectAdmin(serviceOf, service);
  const call = client[method.localName as keyof typeof client] as unknown as (
    request: unknown,
  ) => AsyncIterable<never>;
  const messages: JsonValue[] = [];
  try {
    for await (const message of call(fromJson(method.input, request as JsonValue))) {
      messages.push(toJson(method.output, message));
      if (messages.length >= take) break;
    }
  } catch (cause) {
    const { code } = ConnectError.from(cause);
    return { status: 400, body: { code: Code[code].replace(/(?!^)[A-Z]/g, "_$&").toLowerCase() } };
  }
  return { status: 200, body: messages };
}

/** The answer with defaults written out. */
function complete(method: DescMethod, body: unknown): Json {
  if (Array.isArray(body)) return body.map((each) => complete(method, each));
  return toJson(method.output, fromJson(method.output, body as JsonValue), {
    alwaysEmitImplicit: true,
  }) as Json;
}

async function push(merchantId: string, file: string, add: JsonObject): Promise<void> {
  const content = Buffer.from(JSON.stringify(buildRuleSet(join(folder, file), add))).toString("base64");
  const answer = await post(service, "RuleSetService/Push", {
    merchantId,
    document: { content, format: "JSON" },
    author: "case",
    activate: true,
    confirmLoosening: true,
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

/** Code and field faults of a Connect error. */
function readError(body: Record<string, unknown>): {
  readonly code: unknown;
  readonly faults: readonly unknown[];
} {
  const details = (body.details ?? []) as {
    readonly debug?: { readonly field?: string; readonly rule?: string };
  }[];
  return {
    code: body.code,
    faults: details.flatMap(({ debug }) =>
      debug?.field === undefined ? [] : [{ field: debug.field, rule: debug.rule }],
    ),
  };
}
