import { fromJson, type JsonObject, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DecideRequestSchema } from "../../src/gen/switchyard/v1/decision_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { type Outcome, openRawClient, postRaw, type RawClient } from "../helpers/refused-call.ts";
import { makeDeposit, makeMarkedRuleSet } from "../helpers/rule-sets.ts";
import { connectAdmin, startService, type TestService } from "../helpers/service.ts";

const decide = "DecisionService/Decide";
const declarations = `attributes:
  - { name: channel, subject: PAYMENT, type: STRING }
  - { name: score, subject: PAYMENT, type: DOUBLE }
  - { name: tags, subject: PAYMENT, type: STRING_LIST }
`;

let service: TestService;
let raw: RawClient;
let goodCalls = 0;

beforeAll(async () => {
  service = await startService({ merchants: { default: {} } });
  raw = openRawClient(service.gatewayUrl);
  const content = new TextEncoder().encode(
    makeMarkedRuleSet("m").replace("segments:", `${declarations}segments:`),
  );
  await connectAdmin(RuleSetService, service).push({ document: { content }, author: "test", activate: true });
});

afterAll(async () => {
  raw.close();
  await service.stop();
});

/** Whatever came before, a good call is answered right after. */
afterEach(async () => {
  const request = makeDeposit(`good-${goodCalls++}`);
  expect(await sendAt("gateway", request)).toMatchObject({ code: "OK" });
  expect(await sendAt("admin", request)).toMatchObject({ code: "OK" });
});

type Door = "gateway" | "admin";
const doors: readonly Door[] = ["gateway", "admin"];

/** As bytes over gRPC, or as JSON. */
function sendAt(door: Door, request: JsonObject): Promise<Outcome> {
  if (door === "admin") return postRaw(service.adminUrl, decide, JSON.stringify(request));
  return raw.send(decide, toBinary(DecideRequestSchema, fromJson(DecideRequestSchema, request)));
}

const pan = "4111 1111 1111 1111";
const attempt = { attemptId: "a-1", psp: "psp-m", class: "GENERIC" };
const review = { result: "APPROVED", reviewer: "ann", at: "2026-01-01T00:00:00Z" };
const many = (length: number): string[] => Array.from({ length }, (_, at) => `n${at}`);

