import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { compileForTest, sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { RuleSetSchema } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Frame, Value } from "../../cel/expr.ts";
import { defaultRetryPolicy } from "../../retry/default-policy.ts";
import { outcomeClasses } from "../../retry/outcome-class.ts";
import type { DocumentFormat } from "../compilation.ts";
import type { RuleSnapshot } from "../snapshot.ts";
import { compileDocument, judgeDocument } from "./compile.ts";
import { hydrateSnapshot } from "./hydrate.ts";

const fullText = readFileSync(
  fileURLToPath(new URL("../../../../test/cases/rules/full.yaml", import.meta.url)),
  "utf8",
);
const full = compileForTest(fullText);

function judge(document: Uint8Array | string, format: DocumentFormat) {
  const bytes = typeof document === "string" ? new TextEncoder().encode(document) : document;
  return judgeDocument({ document: bytes, format, nowMs: testNowMs, sha256 });
}

/** A frame with values by the names that conditions use. */
function fillFrame(snapshot: RuleSnapshot, values: Readonly<Record<string, Value>>): Frame {
  const nameOf = (source: RuleSnapshot["slots"][number]): string => {
    if (source.kind === "field") return source.path;
    return "name" in source ? `${source.kind === "playerAttribute" ? "player" : "attr"}.${source.name}` : "";
  };
  const frame = {
    values: snapshot.slots.map((source) => values[nameOf(source)]),
    segments: new Uint8Array(snapshot.segments.length),
    lists: snapshot.lists,
    locals: [],
    nowMs: testNowMs,
    evalErrors: 0,
  };
  snapshot.matchSegments(frame);
  return frame;
}

function matchIds(snapshot: RuleSnapshot, frame: Frame): readonly string[] {
  const room = snapshot.rules.length;
  const matches = { ordinals: new Int32Array(room), flags: new Uint8Array(room) };
  const count = snapshot.matchRules(frame, matches);
  return [...matches.ordinals.subarray(0, count)].map(
    (ordinal, place) => `${snapshot.rules[ordinal]!.id}${matches.flags[place] === 0 ? "" : "?"}`,
  );
}

