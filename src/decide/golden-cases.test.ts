import { readFileSync } from "node:fs";
import { fromJson, toJson, toJsonString } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { compileForTest } from "../../test/helpers/compile.ts";
import {
  type CaseState,
  caseFolders,
  fillReferences,
  type GoldenCase,
  type Json,
  pickWanted,
  readCases,
} from "../../test/helpers/golden-cases.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { readBinTable } from "../core/bin/bin-table.ts";
import type { Player } from "../core/player.ts";
import { createOverrideCompiler } from "../core/rules/compile-override.ts";
import { buildOverrideSet, type CompiledOverride } from "../core/rules/override-set.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import {
  DecideRequestSchema,
  DecideResponseSchema,
  ReportOutcomeRequestSchema,
  ReportOutcomeResponseSchema,
} from "../gen/switchyard/v1/decision_pb.js";
import { type Override, OverrideSchema } from "../gen/switchyard/v1/override_pb.js";
import { PlayerSchema, Restriction_Kind } from "../gen/switchyard/v1/player_pb.js";
import { EffectsSchema } from "../gen/switchyard/v1/rule_set_pb.js";
import type { PspStateKind } from "../ports/psp-state-store.ts";
import { decodeOutcomeReport } from "../rpc/codec/decode-outcome.ts";
import { decodePayment } from "../rpc/codec/decode-payment.ts";
import { encodeDecision } from "../rpc/codec/encode-decision.ts";
import { encodeReported } from "../rpc/codec/encode-reported.ts";
import { decodeDurationMs } from "../rpc/codec/time.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

describe.each(caseFolders)("$title, on the core", ({ folder, binFile }) => {
  const bins = readBinTable(readFileSync(binFile, "utf8"));
  test.each(readCases(folder))("$file: $description", (golden) => {
    const world = openWorld(golden, bins);
    const responses: Json[] = [];
    for (const call of golden.calls) {
      if (call.at !== undefined) world.nowMs = Date.parse(call.at);
      if (call.rules !== undefined) world.activate({ ...golden.ruleSet, rules: call.rules });
      if (call.state !== undefined) world.set(call.state);
      const request = fillReferences(call.request, responses);
      const door = call.door ?? "gateway";
      const got = call.rpc === "ReportOutcome" ? world.report(request, door) : world.decide(request, door);
      responses.push("response" in got ? got.response : null);
      const want = fillReferences(call.want as Json, responses);
      expect(pickWanted(got as Json, want), call.note).toEqual(want);
    }
  });
});

/** One merchant's world in memory, with a clock that the case moves. */
class World {
  nowMs: number;
  readonly #players = new Map<string, Player>();
  readonly #pspStates = new Map<string, PspStateKind>();
  readonly #overrides = new Map<string, Override>();
  #revision = 0;
  #snapshot: RuleSnapshot;
  readonly #decider;
  readonly #reporter;

