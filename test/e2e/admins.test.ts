import { rm } from "node:fs/promises";
import { type Client, Code, type ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEmbeddedStore } from "../../src/adapters/embedded/embedded-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import {
  type DecideResponse,
  DecideResponse_Verdict,
  DecisionService,
} from "../../src/gen/switchyard/v1/decision_pb.js";
import {
  DocumentFault_Severity,
  DocumentFaultSchema,
  MissingSchema,
} from "../../src/gen/switchyard/v1/fault_pb.js";
import { OverrideService, OverrideStatus_State } from "../../src/gen/switchyard/v1/override_pb.js";
import { Document_Format, RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { readBadRules } from "../helpers/bad-rules.ts";
import { catchError, expectConflict, expectFaults, expectPrecondition } from "../helpers/refusals.ts";
import { makeDepositMessage, makeMarkedRuleSet, type PushOptions, pushText } from "../helpers/rule-sets.ts";
import {
  connectAdmin,
  connectGateway,
  makeDataDirectory,
  startService,
  type TestService,
} from "../helpers/service.ts";

const { APPROVE_ROUTE, DENY } = DecideResponse_Verdict;

/** One merchant for each test, so that none sees what another left. */
const merchantIds = ["base", "base-0", "expected", "bad", "loosen", "orphans", "back"] as const;
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

test("of admins who push from one base version exactly one wins, and the others learn the version that stands", async () => {
  const merchantId = "base";
  await push(merchantId, makeMarkedRuleSet("first"), { activate: true });
  const authors = ["ann", "bob", "cyd", "dan"];
  const pushes = await Promise.allSettled(
    authors.map((author) =>
      push(merchantId, makeMarkedRuleSet(author), { author, baseVersion: 1n, activate: true }),
    ),
  );
  const losers = pushes.filter((each) => each.status === "rejected");
  expect(losers).toHaveLength(authors.length - 1);
  for (const { reason } of losers) expectConflict(reason as ConnectError, 1n, 2n);
  const winner = authors[pushes.findIndex(({ status }) => status === "fulfilled")]!;
  const { versions, newestVersion, activeVersion } = await rules.list({ merchantId });
  expect(versions.map(({ author, active }) => [author, active])).toEqual([
    [winner, true],
    ["test", false],
  ]);
  expect([newestVersion, activeVersion]).toEqual([2n, 2n]);
  expect(firstPsp(await decide(merchantId, "pay-1"))).toBe(`psp-${winner}`);
});

test("the first version is pushed from base version 0", async () => {
  const error = await catchError(push("base-0", makeMarkedRuleSet("x"), { baseVersion: 7n }));
  expectConflict(error, 7n, 0n);
  expect((await push("base-0", makeMarkedRuleSet("x"), { baseVersion: 0n })).version?.version).toBe(1n);
});

test("activate and rollback take the version that the caller believes to be active", async () => {
  const merchantId = "expected";
  const author = "test";
  for (const mark of ["a", "b", "c"]) await push(merchantId, makeMarkedRuleSet(mark));
  await rules.activate({ merchantId, author, version: 1n, expectedActiveVersion: 0n });
  expectConflict(
    await catchError(rules.activate({ merchantId, author, version: 2n, expectedActiveVersion: 0n })),
    0n,
    1n,
  );
  // Two at once, from one belief.
  const both = await Promise.allSettled(
    [2n, 3n].map((version) =>
      rules.activate({ merchantId, author, version, expectedActiveVersion: 1n, confirmLoosening: true }),
    ),
  );
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const { activeVersion } = await rules.list({ merchantId });
  expectConflict(
    await catchError(rules.rollback({ merchantId, author, expectedActiveVersion: 1n })),
    1n,
    activeVersion,
  );
  const back = await rules.rollback({ merchantId, author, expectedActiveVersion: activeVersion });
  expect([back.version?.version, back.previousVersion]).toEqual([1n, activeVersion]);
  // Nobody activates without a name, or what does not exist.
  expectFaults(await catchError(rules.activate({ merchantId, version: 2n })), "author required");
  expectFaults(await catchError(rules.activate({ merchantId, author })), "version required");
  const missing = await catchError(rules.activate({ merchantId, author, version: 9n }));
  expect(missing.code).toBe(Code.NotFound);
  expect(missing.findDetails(MissingSchema)).toMatchObject([{ kind: "rule_set", id: "9" }]);
});

test("every document with a fault is refused where it stands, and no decision is disturbed", async () => {
  const merchantId = "bad";
  await push(merchantId, makeMarkedRuleSet("good"), { activate: true });
  let done = false;
  let calls = 0;
  async function decideOn(lane: number): Promise<void> {
    for (let at = 0; !done; at++, calls++) {
      const answer = await decide(merchantId, `bad-${lane}-${at}`);
      expect([answer.ruleSet?.version, firstPsp(answer)]).toEqual([1n, "psp-good"]);
    }
  }
  const lanes = Promise.all([decideOn(0), decideOn(1)]);
  const documents = readBadRules().filter(({ want }) => !want.startsWith("WARNING"));
  const found: string[] = [];
  for (const { name, bytes, format } of documents) {
    const document = { content: bytes, format: Document_Format[format] };
    const error = await catchError(rules.push({ merchantId, document, author: "test", activate: true }));
    expect(error.code, name).toBe(Code.InvalidArgument);
    const faults = error
      .findDetails(DocumentFaultSchema)
      .filter(({ severity }) => severity === DocumentFault_Severity.ERROR);
    found.push(
      ...faults.map(({ rule, path, line, column }) => `${name}: ${rule} ${path || "-"} ${line}:${column}`),
    );
  }
  done = true;
  await lanes;
  expect(found).toEqual(documents.map(({ name, want }) => `${name}: ${want}`));
  expect(documents.length).toBeGreaterThan(100);
  expect(calls).toBeGreaterThan(documents.length / 10);
  expect(await rules.list({ merchantId })).toMatchObject({ newestVersion: 1n, activeVersion: 1n });
});

test("a rule of the law is not turned to shadow or removed without a word", async () => {
  const merchantId = "loosen";
  const author = "test";
  const law = (more: string) =>
    makeMarkedRuleSet(
      "law",
      `  - { id: ban, class: REGULATORY, when: 'payment.player_country == "DK"', on_unknown: SKIP, effects: { deny: {} }${more} }`,
    );
  await push(merchantId, law(""), { activate: true });
  for (const loosened of [law(", mode: SHADOW"), makeMarkedRuleSet("law")]) {
    const { version } = await push(merchantId, loosened);
    const call = { merchantId, author, version: version!.version };
    expectPrecondition(await catchError(rules.activate(call)), "confirm_loosening loosening", "ban");
    const error = await catchError(push(merchantId, loosened, { activate: true }));
    expectPrecondition(error, "confirm_loosening loosening", "ban");
    // A push that may not be activated is not kept either.
    expect(await rules.list({ merchantId })).toMatchObject({
      newestVersion: version!.version,
      activeVersion: 1n,
    });
    expect((await decide(merchantId, `pay-${version!.version}`)).verdict).toBe(DENY);
    await rules.activate({ ...call, confirmLoosening: true });
    expect((await decide(merchantId, `pay-${version!.version}-loose`)).verdict).toBe(APPROVE_ROUTE);
    // The way back tightens, so nothing is asked; the way forth would loosen again.
    await rules.rollback({ merchantId, author });
    const forth = await catchError(rules.rollback({ merchantId, author }));
    expectPrecondition(forth, "confirm_loosening loosening", "ban");
  }
});

test("overrides that an activation would orphan keep it back, are inert and listed, and act again after the rollback", async () => {
  const merchantId = "orphans";
  const author = "test";
  const overrides = connectAdmin(OverrideService, service);
  const two = makeMarkedRuleSet("two").replace("psps:\n", "psps:\n  - { id: spare, methods: [card] }\n");
  await push(merchantId, two, { activate: true });
  const until = { seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 };
  await overrides.putOverride({
    merchantId,
    override: {
      id: "force-spare",
      subject: { subject: { case: "playerId", value: "player-1" } },
      author,
      reason: "a try",
      until,
      effects: {
        requirePsps: ["spare"],
        strategy: { how: { case: "priority", value: { psps: ["spare"] } } },
      },
    },
  });
  expect(firstPsp(await decide(merchantId, "pay-1"))).toBe("spare");

  const { version } = await push(merchantId, makeMarkedRuleSet("two"));
  const call = { merchantId, author, version: version!.version };
  const refused = await catchError(rules.activate(call));
  expectPrecondition(refused, "allow_orphans orphaned-overrides", "force-spare");
  expect(firstPsp(await decide(merchantId, "pay-2"))).toBe("spare");

  const activated = await rules.activate({ ...call, allowOrphans: true });
  expect(activated.orphanedOverrides).toEqual(["force-spare"]);
  expect(firstPsp(await decide(merchantId, "pay-3"))).toBe("psp-two");
  const [orphan] = (await overrides.listOverrides({ merchantId })).overrides;
  expect(orphan?.state).toBe(OverrideStatus_State.ORPHANED);
  expect(orphan?.missing.join()).toContain("spare");

  await rules.rollback({ merchantId, author });
  expect(firstPsp(await decide(merchantId, "pay-4"))).toBe("spare");
  const [again] = (await overrides.listOverrides({ merchantId })).overrides;
  expect(again).toMatchObject({ state: OverrideStatus_State.ACTIVE, missing: [] });
});

test("a rollback leads to what was active before, and a second one back again", async () => {
  const merchantId = "back";
  const author = "test";
  expectPrecondition(
    await catchError(rules.rollback({ merchantId, author })),
    "merchant_id nothing-to-roll-back",
  );
  for (const mark of ["one", "two", "three"])
    await push(merchantId, makeMarkedRuleSet(mark), { activate: true });
  const seen: unknown[] = [];
  for (const paymentId of ["pay-1", "pay-2"]) {
    const { version, previousVersion } = await rules.rollback({ merchantId, author });
    seen.push([version?.version, previousVersion, firstPsp(await decide(merchantId, paymentId))]);
  }
  expect(seen).toEqual([
    [2n, 3n, "psp-two"],
    [3n, 2n, "psp-three"],
  ]);
  // What was answered stays answered, whatever is active.
  expect((await decide(merchantId, "pay-1")).ruleSet?.version).toBe(2n);
});

test("what admins did is in the audit trail", async () => {
  const directory = await makeDataDirectory();
  const other = await startService({ dataDirectory: directory, merchants: { audit: {} } });
  const admin = connectAdmin(RuleSetService, other);
  for (const mark of ["one", "two"]) {
    const content = new TextEncoder().encode(makeMarkedRuleSet(mark));
    await admin.push({ merchantId: "audit", document: { content }, author: "ann", activate: true });
  }
  await admin.rollback({ merchantId: "audit", author: "bob" });
  await catchError(
    admin.activate({ merchantId: "audit", author: "eve", version: 2n, expectedActiveVersion: 9n }),
  );
  await other.stop();
  const store = await openEmbeddedStore({
    directory,
    clock: systemClock,
    onError: (error) => expect.unreachable(String(error)),
  });
  const entries = store.audit.list("audit", 10).map(({ actor, action, subject }) => [actor, action, subject]);
  await store.close();
  await rm(directory, { recursive: true });
  // The newest first. Who was refused changed nothing.
  expect(entries).toEqual([
    ["bob", "rule_set.rollback", "rule_set/1"],
    ["ann", "rule_set.activate", "rule_set/2"],
    ["ann", "rule_set.push", "rule_set/2"],
    ["ann", "rule_set.activate", "rule_set/1"],
    ["ann", "rule_set.push", "rule_set/1"],
  ]);
});

function push(merchantId: MerchantId, text: string, options: PushOptions = {}) {
  return pushText(rules, merchantId, text, options);
}

function decide(merchantId: MerchantId, paymentId: string): Promise<DecideResponse> {
  return gateway.decide({ merchantId, ...makeDepositMessage(paymentId) });
}

function firstPsp({ plan }: DecideResponse): string | undefined {
  return plan?.steps[0]?.psp;
}
