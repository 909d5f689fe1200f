import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { openPspClient, type PspAnswer, type PspClient } from "../../samples/gateway/psp-client.ts";
import { parseScript, readScript } from "../../samples/psp-simulator/script.ts";
import { type Simulator, startSimulator } from "../../samples/psp-simulator/simulator.ts";
import { Failure } from "../../src/gen/switchyard/v1/payment_pb.js";

type Settings = Readonly<Record<string, unknown>>;

const calm = {
  id: "alpha",
  latency_ms: { median: 0, p95: 0 },
  approval: { default: 1 },
  declines: [{ code: "05" }],
};
/** How long the client waits: long where an answer comes however busy the machine is, short where none will. */
const patientMs = 10_000;
const shortMs = 100;
let simulator: Simulator | undefined;
let client: PspClient | undefined;

afterEach(async () => {
  client?.close();
  await simulator?.stop();
});

/** One PSP, calm but for what is said, and a client of it. */
async function open(psp: Settings = {}, script: Settings = {}, timeoutMs = patientMs): Promise<PspClient> {
  simulator = await startSimulator(parseScript(JSON.stringify({ ...script, psps: [{ ...calm, ...psp }] })));
  const [listed] = (await (await fetch(`${simulator.url}/psps`)).json()) as [{ readonly url: string }];
  client = openPspClient(listed.url, timeoutMs);
  return client;
}

function ask(payment: string, amountMinor = 1_000) {
  const card = { bin: "45710435", scheme: "visa", country: "DK", token: "t", expiry: "12/30" };
  const threeDs = { run: false };
  return { payment, amountMinor, currency: "EUR", country: "DK", method: "card", card, threeDs };
}

const failed = (failure: Failure): PspAnswer => ({ kind: "failed", failure });

