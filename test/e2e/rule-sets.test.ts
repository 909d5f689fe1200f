import { type Client, Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DecideResponse_Verdict, DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { DocumentFaultSchema, MissingSchema } from "../../src/gen/switchyard/v1/fault_pb.js";
import {
  Difference_Kind,
  Document_Format,
  RuleSetService,
} from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { catchError, expectFaults } from "../helpers/refusals.ts";
import { makeDepositMessage, makeMarkedRuleSet, type PushOptions, pushText } from "../helpers/rule-sets.ts";
import { connectAdmin, connectGateway, startService, type TestService } from "../helpers/service.ts";

const { APPROVE_ROUTE, DENY } = DecideResponse_Verdict;

/** One merchant for each test, so that none sees what another left. */
const merchantIds = ["diff", "simulate", "pages", "bytes"] as const;
type MerchantId = (typeof merchantIds)[number];

let service: TestService;
let rules: Client<typeof RuleSetService>;
let gateway: Client<typeof DecisionService>;

beforeAll(async () => {
  service = await startService({ merchants: Object.fromEntries(merchantIds.map((id) => [id, {}])) });
  rules = connectAdmin(RuleSetService, service);
  gateway = connectGateway(DecisionService, service);
});

afterAll(() => service.stop());

test("a diff names what was added, removed and changed, between versions and against a document", async () => {
  const merchantId = "diff";
  const before = makeMarkedRuleSet(
    "d",
    "  - { id: gone, class: SEGMENT, effects: { retry_policy: default } }",
  );
  const after = makeMarkedRuleSet(
    "d",
    "  - { id: fresh, class: SEGMENT, effects: { retry_policy: default } }",
  ).replace("key: act-d", "key: other");
  await push(merchantId, before, { activate: true });
  await push(merchantId, after);
  const wanted = [
    { kind: Difference_Kind.CHANGED, section: "rules", id: "act-d" },
    { kind: Difference_Kind.ADDED, section: "rules", id: "fresh" },
    { kind: Difference_Kind.REMOVED, section: "rules", id: "gone" },
  ];
  const fields = [{ path: "effects.actions[0].key", before: '"act-d"', after: '"other"' }];
  const document = { content: new TextEncoder().encode(after) };
  for (const [target, toVersion] of [
    [{}, 2n],
    [{ toVersion: 2n }, 2n],
    [{ document }, 0n],
  ] as const) {
    const diff = await rules.diff({ merchantId, ...target });
    expect(diff).toMatchObject({ fromVersion: 1n, toVersion, omitted: 0, differences: wanted });
    expect(diff.differences[0]?.fields).toMatchObject(fields);
  }
  expect((await rules.diff({ merchantId, fromVersion: 2n, toVersion: 2n })).differences).toEqual([]);
  const unknown = await catchError(rules.diff({ merchantId, fromVersion: 5n }));
  expect(unknown.code).toBe(Code.NotFound);
  const bad = await catchError(
    rules.diff({ merchantId, document: { content: new TextEncoder().encode("psps: 1") } }),
  );
  expect(bad.findDetails(DocumentFaultSchema)).not.toEqual([]);
});

test("a simulation tells what a draft would change, and stores nothing", async () => {
  const merchantId = "simulate";
  await push(merchantId, makeMarkedRuleSet("live"), { activate: true });
  const draft = makeMarkedRuleSet(
    "live",
    `  - { id: no-more, class: RISK, when: 'payment.player_country == "DK"', effects: { deny: {} } }`,
  );
  const { version } = await push(merchantId, draft);
  const payments = ["DK", "NO"].map((playerCountry) => ({
    ...makeDepositMessage(`sim-${playerCountry}`),
    playerCountry,
  }));
  for (const target of [
    { document: { content: new TextEncoder().encode(draft) } },
    { version: version!.version },
  ]) {
    const { results, changed } = await rules.simulate({ merchantId, ...target, payments });
    expect(changed).toBe(1);
    expect(
      results.map(({ active, draft: after, changed: parts }) => [active?.verdict, after?.verdict, parts]),
    ).toEqual([
      [APPROVE_ROUTE, DENY, ["verdict", "reasons", "psps", "three_ds"]],
      [APPROVE_ROUTE, APPROVE_ROUTE, []],
    ]);
  }
  for (const payment of payments) {
    const answer = await gateway.decide({ merchantId, ...payment });
    expect([answer.replayed, answer.verdict, answer.ruleSet?.version]).toEqual([false, APPROVE_ROUTE, 1n]);
  }
  const wrong = await catchError(
    rules.simulate({ merchantId, version: 2n, payments: [payments[0]!, { ...payments[0]!, kind: "gift" }] }),
  );
  expectFaults(wrong, "payments[1].kind unknown-value");
  expectFaults(await catchError(rules.simulate({ merchantId, version: 2n })), "payments required");
  expectFaults(await catchError(rules.simulate({ merchantId, payments })), "document required");
});

test("a watcher is told the active version at once and at each activation, and the stop of the service ends the watch", async () => {
  const merchantId = "watch";
  const other = await startService({ merchants: { watch: {} } });
  const admin = connectAdmin(RuleSetService, other);
  const watch = admin.watchActive({ merchantId })[Symbol.asyncIterator]();
  const told = async () => (await watch.next()).value?.version;
  expect(await told()).toBeUndefined();
  for (const mark of ["one", "two"]) {
    const content = new TextEncoder().encode(makeMarkedRuleSet(mark));
    await admin.push({ merchantId, document: { content }, author: "test", activate: true });
    expect(await told()).toMatchObject({ name: mark, active: true });
  }
  await admin.rollback({ merchantId, author: "test" });
  expect(await told()).toMatchObject({ version: 1n, name: "one", active: true });
  const late = admin.watchActive({ merchantId })[Symbol.asyncIterator]();
  expect((await late.next()).value?.version).toMatchObject({ version: 1n });
  const ends = [watch, late].map((each) => catchError(each.next()));
  await other.stop();
  expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([Code.Unavailable, Code.Unavailable]);
});

test("versions are listed in pages, the newest first", async () => {
  const merchantId = "pages";
  for (const mark of ["a", "b", "c", "d", "e"])
    await push(merchantId, makeMarkedRuleSet(mark), { comment: mark });
  const pages: string[][] = [];
  for (let beforeVersion = 0n; ; ) {
    const { versions, newestVersion } = await rules.list({ merchantId, pageSize: 2, beforeVersion });
    if (versions.length === 0) break;
    expect(newestVersion).toBe(5n);
    pages.push(versions.map(({ comment }) => comment));
    beforeVersion = versions.at(-1)!.version;
  }
  expect(pages).toEqual([["e", "d"], ["c", "b"], ["a"]]);
  for (const pageSize of [-1, 1001]) {
    expectFaults(await catchError(rules.list({ merchantId, pageSize })), "page_size out-of-range");
  }
});

test("a document comes back byte for byte as it was pushed", async () => {
  const merchantId = "bytes";
  const text = `\r\n# Überschrift — with a comment\r\n${makeMarkedRuleSet("crlf").replaceAll("\n", "\r\n")}\r\n\r\n`;
  const pushed = await push(merchantId, text);
  const got = await rules.get({ merchantId, version: 1n });
  expect(Buffer.from(got.document!.content).equals(Buffer.from(text))).toBe(true);
  expect(got.document?.format).toBe(Document_Format.YAML);
  expect(got.version).toMatchObject({ hash: pushed.version?.hash, sizeBytes: Buffer.byteLength(text) });
  // The same rules written otherwise are the same rules.
  expect((await push(merchantId, makeMarkedRuleSet("crlf"))).version?.hash).toBe(pushed.version?.hash);
  expect((await catchError(rules.get({ merchantId }))).findDetails(MissingSchema)).toMatchObject([
    { id: "active" },
  ]);
});

function push(merchantId: MerchantId, text: string, options: PushOptions = {}) {
  return pushText(rules, merchantId, text, options);
}