describe("one document in three formats", () => {
  const accepted = judge(fullText, "YAML").accepted!;
  const message = accepted.ruleSet;
  const hash = judge(fullText, "YAML").compilation.hash;
  const forms: readonly { name: string; format: DocumentFormat; document: string | Uint8Array }[] = [
    { name: "JSON of the YAML", format: "JSON", document: JSON.stringify(parse(fullText)) },
    {
      name: "protobuf JSON in camelCase",
      format: "JSON",
      document: JSON.stringify(toJson(RuleSetSchema, message)),
    },
    {
      name: "protobuf JSON in snake_case",
      format: "JSON",
      document: JSON.stringify(toJson(RuleSetSchema, message, { useProtoFieldName: true })),
    },
    {
      name: "protobuf JSON read as YAML",
      format: "YAML",
      document: JSON.stringify(toJson(RuleSetSchema, message)),
    },
    { name: "protobuf", format: "PROTOBUF", document: toBinary(RuleSetSchema, message) },
  ];
  test.each(forms)("$name has the same hash, defaults written out or not", ({ document, format }) => {
    expect(judge(document, format).compilation).toMatchObject({
      faults: [],
      hash,
      name: "full",
      ruleCount: 9,
    });
  });

  test("another meaning has another hash", () => {
    const changed = judge(fullText.replace("share_bps: 500", "share_bps: 501"), "YAML");
    expect(changed.compilation.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(changed.compilation.hash).not.toBe(hash);
  });

  test("a byte-order mark and CR LF change nothing", () => {
    expect(judge(`\ufeff${fullText.replaceAll("\n", "\r\n")}`, "YAML").compilation.hash).toBe(hash);
  });
});

describe("the order of entries in a document", () => {
  const sections = [
    "psps",
    "lists",
    "attributes",
    "segments",
    "rules",
    "fx_rates",
    "brands",
    "retry_policies",
  ];
  test("changes neither the hash nor the snapshot", () => {
    const document = parse(fullText) as Record<string, JsonValue[]>;
    const shuffled = fc.record(
      Object.fromEntries(
        sections.map((name) => {
          const entries = document[name] ?? [];
          return [name, fc.shuffledSubarray(entries, { minLength: entries.length })];
        }),
      ),
    );
    fc.assert(
      fc.property(shuffled, (mixed) => {
        const snapshot = compileForTest(stringify({ ...document, ...mixed }));
        expect(snapshot.hash).toBe(full.hash);
        expect(snapshot.rules).toEqual(full.rules);
        expect(snapshot.psps).toEqual(full.psps);
        expect(snapshot.segments).toEqual(full.segments);
        expect(snapshot.listIds).toEqual(full.listIds);
      }),
      { numRuns: 20 },
    );
  });

  test("is by class, then priority, then id", () => {
    expect(full.rules.map(({ id }) => id)).toEqual([
      "no-credit",
      "sca-floor",
      "at-risk",
      "bad-bin",
      "odd-device",
      "arm-b",
      "vip-night",
      "shadow-split",
      "base",
    ]);
    expect([...full.ruleOrdinals.values()]).toEqual(full.rules.map((_, ordinal) => ordinal));
  });
});

describe("a snapshot", () => {
  test("holds rules as decisions use them", () => {
    const [noCredit, , atRisk, badBin, oddDevice, armB, vipNight, shadowSplit] = full.rules;
    expect(noCredit).toMatchObject({
      ruleClass: "REGULATORY",
      matchUnknown: true,
      purposes: ["rg"],
      reason: "CREDIT_CARD_BAN",
      reasonUnknown: "FUNDING_UNKNOWN",
      effects: { deny: {} },
    });
    expect(atRisk).toMatchObject({
      reason: "SAFER_GAMBLING",
      reasonUnknown: "SAFER_GAMBLING_UNKNOWN",
      purposes: ["rg"],
    });
    expect(atRisk?.effects).toEqual({
      amountCap: { minorUnits: 10_000, currencyCode: "EUR" },
      actions: [
        { kind: "COOL_OFF_PROMPT", key: "cool" },
        { kind: "SUPPRESS_MARKETING", key: "" },
      ],
    });
    expect(badBin?.effects).toEqual({ deny: { retryAfterMs: 900_000 }, excludePsps: [1] });
    expect(oddDevice).toMatchObject({
      effects: { score: 400, review: true },
      matchUnknown: false,
      purposes: ["fraud"],
    });
    expect(armB).toMatchObject({
      fromMs: Date.UTC(2026, 1, 1),
      untilMs: Date.UTC(2026, 2, 1),
      rollout: { shareBps: 500, salt: "spring" },
      effects: { strategy: { kind: "least_cost", id: "arm-b", psps: [] } },
    });
    // Friday 22:00 to Saturday 04:00, Saturday 22:00 to Sunday 04:00.
    expect(vipNight?.hours).toEqual({
      zone: "Europe/Copenhagen",
      spans: [
        { fromMinute: 4 * 1440 + 1320, untilMinute: 5 * 1440 + 240 },
        { fromMinute: 5 * 1440 + 1320, untilMinute: 6 * 1440 + 240 },
      ],
    });
    expect(vipNight?.effects.threeDs).toEqual({ level: "EXEMPT", exemption: "TRA" });
    expect(shadowSplit).toMatchObject({ shadow: true, kinds: ["deposit", "withdrawal"] });
    expect(shadowSplit?.effects.strategy).toEqual({
      kind: "weighted",
      id: "shadow-split",
      weights: [
        { psp: 0, weight: 3 },
        { psp: 1, weight: 1 },
      ],
    });
  });

  test("holds PSPs, brands, rates and thresholds", () => {
    expect(full.psps[0]).toMatchObject({
      id: "alpha",
      excludedBinList: full.listIds.indexOf("bad-bins"),
      binList: undefined,
      credentials: ["NETWORK_TOKEN", "PAN"],
    });
    expect(full.psps[0]?.fees[0]?.regions).toContain("NO");
    expect(full.psps[0]?.fees[0]?.regions).not.toContain("EEA");
    expect(full.psps[0]?.fees[0]?.regions).not.toContain("GB");
    expect(full.psps[1]).toMatchObject({ enabled: true, threeDs: true, kinds: ["deposit"] });
    expect(full.methods).toEqual(["applepay", "card", "sepa"]);
    expect([...full.licenceOfBrand]).toEqual([["lucky", "SE"]]);
    expect(full.riskThresholds).toEqual({ reviewFrom: 300, denyFrom: 700 });
    expect(full.fx.ratio("EUR", "SEK")).toBeDefined();
    expect(full.attributes.get("channel")).toEqual({
      name: "channel",
      type: "STRING",
      values: ["app", "web"],
      purposes: ["payments", "fraud"],
    });
    expect([...full.playerAttributes.keys()]).toEqual(["harm_score", "level"]);
  });

  test("keeps hostile names as plain data", () => {
    const list = full.lists[full.listIds.indexOf("constructor")]!;
    expect(["toString", "__proto__", 'it\'s "quoted"', "a\u2028b"].map(list.has)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(["constructor", "valueOf", ""].map(list.has)).toEqual([false, false, false]);
    expect(full.ruleOrdinals.get("constructor")).toBeUndefined();
    expect(Object.prototype).not.toHaveProperty("id");
  });

  test("has complete retry policies, the default one always", () => {
    expect([...full.retryPolicies.keys()].sort()).toEqual(["default", "patient"]);
    expect(full.retryPolicies.get("default")).toEqual(defaultRetryPolicy);
    const patient = full.retryPolicies.get("patient")!;
    expect(Object.keys(patient.rules)).toEqual([...outcomeClasses]);
    expect(patient).toMatchObject({ maxAttempts: 5, validForMs: 3_600_000 });
    expect(patient.rules.WAIT).toEqual({ response: "ASK_AGAIN", waitMs: 604_800_000, fields: [] });
    expect(patient.rules.UNKNOWN).toEqual(defaultRetryPolicy.rules.UNKNOWN);
    const own = compileForTest(
      "psps: [{ id: a, methods: [card] }]\nretry_policies: [{ id: default, max_attempts: 1 }]",
    );
    expect(own.retryPolicies.get("default")?.maxAttempts).toBe(1);
  });

  test("fills segments of segments in their order, three-valued", () => {
    const dane = { "payment.player_country": "DK" };
    expect([...fillFrame(full, { ...dane, "player.level": 3 }).segments]).toEqual([1, 1]);
    expect([...fillFrame(full, { ...dane, "player.level": 2 }).segments]).toEqual([0, 0]);
    expect([...fillFrame(full, dane).segments]).toEqual([2, 2]);
    expect([...fillFrame(full, { "payment.player_country": "SE" }).segments]).toEqual([0, 2]);
  });

  test("matches rules in total order, through unknown only where the rule says so", () => {
    const always = ["sca-floor", "arm-b", "shadow-split", "base"];
    const known = { "context.jurisdictions": ["GB"], "player.harm_score": 1, "payment.risk_signals": [] };
    const debit = fillFrame(full, { ...known, "card.funding_strict": "debit", "card.bin": "45710435" });
    expect(matchIds(full, debit)).toEqual(always);
    const credit = fillFrame(full, { ...known, "card.funding_strict": "credit", "card.bin": "40000012" });
    expect(matchIds(full, credit)).toEqual([
      "no-credit",
      "sca-floor",
      "bad-bin",
      "arm-b",
      "shadow-split",
      "base",
    ]);
    const unknown = fillFrame(full, { "context.jurisdictions": ["GB"] });
    expect(matchIds(full, unknown)).toEqual(["no-credit?", ...always]);
  });

  test("reads card.funding the strict way in classes 1 and 2 only", () => {
    const paths = full.slots.map((source) => (source.kind === "field" ? source.path : ""));
    expect(paths).toContain("card.funding_strict");
    expect(paths).not.toContain("card.funding");
    const plain = compileForTest(`
psps: [{ id: a, methods: [card] }]
rules: [{ id: r, class: RISK, when: card.funding == "credit", effects: { deny: {} } }]`);
    expect(plain.slots).toEqual([{ kind: "field", path: "card.funding" }]);
  });

  test("gives conditions back for traces", () => {
    expect(full.ruleCondition(full.ruleOrdinals.get("base")!)).toBeUndefined();
    expect(full.ruleCondition(full.ruleOrdinals.get("bad-bin")!)).toMatchObject({ op: "inList" });
    expect(full.segmentCondition(0)).toMatchObject({ op: "and" });
  });

  test("may have no rules", () => {
    const bare = compileForTest("psps: [{ id: a, methods: [card] }]");
    expect(matchIds(bare, fillFrame(bare, {}))).toEqual([]);
  });

  test("opens in many small steps", () => {
    const rules = Array.from({ length: 2_000 }, (_, n) => ({
      id: `r${n}`,
      class: "SEGMENT",
      when: `payment.amount_in("EUR") + ${n} > 5 && payment.player_country == "DK"`,
      effects: { retry_policy: "default" },
    }));
    const text = JSON.stringify({ psps: [{ id: "a", methods: ["card"] }], rules });
    const document = new TextEncoder().encode(text);
    const { image } = compileDocument({ document, format: "JSON", nowMs: testNowMs, sha256 });
    const steps = hydrateSnapshot(image!, { version: 7, nowMs: testNowMs });
    let count = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) count++;
    expect(count).toBeGreaterThan(200);
    expect(step.value.version).toBe(7);
  });
});