/** What is added to a good request, and how that is refused. */
const requests: readonly (readonly [string, JsonObject, ...string[]])[] = [
  ["no payment id", { paymentId: "" }, "payment_id required"],
  ["no player", { playerId: "" }, "player_id required"],
  ["no kind", { kind: "" }, "kind required"],
  ["an unknown kind", { kind: "gift" }, "kind unknown-value"],
  ["no method", { method: "" }, "method required"],
  ["a negative revision", { revision: -1 }, "revision out-of-range"],
  ["an amount of 0", amount("0"), "amount.minor_units positive"],
  ["no minor units", { amount: { currencyCode: "EUR" } }, "amount.minor_units positive"],
  ["a negative amount", amount("-5000"), "amount.minor_units positive"],
  ["an amount of 2^53", amount("9007199254740992"), "amount.minor_units safe-integer"],
  ["the greatest int64", amount("9223372036854775807"), "amount.minor_units safe-integer"],
  ["no currency", amount("5000", ""), "amount.currency_code required"],
  ["an unknown currency", amount("5000", "ZZZ"), "amount.currency_code iso-4217"],
  ["a currency in small letters", amount("5000", "eur"), "amount.currency_code iso-4217"],
  ["a country that is none", { playerCountry: "XX" }, "player_country iso-3166"],
  ["a country in small letters", { ipCountry: "dk" }, "ip_country malformed"],
  ["an IP address that is none", { ip: "300.1.1.1" }, "ip malformed"],
  ["a BIN of 5 digits", { card: { bin: "45710" } }, "card.bin malformed"],
  ["a BIN of 9 digits", { card: { bin: "457104351" } }, "card.bin malformed"],
  ["5 last digits", { card: { lastFour: "11111" } }, "card.last_four malformed"],
  ["an unknown funding", { card: { funding: "barter" } }, "card.funding unknown-value"],
  ["a trust score of NaN", { trustScore: "NaN" }, "trust_score out-of-range"],
  ["an infinite trust score", { trustScore: "Infinity" }, "trust_score out-of-range"],
  ["a trust score below 0", { trustScore: "-Infinity" }, "trust_score out-of-range"],
  ["a trust score above 100", { trustScore: 100.5 }, "trust_score out-of-range"],
  ["a mode of number 99", { mode: 99 }, "mode unknown-enum-value"],
  ["an initiator of number 4", { initiator: 4 }, "initiator unknown-enum-value"],
  ["a credential of number -1", { card: { credential: -1 } }, "card.credential unknown-enum-value"],
  [
    "an outcome of number 14",
    { previousAttempts: [{ ...attempt, class: 14 }] },
    "previous_attempts[0].class unknown-enum-value",
  ],
  [
    "a response code of three characters",
    { previousAttempts: [{ attemptId: "a", psp: "p", responseCode: "051" }] },
    "previous_attempts[0].response_code malformed",
  ],
  ["an unknown brand", { brand: "nobody" }, "brand declared"],
  ["an attribute that is not declared", { attributes: { color: "red" } }, "attributes.color declared"],
  ["an attribute of another type", { attributes: { score: "high" } }, "attributes.score type"],
  ["an attribute that is a map", { attributes: { channel: { a: 1 } } }, "attributes.channel type"],
  ["a list of numbers", { attributes: { tags: [1] } }, "attributes.tags[0] type"],
  ["decide_at under the clock of the service", { decideAt: "2026-01-01T00:00:00Z" }, "decide_at clock"],
  ["a long request id", { requestId: "r".repeat(129) }, "request_id too-long"],
  ["a long payment id", { paymentId: "p".repeat(129) }, "payment_id too-long"],
  ["a long method", { method: "m".repeat(65) }, "method too-long"],
  ["a long attribute", { attributes: { channel: "c".repeat(1025) } }, "attributes.channel too-long"],
  ["65 risk signals", { riskSignals: many(65) }, "risk_signals too-many"],
  ["65 attributes", { attributes: Object.fromEntries(many(65).map((n) => [n, 1])) }, "attributes too-many"],
  ["a list of 65 texts", { attributes: { tags: many(65) } }, "attributes.tags too-many"],
  [
    "33 attempts",
    { previousAttempts: many(33).map((id) => ({ ...attempt, attemptId: id })) },
    "previous_attempts too-many",
  ],
  ["an attribute named __proto__", named("__proto__"), "attributes.__proto__ malformed"],
  ["an attribute named constructor.x", named("constructor.x"), "attributes.constructor.x malformed"],
  ["an attribute named constructor", named("constructor"), "attributes.constructor declared"],
  ["an attribute with a quote in its name", named(`a"b'`), `attributes.a"b' malformed`],
  ["an attribute with U+2028 in its name", named("a\u2028b"), "attributes.a\u2028b malformed"],
  ["an attribute without a name", named(""), "attributes. malformed"],
  ["U+2028 in the payment id", { paymentId: "p\u2028q" }, "payment_id malformed"],
  ["a NUL in the payment id", { paymentId: "p\0q" }, "payment_id malformed"],
  ["a line break in the player id", { playerId: "p\nq" }, "player_id malformed"],
  [
    "several things at once",
    { kind: "", ...amount("0", "ZZZ") },
    "kind required",
    "amount.currency_code iso-4217",
    "amount.minor_units positive",
  ],
];

function amount(minorUnits: string, currencyCode = "EUR"): JsonObject {
  return { amount: { minorUnits, currencyCode } };
}

/** An own key, which an object literal would not make of `__proto__`. */
function named(name: string): JsonObject {
  return { attributes: JSON.parse(`{${JSON.stringify(name)}:1}`) as JsonObject };
}

describe.each(doors)("Decide at the %s", (door) => {
  const rows = requests.map(([name, more, ...faults]) => ({ name, more, faults }));
  test.each(rows)("refuses $name", async ({ more, faults }) => {
    const outcome = await sendAt(door, { ...makeDeposit("bad"), ...more });
    expect(outcome).toMatchObject({ code: "InvalidArgument", faults });
  });

  test("refuses a call without an amount", async () => {
    const { amount: _, ...rest } = makeDeposit("bad");
    expect(await sendAt(door, rest)).toMatchObject({ code: "InvalidArgument", faults: ["amount required"] });
  });

  test("does not know a merchant by another one's rules", async () => {
    const outcome = await sendAt(door, { ...makeDeposit("bad"), merchantId: "nobody" });
    expect(outcome).toMatchObject({ code: "NotFound", missing: ["merchant nobody"] });
  });

  test.each([
    ["request_id", { requestId: pan }],
    ["merchant_id", { merchantId: pan }],
    ["payment_id", { paymentId: pan }],
    ["player_id", { playerId: pan }],
    ["brand", { brand: pan }],
    ["method", { method: pan }],
    ["device_id", { deviceId: pan }],
    ["card.scheme", { card: { scheme: pan } }],
    ["card.issuer", { card: { issuer: `Bank ${pan}` } }],
    ["card.fingerprint", { card: { fingerprint: pan } }],
    ["card.token_id", { card: { tokenId: pan } }],
    ["card.bin", { card: { bin: pan } }],
    ["risk_signals[0]", { riskSignals: [pan] }],
    ["attributes.channel", { attributes: { channel: `a card: ${pan}` } }],
    ["attributes.tags[1]", { attributes: { tags: ["fine", "4111-1111-1111-1111"] } }],
    ["previous_attempts[0].attempt_id", { previousAttempts: [{ ...attempt, attemptId: pan }] }],
    ["previous_attempts[0].psp", { previousAttempts: [{ ...attempt, psp: pan }] }],
    ["previous_attempts[0].response_code", { previousAttempts: [{ ...attempt, responseCode: pan }] }],
    ["review.reviewer", { review: { ...review, reviewer: pan } }],
  ] satisfies [string, JsonObject][])(
    "refuses a card number in %s, and does not repeat it",
    async (field, more) => {
      const outcome = await sendAt(door, { ...makeDeposit("bad"), ...more });
      expect(outcome.code).toBe("InvalidArgument");
      expect(outcome.faults).toContain(`${field} no-card-number`);
      expect(JSON.stringify(outcome)).not.toContain("1111 1111");
    },
  );

  test("takes a UUID whose digits would make a card number", async () => {
    const uuid = "41111111-1111-1111-8111-111111111111";
    expect(await sendAt(door, makeDeposit(uuid, { playerId: uuid }))).toMatchObject({ code: "OK" });
  });

  test.each([
    "__proto__",
    "constructor",
    "toString",
    `'; drop table "players" --`,
    "\u{1F4B3} ünïcode",
    "a,b\\c",
  ])("takes %j for an id like any other", async (id) => {
    const request = makeDeposit(`${id}-${door}`, { playerId: id, requestId: id, deviceId: id });
    expect(await sendAt(door, request)).toMatchObject({ code: "OK" });
  });
});