describe("a PSP of the simulator", () => {
  test("answers a repeated key with its first answer, and charges once", async () => {
    const psp = await open();
    const first = await psp.authorise("k1", ask("p1"));
    expect(first).toMatchObject({ kind: "approved", approvedMinor: 1_000, code: "00" });
    expect(await psp.authorise("k1", ask("p1"))).toEqual(first);
    expect(await psp.getStatus("k1")).toEqual(first);
    expect(await psp.authorise("k1", ask("p1", 2_000))).toEqual(failed(Failure.SERVER));
    expect(simulator!.ledger.entries).toHaveLength(1);
  });

  test("that is not idempotent charges a repeated key again, and the ledger tells", async () => {
    const psp = await open({ idempotent: false });
    await psp.authorise("k1", ask("p1"));
    expect(simulator!.ledger.findDoubles()).toEqual([]);
    await psp.authorise("k1", ask("p1"));
    expect(simulator!.ledger.findDoubles()).toEqual(["p1"]);
    expect(await (await fetch(`${simulator!.url}/ledger`)).json()).toMatchObject({ chargedTwice: ["p1"] });
  });

  test("voids a charge, once more too, and no longer settles it", async () => {
    const psp = await open();
    await psp.authorise("k1", ask("p1"));
    expect(await psp.listSettled()).toEqual([{ key: "k1", payment: "p1", approvedMinor: 1_000 }]);
    expect(await psp.void("k1")).toEqual({ kind: "voided" });
    expect(await psp.void("k1")).toEqual({ kind: "voided" });
    expect(await psp.getStatus("k1")).toEqual({ kind: "voided" });
    expect(await psp.listSettled()).toEqual([]);
    expect(simulator!.ledger.listCharges("p1")).toEqual([]);
  });

  test("refunds what was charged and no more", async () => {
    await open();
    const [{ url }] = (await (await fetch(`${simulator!.url}/psps`)).json()) as [{ readonly url: string }];
    await client!.authorise("k1", ask("p1"));
    const refund = (amountMinor: number) =>
      fetch(`${url}/authorisations/k1/refund`, { method: "POST", body: JSON.stringify({ amountMinor }) });
    expect((await refund(600)).status).toBe(200);
    expect((await refund(500)).status).toBe(409);
    expect(simulator!.ledger.entries[0]?.refundedMinor).toBe(600);
  });

  test("lies by silence: it charged", async () => {
    const psp = await open({ timeouts: { charged: 1 } }, {}, shortMs);
    expect(await psp.authorise("k1", ask("p1"))).toEqual(failed(Failure.TIMEOUT));
    expect(await psp.getStatus("k1")).toMatchObject({ kind: "approved", approvedMinor: 1_000 });
  });

  test("that was silent and charged makes whoever goes elsewhere charge twice, and the ledger tells", async () => {
    const psp = await open({ timeouts: { charged: 1 } }, {}, shortMs);
    await psp.authorise("k1", ask("p1"));
    await psp.authorise("k2", ask("p1"));
    expect(simulator!.ledger.findDoubles()).toEqual(["p1"]);
    await psp.void("k2");
    expect(simulator!.ledger.findDoubles()).toEqual([]);
  });

  test("is silent and did not charge; voided by its key, it never will", async () => {
    const psp = await open({ timeouts: { not_charged: 1 } }, {}, shortMs);
    expect(await psp.authorise("k1", ask("p1"))).toEqual(failed(Failure.TIMEOUT));
    expect(await psp.getStatus("k1")).toEqual({ kind: "not_found" });
    expect(await psp.void("k1")).toEqual({ kind: "voided" });
    expect(await psp.authorise("k1", ask("p1"))).toEqual({ kind: "voided" });
    expect(simulator!.ledger.entries).toEqual([]);
  });

  test("charges late, but not what was voided before", async () => {
    const psp = await open({ timeouts: { late: 1, late_after_ms: 1_000 } }, {}, shortMs);
    await Promise.all([psp.authorise("k1", ask("p1")), psp.authorise("k2", ask("p2"))]);
    expect(await psp.getStatus("k1")).toEqual({ kind: "not_found" });
    expect(await psp.void("k2")).toEqual({ kind: "voided" });
    while ((await psp.getStatus("k1")).kind === "not_found") await sleep(10);
    expect(simulator!.ledger.entries.map(({ key }) => key)).toEqual(["k1"]);
  });

  test("that can't cancel what it does not know says so", async () => {
    const psp = await open({ cancels_unknown: false });
    expect(await psp.void("k1")).toEqual({ kind: "not_found" });
  });

  test("refuses connections in an outage, and is back after it", async () => {
    const psp = await open();
    const direct = (method: string, path: string, body?: unknown) =>
      fetch(`${simulator!.url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    await direct("POST", "/outages", { psp: "alpha", kind: "refuse" });
    const wanted = JSON.stringify(failed(Failure.CONNECT));
    while (JSON.stringify(await psp.authorise("k1", ask("p1"))) !== wanted) await sleep(10);
    expect(simulator!.ledger.findDoubles()).toEqual([]);
    await direct("DELETE", "/outages/alpha");
    while ((await psp.authorise("k2", ask("p2"))).kind !== "approved") await sleep(10);
  });

  test.each([
    { kind: "unavailable", want: failed(Failure.NOT_PROCESSED) },
    { kind: "code_96", want: { kind: "declined", code: "96" } },
    { kind: "timeouts", want: failed(Failure.TIMEOUT) },
  ])("plays an outage by script: $kind", async ({ kind, want }) => {
    const psp = await open(
      { outages: [{ from_s: 0, to_s: 60, kind }] },
      {},
      kind === "timeouts" ? shortMs : patientMs,
    );
    expect(await psp.authorise("k1", ask("p1"))).toMatchObject(want);
  });

  test("browns out at a share", async () => {
    const psp = await open({ outages: [{ from_s: 0, to_s: 60, kind: "brown_out", share: 0.5 }] }, {}, 2_000);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) => psp.authorise(`k${at}`, ask(`p${at}`))),
    );
    const approved = answers.filter(({ kind }) => kind === "approved").length;
    expect(approved).toBeGreaterThan(80);
    expect(approved).toBeLessThan(140);
  });

  test("says what the issuer says of the card, to every key, until data change", async () => {
    const psp = await open({}, { issuers: [{ bin: "4571", declines: [{ share: 1, code: "57" }] }] });
    expect(await psp.authorise("k1", ask("p1"))).toEqual({ kind: "declined", code: "57" });
    expect(await psp.authorise("k2", ask("p1"))).toEqual({ kind: "declined", code: "57" });
  });

  test("asks for SCA of cards of the zone that come without", async () => {
    const psp = await open({ soft_decline: 1 }, { sca_countries: ["DK"] });
    expect(await psp.authorise("k1", ask("p1"))).toEqual({ kind: "declined", code: "1A" });
    const proven = { ...ask("p2"), threeDs: { run: true, challengeIndicator: "04" } };
    expect(await psp.authorise("k2", proven)).toMatchObject({
      kind: "approved",
      threeDs: { transStatus: "Y", eci: "05" },
    });
  });

  test("is pending, and final after a while", async () => {
    const psp = await open({ pending: { share: 1, after_ms: 50 } });
    expect(await psp.authorise("k1", ask("p1"))).toEqual({ kind: "pending" });
    while ((await psp.getStatus("k1")).kind === "pending") await sleep(10);
    expect(await psp.getStatus("k1")).toMatchObject({ kind: "approved" });
  });

  test("says the same to the same keys in another run", async () => {
    const script = { approval: { default: 0.5 }, partial: 0.2, declines: [{ code: "05" }, { code: "51" }] };
    const hear = async () => {
      const psp = await open(script);
      const answers: PspAnswer[] = [];
      for (let at = 0; at < 50; at++) answers.push(await psp.authorise(`k${at}`, ask(`p${at}`)));
      await simulator!.stop();
      return answers;
    };
    const first = await hear();
    expect(await hear()).toEqual(first);
    expect(new Set(first.map((answer) => JSON.stringify(answer))).size).toBe(4);
  });
});

describe("scripts", () => {
  test("of the samples are right", async () => {
    const { psps } = await readScript(`${import.meta.dirname}/../../samples/psp-simulator/psps.yaml`);
    expect(psps.map(({ id }) => id)).toContain("nordic-acquiring");
  });

  test("with a fault name it", () => {
    const wrong = JSON.stringify({ psps: [{ ...calm, approval: { default: 2 } }] });
    expect(() => parseScript(wrong)).toThrow(/psps\[0\]\.approval\.default/);
  });
});
