import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type DescService, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { EventService } from "../../src/gen/switchyard/v1/event_pb.js";
import { OverrideService } from "../../src/gen/switchyard/v1/override_pb.js";
import { PlayerService } from "../../src/gen/switchyard/v1/player_pb.js";
import { fillReferences, type Json, pickWanted } from "../helpers/golden-cases.ts";
import { type InProcessService, post, startService } from "../helpers/service.ts";

type JsonObject = { readonly [key: string]: Json };

/**
 * A case about players over time: calls of any unary RPC, one after the other, with the clock where the case puts it.
 *
 * `$0.attemptId` in a request or a `want` stands for what the call of that index gave.
 */
type PlayerCase = {
  readonly description: string;
  /** Of SEMANTICS.md. */
  readonly paragraph: string;
  /** The rule set, as a YAML document. */
  readonly ruleSet: JsonObject;
  readonly clock?: "server" | "request";
  readonly soleSources?: JsonObject;
  readonly now: string;
  readonly calls: readonly {
    readonly note?: string;
    /** The instant of this call and the next. */
    readonly at?: string;
    /** `DecisionService/Decide` where absent. */
    readonly rpc?: string;
    /** Rule set from here on, instead of the one before. */
    readonly ruleSet?: JsonObject;
    readonly request?: JsonObject;
    /** A part of the response, or the code of the error with its faults. */
    readonly want?: JsonObject;
    readonly refused?: { readonly code: string; readonly faults?: readonly JsonObject[] };
  }[];
};

const folder = join(import.meta.dirname, "../cases/players");
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .sort()
  .map((file) => ({ file, ...(parse(readFileSync(join(folder, file), "utf8")) as PlayerCase) }));

const clock = { at: 0, nowMs: () => clock.at };
let service: InProcessService;

describe("players over time", () => {
  beforeAll(async () => {
    const merchants = cases.map(({ clock: kind = "server", soleSources }, at) => [
      `case-${at}`,
      { clock: kind, ...(soleSources === undefined ? {} : { sole_sources: soleSources }) },
    ]);
    service = await startService({ merchants: Object.fromEntries(merchants), clock });
  });

  afterAll(() => service.stop());

  test.each(cases.map((each, at) => ({ ...each, at })))("$file: $description", async ({ at, ...told }) => {
    const merchantId = `case-${at}`;
    clock.at = Date.parse(told.now);
    await push(merchantId, told.ruleSet);
    const answers: Json[] = [];
    for (const call of told.calls) {
      if (call.at !== undefined) clock.at = Date.parse(call.at);
      if (call.ruleSet !== undefined) await push(merchantId, call.ruleSet);
      if (call.request === undefined) {
        answers.push(null);
        continue;
      }
      const request = fillReferences(call.request, answers) as JsonObject;
      const { status, body } = await post(service, call.rpc ?? "DecisionService/Decide", {
        ...request,
        merchantId,
      });
      answers.push(status === 200 ? complete(call.rpc, body) : (body as Json));
      if (call.refused !== undefined) {
        expect({ status: status >= 400, ...readError(body) }, call.note).toMatchObject({
          status: true,
          ...call.refused,
        });
        continue;
      }
      expect(status, JSON.stringify(body)).toBe(200);
      const want = fillReferences(call.want ?? {}, answers);
      expect(pickWanted(answers.at(-1)!, want), call.note).toEqual(want);
    }
  });
});

/** The answer with defaults written out. */
function complete(rpc: string | undefined, body: Record<string, unknown>): Json {
  const [serviceName = "", method = ""] = (rpc ?? "DecisionService/Decide").split("/");
  const called = services
    .find(({ typeName }) => typeName.endsWith(`.${serviceName}`))
    ?.methods.find(({ name }) => name === method);
  if (called === undefined) throw new Error(`no RPC ${rpc}`);
  const message = fromJson(called.output, body as JsonValue);
  return toJson(called.output, message, { alwaysEmitImplicit: true }) as Json;
}

const services: readonly DescService[] = [DecisionService, EventService, PlayerService, OverrideService];

async function push(merchantId: string, ruleSet: JsonObject): Promise<void> {
  const content = Buffer.from(JSON.stringify(ruleSet)).toString("base64");
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
