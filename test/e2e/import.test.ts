/** An export of a year as events: the same statistics and the same stopped deposits whatever order it came in, and after a kill in the middle. */
import { rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { makeIo } from "../helpers/captured-io.ts";
import { makeDataDirectory, type SpawnedService, spawnService } from "../helpers/service.ts";

const rows = ["--generate", "6000", "--seed", "7"];
const map = ["--map", "samples/replay/sports-payments.yaml"];

async function runAt(service: SpawnedService, ...args: readonly string[]) {
  const io = makeIo({
    env: {
      SWITCHYARD_CLI_ADMIN: service.adminUrl,
      SWITCHYARD_CLI_GATEWAY: new URL(service.gatewayUrl).host,
    },
  });
  const code = await runCli([...args, "--json"], io);
  return {
    code,
    err: io.stderr(),
    json: io.stdout() === "" ? undefined : (JSON.parse(io.stdout()) as unknown),
  };
}

async function openDirectory(): Promise<string> {
  const directory = await makeDataDirectory();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function importInto(service: SpawnedService, ...more: readonly string[]) {
  const imported = await runAt(service, "events", "import", ...rows, ...map, ...more);
  expect(imported.code, imported.err).toBe(0);
  return imported.json as { readonly verdicts: Record<string, number>; readonly badRows: number };
}

async function readStats(service: SpawnedService): Promise<unknown> {
  const stats = await runAt(service, "segments", "stats", "-m", "replay");
  expect(stats.code, stats.err).toBe(0);
  return stats.json;
}

test("statistics are the same in order, shuffled, and after a kill in the middle of the import", async () => {
  const inOrder = await spawnService({ dataDirectory: await openDirectory() });
  const first = await importInto(inOrder);
  expect(first.verdicts).toEqual({ ACCEPTED: 6000 });
  const want = (await readStats(inOrder)) as { readonly segments: readonly { readonly entries?: string }[] };
  expect(want.segments.reduce((sum, { entries = "0" }) => sum + Number(entries), 0)).toBeGreaterThan(100);
  await inOrder.end("SIGTERM");

  const shuffled = await spawnService({ dataDirectory: await openDirectory() });
  await importInto(shuffled, "--shuffle", "3");
  expect(await readStats(shuffled)).toEqual(want);
  // Sent again, every event is known, and nothing changes.
  expect((await importInto(shuffled, "--shuffle", "4")).verdicts).toEqual({ DUPLICATE: 6000 });
  expect(await readStats(shuffled)).toEqual(want);
  await shuffled.end("SIGTERM");

  const dataDirectory = await openDirectory();
  const killed = await spawnService({ dataDirectory });
  const cut = runAt(killed, "events", "import", ...rows, ...map, "--shuffle", "5");
  await waitForEvents(killed, 500);
  await killed.end("SIGKILL");
  expect((await cut).code).not.toBe(0);
  const again = await spawnService({ dataDirectory });
  const { verdicts } = await importInto(again, "--shuffle", "6");
  // What was counted before the kill, and so was kept, is there.
  expect(verdicts.DUPLICATE).toBeGreaterThanOrEqual(500);
  expect((verdicts.ACCEPTED ?? 0) + verdicts.DUPLICATE!).toBe(6000);
  expect(await readStats(again)).toEqual(want);
  await again.end("SIGTERM");
}, 300_000);

test("a replay stops the same deposits in one go and after a kill in the middle", async () => {
  const replay = ["replay", ...rows, ...map, "--in-flight", "16"];
  const whole = await spawnService({ dataDirectory: await openDirectory() });
  const want = await runAt(whole, ...replay);
  expect(want.code, want.err).toBe(0);
  const { stoppedByLimits, verdicts } = want.json as { stoppedByLimits: object; verdicts: object };
  expect(Object.keys(stoppedByLimits).length).toBeGreaterThan(0);
  await whole.end("SIGTERM");

  const dataDirectory = await openDirectory();
  const killed = await spawnService({ dataDirectory });
  const cut = runAt(killed, ...replay);
  await waitForDecisions(killed, 1500);
  await killed.end("SIGKILL");
  await cut;
  const again = await spawnService({ dataDirectory });
  const resumed = await runAt(again, ...replay);
  expect(resumed.code, resumed.err).toBe(0);
  expect(resumed.json).toMatchObject({ stoppedByLimits, verdicts });
  expect((resumed.json as { replayed: number }).replayed).toBeGreaterThan(500);
  await again.end("SIGTERM");
}, 300_000);

function waitForEvents(service: SpawnedService, wanted: number): Promise<void> {
  return waitForCount(service, /switchyard_events_total\{[^}]*verdict="ACCEPTED"[^}]*\} (\d+)/, wanted);
}

function waitForDecisions(service: SpawnedService, wanted: number): Promise<void> {
  return waitForCount(
    service,
    /switchyard_decisions_total\{[^}]*verdict="APPROVE_ROUTE"[^}]*\} (\d+)/,
    wanted,
  );
}

/** The kill comes when a counter of the service has reached the number, not after a time. */
async function waitForCount({ adminUrl }: SpawnedService, counter: RegExp, wanted: number): Promise<void> {
  for (;;) {
    const page = await (await fetch(`${adminUrl}/metrics`)).text();
    if (Number(counter.exec(page)?.[1] ?? 0) >= wanted) return;
  }
}