  constructor({ ruleSet, merchants, now }: GoldenCase, bins: ReturnType<typeof readBinTable>) {
    this.nowMs = Date.parse(now);
    this.#snapshot = compileForTest(JSON.stringify(ruleSet));
    if (!bins.ok) throw new Error("the BIN table has faults");
    const clocks = Object.entries(merchants).map(([id, clock]) => [id, { clock }] as const);
    const state = createMemoryState({
      merchants: new Map([["default", { clock: "server" }], ...clocks]),
      rules: { current: () => ({ snapshot: this.#snapshot, overrides: this.#compileOverrides() }) },
      // State is that of the default merchant: another one shares nothing of it.
      players: { get: (merchantId, id) => (merchantId === "default" ? this.#players.get(id) : undefined) },
      pspStates: (merchantId) => (merchantId === "default" ? this.#pspStates : new Map()),
      bins: bins.table,
      clock: { nowMs: () => this.nowMs },
    });
    this.#decider = createDecider(state);
    this.#reporter = createReporter(state);
  }

  activate(ruleSet: Json): void {
    this.#snapshot = compileForTest(JSON.stringify(ruleSet), this.#snapshot.version + 1);
  }

  set({ players = [], overrides = [], pspStates = [] }: CaseState): void {
    for (const player of players) this.#setPlayer(player);
    for (const { psp, state } of pspStates) this.#pspStates.set(psp, state as PspStateKind);
    for (const json of overrides) {
      const override = fromJson(OverrideSchema, json as Parameters<typeof fromJson>[1]);
      this.#overrides.set(override.id, override);
      this.#revision++;
    }
  }

  decide(request: Json, door: "gateway" | "admin"): { response: Json } | { refused: Json } {
    const message = fromJson(DecideRequestSchema, request as Parameters<typeof fromJson>[1]);
    const decoded = decodePayment(message);
    if (!decoded.ok) return { refused: { kind: "invalid", faults: decoded.faults } };
    const result = this.#decider.decide(decoded.payment, door);
    if (!result.ok) {
      const { ok, ...refused } = result;
      return { refused: refused as Json };
    }
    const response = encodeDecision(result, message.requestId, door);
    return { response: toJson(DecideResponseSchema, response, { alwaysEmitImplicit: true }) as Json };
  }

  report(request: Json, door: "gateway" | "admin"): { response: Json } | { refused: Json } {
    const message = fromJson(ReportOutcomeRequestSchema, request as Parameters<typeof fromJson>[1]);
    const decoded = decodeOutcomeReport(message);
    if (!decoded.ok) return { refused: { kind: "invalid", faults: decoded.faults } };
    const result = this.#reporter.report(decoded.report);
    if (!result.ok) {
      const { ok, ...refused } = result;
      return { refused: refused as Json };
    }
    const response = encodeReported(result, door);
    return { response: toJson(ReportOutcomeResponseSchema, response, { alwaysEmitImplicit: true }) as Json };
  }

  #setPlayer(json: Json): void {
    const message = fromJson(PlayerSchema, json as Parameters<typeof fromJson>[1]);
    const attributes = Object.entries(message.attributes).map(([name, { value, setAt, ttl, source }]) => {
      const kind = value?.kind;
      const isInstant = name.endsWith("_at") || name === "birth_date";
      const read = isInstant ? Date.parse(String(kind?.value)) : (kind?.value as boolean | number | string);
      const setAtMs = setAt === undefined ? this.nowMs : toMs(setAt);
      return [
        name,
        { value: read, setAtMs, source, ...(ttl ? { ttlMs: decodeDurationMs(ttl) } : {}) },
      ] as const;
    });
    const restrictions = message.restrictions.map((each) => ({
      kind: Restriction_Kind[each.kind] as Player["restrictions"][number]["kind"],
      source: each.source,
      fromMs: each.from === undefined ? this.nowMs : toMs(each.from),
      checkedAtMs: each.checkedAt === undefined ? this.nowMs : toMs(each.checkedAt),
      clear: each.clear,
      returned: each.returned,
      ...(each.until === undefined ? {} : { untilMs: toMs(each.until) }),
      ...(each.maxAge === undefined ? {} : { maxAgeMs: decodeDurationMs(each.maxAge) }),
    }));
    const { playerId } = message;
    this.#players.set(playerId, { playerId, attributes: new Map(attributes), restrictions });
  }

  #compileOverrides(): ReturnType<typeof buildOverrideSet> {
    const compiler = createOverrideCompiler(this.#snapshot);
    const overrides = [...this.#overrides.values()].map((message): CompiledOverride => {
      const { id, when, author, reason, priority } = message;
      const compiled = compiler.compile({
        id,
        subject: readSubject(message),
        when,
        kinds: message.kinds.length === 0 ? ["deposit"] : (message.kinds as ("deposit" | "withdrawal")[]),
        fromMs: message.from === undefined ? 0 : toMs(message.from),
        untilMs: toMs(message.until!),
        priority,
        author,
        reason,
        effectsJson: toJsonString(EffectsSchema, message.effects!),
      });
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
      return compiled.override;
    });
    return buildOverrideSet({ revision: this.#revision, slots: compiler.slots, overrides });
  }
}

function openWorld(golden: GoldenCase, bins: ReturnType<typeof readBinTable>): World {
  const world = new World(golden, bins);
  world.set(golden.state);
  return world;
}

function toMs({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1e6);
}

function readSubject({
  subject,
}: Override): Parameters<ReturnType<typeof createOverrideCompiler>["compile"]>[0]["subject"] {
  const chosen = subject!.subject;
  switch (chosen.case) {
    case "playerId":
      return { kind: "player", id: chosen.value };
    case "cardFingerprint":
      return { kind: "card", id: chosen.value };
    case "deviceId":
      return { kind: "device", id: chosen.value };
    case "paymentId":
      return { kind: "payment", id: chosen.value };
    case "segment":
      return { kind: "segment", id: chosen.value };
    default:
      return { kind: "everyone" };
  }
}
