import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeDeposit } from "../helpers/rule-sets.ts";
import { makeDataDirectory, post, type SpawnedService, spawnService } from "../helpers/service.ts";
import { connectRaw } from "../helpers/sockets.ts";

const root = new URL("../..", import.meta.url).pathname;
const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await makeDataDirectory();
});
afterAll(() => rm(directory, { recursive: true }));

describe("a start that can't go on says why, one line for each fault, and leaves nothing running", () => {
  type Case = {
    readonly name: string;
    /** Prepares what is wrong; gives the environment and the lines wanted. */
    readonly prepare: () => Promise<{
      readonly env: Readonly<Record<string, string>>;
      readonly lines: readonly (string | RegExp)[];
    }>;
  };

  const cases: readonly Case[] = [
    {
      name: "settings",
      prepare: async () => ({
        env: {
          SWITCHYARD_ADMIN_ADDRESS: "0.0.0.0:0",
          SWITCHYARD_LOGLEVEL: "info",
          SWITCHYARD_STOP_GRACE_MS: "1e3",
        },
        lines: [
          "SWITCHYARD_ADMIN_ADDRESS: must be a loopback address, because no credentials can be configured yet",
          "SWITCHYARD_LOGLEVEL: no such setting",
          "SWITCHYARD_STOP_GRACE_MS: must be whole ms from 0 to 600000",
        ],
      }),
    },
    {
      name: "a data directory that is a file",
      prepare: async () => {
        const path = join(directory, "file");
        await writeFile(path, "");
        return { env: { SWITCHYARD_DATA_DIR: path }, lines: [/^ENOTDIR: .*file\/journal'$/] };
      },
    },
    {
      name: "a store of which LMDB would die",
      prepare: async () => {
        const path = join(directory, "damaged");
        await mkdir(path);
        await writeFile(join(path, "store.mdb"), "garbage");
        return {
          env: { SWITCHYARD_DATA_DIR: path },
          lines: [new RegExp(`^${path}/store.mdb is damaged: it is no LMDB file`)],
        };
      },
    },
    {
      name: "no merchants file",
      prepare: async () => ({
        env: { SWITCHYARD_MERCHANTS_FILE: join(directory, "none.yaml") },
        lines: [/none\.yaml: ENOENT/],
      }),
    },
    {
      name: "merchants whose rule sets are not there or have faults",
      prepare: async () => {
        await writeFile(join(directory, "bad.yaml"), "apiVersion: nonsense\n");
        const merchants = { first: { rule_set: "none.yaml" }, second: { rule_set: "bad.yaml" } };
        const path = join(directory, "merchants.yaml");
        await writeFile(path, JSON.stringify({ merchants }));
        return {
          env: { SWITCHYARD_MERCHANTS_FILE: path },
          lines: [/none\.yaml: ENOENT/, /bad\.yaml: 1:1 /],
        };
      },
    },
    ...(["gateway", "admin"] as const).map(
      (door): Case => ({
        name: `the ${door} port taken`,
        prepare: async () => {
          const taken = createServer().listen(0, "127.0.0.1");
          onTestFinished(() => void taken.close());
          await new Promise((resolve) => taken.once("listening", resolve));
          const { port } = taken.address() as AddressInfo;
          return {
            env: { [`SWITCHYARD_${door.toUpperCase()}_ADDRESS`]: `127.0.0.1:${port}` },
            lines: [
              new RegExp(`^the ${door} listener can't be opened on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
            ],
          };
        },
      }),
    ),
    {
      name: "a data directory that another process has",
      prepare: async () => {
        const path = join(directory, "held");
        const holder = await spawnService({ dataDirectory: path });
        return {
          env: { SWITCHYARD_DATA_DIR: path },
          lines: [new RegExp(`^${path} is already open: process ${holder.process.pid} on `)],
        };
      },
    },
  ];

  test.each(cases)("$name", async ({ prepare }) => {
    const { env, lines } = await prepare();
    const ended = await run(process.execPath, ["src/main.ts"], {
      cwd: root,
      timeout: 30_000,
      env: {
        SWITCHYARD_GATEWAY_ADDRESS: "127.0.0.1:0",
        SWITCHYARD_ADMIN_ADDRESS: "127.0.0.1:0",
        SWITCHYARD_DATA_DIR: join(directory, "data"),
        ...env,
      },
    }).catch((error: { readonly code: unknown; readonly stderr: string; readonly stdout: string }) => error);
    expect(ended).toMatchObject({ code: 1, stdout: expect.not.stringContaining('"serving"') });
    const told = ended.stderr.trimEnd().split("\n");
    expect(told).toHaveLength(lines.length);
    for (const [at, line] of lines.entries()) expect(told[at]).toMatch(line);
  });
});

test("a second signal ends a stop that waits for a call", async () => {
  const service = await spawnService({ dataDirectory: join(directory, "second-signal") });
  const client = await connectRaw(Number(new URL(service.adminUrl).port));
  // Its body never comes, so the first signal would wait out the grace for it.
  client.socket.write(
    "POST /switchyard.v1.DecisionService/Decide HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
  );
  const stopping = hearLog(service, "stopping");
  service.process.kill("SIGTERM");
  await stopping;
  const atOnce = hearLog(service, "stopping at once: calls in flight are cut");
  expect(await service.end("SIGTERM")).toBe(1);
  await atOnce;
});

test("a full disk is Unavailable with RetryInfo on every method, loses nothing acknowledged, and ends nothing", async () => {
  const dataDirectory = join(directory, "full");
  const service = await spawnService({ dataDirectory, fileKiBMax: 240 });
  const answered = new Map<string, unknown>();
  // About 1.4 KiB each: more than fits in the journal or in LMDB.
  const refused = await fill(service, answered, 1_000);
  expect(refused).toMatchObject({ status: 503, body: expectedRefusal });

  const until = new Date(Date.now() + 3_600_000).toISOString();
  const document = { content: Buffer.from("#".repeat(500_000)).toString("base64") };
  const calls: readonly (readonly [method: string, body: unknown])[] = [
    [
      "PlayerService/SetRestriction",
      { playerId: "p", restriction: { kind: "SELF_EXCLUSION", source: "register" } },
    ],
    ["PspService/SetPspState", { psp: "albion-pay", state: "DRAINING", author: "a", reason: "r" }],
    ["RuleSetService/Activate", { version: "1", author: "a" }],
    ["RuleSetService/Push", { document, author: "a" }],
    [
      "OverrideService/PutOverride",
      { override: { id: "o", author: "a", reason: "r", until, effects: { excludePsps: ["albion-pay"] } } },
    ],
  ];
  for (const [method, body] of calls) {
    const answer = await post(service, method, body);
    expect([method, answer.body.code]).not.toEqual([method, "internal"]);
    if (answer.status === 503) expect(answer.body).toMatchObject(expectedRefusal);
  }
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(
    /switchyard_errors_total\{method="switchyard.v1.DecisionService\/Decide",code="UNAVAILABLE"\} [1-9]/,
  );
  expect((await fetch(`${service.adminUrl}/healthz`)).status).toBe(200);
  expect(await service.end("SIGTERM")).toBe(0);

  const after = await spawnService({ dataDirectory });
  for (const [paymentId, decisionId] of answered) {
    const { body } = await post(after, "DecisionService/Decide", makeDeposit(paymentId));
    expect(body).toMatchObject({ decisionId, replayed: true });
  }
  await after.stop();
});

const expectedRefusal = {
  code: "unavailable",
  details: [{ type: "switchyard.v1.RetryInfo", debug: { retryAfter: "1s" } }],
};

/** Decides payments until one is refused, and gives that answer. */
async function fill(service: SpawnedService, answered: Map<string, unknown>, most: number) {
  for (let at = 0; at < most; at++) {
    const paymentId = `full-${at}`;
    const answer = await post(service, "DecisionService/Decide", makeDeposit(paymentId));
    if (answer.status !== 200) return answer;
    answered.set(paymentId, answer.body.decisionId);
  }
  throw new Error(`${most} payments fitted`);
}

/** Resolves when the service has logged the message. */
function hearLog({ process: child }: SpawnedService, message: string): Promise<void> {
  return new Promise((resolve) => {
    let heard = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.includes(`"msg":"${message}"`)) resolve();
    });
  });
}