describe("JSON that is no request", () => {
  const good = makeDeposit("bad");
  const body = (more: JsonObject): string => JSON.stringify({ ...good, ...more });
  test.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ["an unknown field", body({ colour: "red" })],
    [
      "an unknown field in the amount",
      body({ amount: { minorUnits: "1", currencyCode: "EUR", exponent: 2 } }),
    ],
    ["the field __proto__", `{"__proto__":{"paymentId":"x"},${body({}).slice(1)}`],
    ["an unknown enum name", body({ mode: "TEATIME" })],
    ["an amount with a point, as text", body(amount("50.00"))],
    ["an amount with a point, as a number", body({ amount: { minorUnits: 50.5, currencyCode: "EUR" } })],
    ["an amount that is no number", body(amount("fifty"))],
    ["an amount beyond int64", body(amount("9223372036854775808"))],
    ["an amount as a number beyond 2^53", `{"amount":{"minorUnits":9007199254740993,"currencyCode":"EUR"}}`],
    ["a text instead of an object", body({ amount: "EUR 50.00" })],
    ["a number instead of a text", body({ paymentId: 7 })],
    ["a list instead of an object", "[]"],
    ["no JSON at all", "paymentId=7"],
    ["JSON that ends too early", body({}).slice(0, -2)],
    ["NaN, which JSON does not have", `{"trustScore":NaN}`],
    ["a number beyond a double", body({}).replace(/}$/, `,"trustScore":1e999}`)],
    [
      "bytes that are no UTF-8",
      Buffer.concat([Buffer.from(`{"paymentId":"`), Buffer.from([0xc3, 0x28]), Buffer.from(`"}`)]),
    ],
    ["nesting without end", `{"attributes":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`],
  ])("is refused: %s", async (_, text) => {
    expect(await postRaw(service.adminUrl, decide, text)).toMatchObject({ code: "InvalidArgument" });
  });

  test.each([
    ["paymentId", { paymentId: "\ud800" }],
    ["playerId", { playerId: "a\udc00b" }],
    ["requestId", { requestId: "\udc00\ud800" }],
    ["attributes.channel", { attributes: { channel: "\ud83d" } }],
  ])("is refused: half of a surrogate pair in %s", async (field, more) => {
    const outcome = await postRaw(service.adminUrl, decide, body(more));
    expect(outcome.code).toBe("InvalidArgument");
    expect(outcome.message.replaceAll("_id", "Id")).toContain(field);
  });

  test("is refused: a body that is too large", async () => {
    const text = body({ requestId: "r".repeat(50 * 1024 * 1024) });
    expect(await postRaw(service.adminUrl, decide, text)).toMatchObject({ code: "ResourceExhausted" });
  });
});

describe("bytes that are no request", () => {
  const good = toBinary(DecideRequestSchema, fromJson(DecideRequestSchema, makeDeposit("bad")));
  const append = (write: (writer: BinaryWriter) => BinaryWriter): Uint8Array =>
    Buffer.concat([good, write(new BinaryWriter()).finish()]);
  const badText = Uint8Array.from([0xff, 0xfe, 0x80]);
  const textField = (number: number, bytes: Uint8Array) =>
    append((writer) => writer.tag(number, WireType.LengthDelimited).bytes(bytes));
  const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(badText).finish();

  test.each<[string, Uint8Array]>([
    ["a payment id that is no UTF-8", textField(3, badText)],
    ["an overlong encoding", textField(3, Uint8Array.from([0xc0, 0x80]))],
    ["half of a surrogate pair", textField(3, Uint8Array.from([0xed, 0xa0, 0x80]))],
    ["an attribute's name that is no UTF-8", textField(19, entry)],
    ["a message that ends too early", good.subarray(0, good.length - 3)],
    ["a length that lies", textField(8, Uint8Array.from([0x12, 0x7f, 0x45]))],
    ["text where a number belongs", textField(4, badText)],
    ["a group", append((writer) => writer.tag(3, WireType.StartGroup).tag(3, WireType.EndGroup))],
    [
      "a field that this version does not know",
      append((writer) => writer.tag(99, WireType.Varint).uint32(1)),
    ],
    [
      "such a field in the card",
      textField(10, new BinaryWriter().tag(77, WireType.LengthDelimited).string("x").finish()),
    ],
    ["noise", Uint8Array.from({ length: 64 }, (_, at) => (at * 37 + 255) % 256)],
  ])("are refused: %s", async (_, bytes) => {
    expect(await raw.send(decide, bytes)).toMatchObject({ code: "InvalidArgument" });
  });

  test("are refused: NaN and infinities as attributes", async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const number = new BinaryWriter().tag(2, WireType.Bit64).double(value).finish();
      const bytes = new BinaryWriter()
        .tag(1, WireType.LengthDelimited)
        .string("score")
        .tag(2, WireType.LengthDelimited)
        .bytes(number)
        .finish();
      expect(await raw.send(decide, textField(19, bytes))).toMatchObject({
        code: "InvalidArgument",
        faults: ["attributes.score finite"],
      });
    }
  });

  test("are refused: a message that is too large", async () => {
    expect(await raw.send(decide, textField(1, new Uint8Array(5 * 1024 * 1024)))).toMatchObject({
      code: "ResourceExhausted",
    });
  });

  test("are refused: a method that there is not, and one that is for admins", async () => {
    for (const method of ["DecisionService/Guess", "RuleSetService/Push"]) {
      expect(await raw.send(method, good)).toMatchObject({ code: "Unimplemented" });
    }
  });
});

describe("admin calls", () => {
  test.each<[string, JsonValue, string]>([
    ["RuleSetService/Get", { version: "9007199254740993" }, "version safe-integer"],
    ["RuleSetService/Get", { version: "-1" }, "version not-negative"],
    ["RuleSetService/List", { pageSize: 5000 }, "page_size out-of-range"],
    ["RuleSetService/Push", { author: pan, document: { content: "YQ==" } }, "author no-card-number"],
    [
      "RuleSetService/Push",
      { author: "a", comment: "c".repeat(1025), document: { content: "YQ==" } },
      "comment too-long",
    ],
    ["RuleSetService/Push", { author: "a" }, "document.content required"],
    [
      "RuleSetService/Push",
      { author: "a", document: { content: "YQ==", format: 9 } },
      "document.format unknown-enum-value",
    ],
    ["PlayerService/GetPlayer", { playerId: pan }, "player_id no-card-number"],
    ["PlayerService/GetPlayer", { playerId: "\u2029" }, "player_id malformed"],
    ["PlayerService/UpdatePlayer", { playerId: "p" }, "attributes required"],
    [
      "PlayerService/UpdatePlayer",
      { playerId: "p", attributes: { "a b": { value: 1 } } },
      "attributes.a b malformed",
    ],
    [
      "PspService/SetPspState",
      { psp: "psp-m", state: 7, author: "a", reason: "r" },
      "state unknown-enum-value",
    ],
    ["OverrideService/ExpireOverride", { id: "o".repeat(65), author: "a" }, "id too-long"],
    ["OverrideService/ListOverrides", { merchantId: pan }, "merchant_id no-card-number"],
  ])("%s refuses %j", async (method, request, fault) => {
    const outcome = await postRaw(service.adminUrl, method, JSON.stringify(request));
    expect(outcome).toMatchObject({ code: "InvalidArgument", faults: [fault] });
  });

  test("refuse fields that this version does not know, however deep", async () => {
    const unknown = new BinaryWriter().tag(77, WireType.Varint).uint32(1).finish();
    const effects = new BinaryWriter().tag(10, WireType.LengthDelimited).bytes(unknown).finish();
    const request = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(effects).finish();
    const outcome = await postRaw(
      service.adminUrl,
      "OverrideService/PutOverride",
      Uint8Array.from(request),
      "application/proto",
    );
    expect(outcome.code).toBe("InvalidArgument");
    expect(outcome.faults).toContain("override.effects.#77 unknown-field");
  });
});
