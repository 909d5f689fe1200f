import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { type App, startApp } from "../../src/app.ts";
import type { Pacer } from "../../src/ingest/membership/tracker.ts";
import { loadConfig } from "../../src/platform/config.ts";
import { openLog } from "../../src/platform/log.ts";
import type { Clock } from "../../src/ports/clock.ts";

const root = new URL("../..", import.meta.url).pathname;

/** A service that listens on free loopback ports. */
export type TestService = {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly stop: () => Promise<void>;
};

/** A service in this process: its services can be called without a socket too. */
export type InProcessService = TestService & { readonly services: App["services"] };

export type ServiceOptions = {
  /** A temporary one, removed at the stop, where absent. */
  readonly dataDirectory?: string;
  /** Those of the samples where neither is given. */
  readonly merchantsFile?: string;
  readonly merchants?: Readonly<
    Record<string, { readonly clock?: "server" | "request"; readonly [setting: string]: unknown }>
  >;
  readonly binFile?: string;
  readonly clock?: Clock;
  /** For a clock that does not go by itself: what waits for a later instant then waits for it to be set. */
  readonly pacer?: Pacer;
};

/** Starts the service in this process. */
export async function startService(options: ServiceOptions = {}): Promise<InProcessService> {
  const dataDirectory = options.dataDirectory ?? (await makeDataDirectory());
  const loaded = loadConfig(makeEnvironment(await placeMerchants(options, dataDirectory), dataDirectory));
  if (!loaded.ok) throw new Error(loaded.faults.join("\n"));
  const started = await startApp(loaded.config, openLog("silent"), options.clock, options.pacer);
  if (!started.ok) throw new Error(started.faults.join("\n"));
  const { gateway, admin, services, stop } = started.app;
  return {
    services,
    gatewayUrl: `http://127.0.0.1:${gateway.port}`,
    adminUrl: `http://127.0.0.1:${admin.port}`,
    stop: async () => {
      await stop();
      if (options.dataDirectory === undefined) await rm(dataDirectory, { recursive: true });
    },
  };
}

/** A service in a process of its own, which can be killed. */
export type SpawnedService = TestService & {
  readonly process: ChildProcess;
  /** Sends the signal and waits for the end. Gives the exit code, or null after a signal. */
  readonly end: (signal: "SIGKILL" | "SIGTERM") => Promise<number | null>;
};

/** Starts the service as `npm start` does, in a process of its own that ends with the test. To be called in a test. */
export async function spawnService(
  options: ServiceOptions & {
    readonly dataDirectory: string;
    /** What a file may grow to: a disk that is full to this process alone. */
    readonly fileKiBMax?: number;
  },
): Promise<SpawnedService> {
  const placed = await placeMerchants(options, options.dataDirectory);
  const limit = options.fileKiBMax ?? "unlimited";
  const child = spawn("bash", ["-c", `ulimit -f ${limit}; exec "$0" src/main.ts`, process.execPath], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      ...makeEnvironment(placed, options.dataDirectory),
      SWITCHYARD_LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // A test that fails must not leave the service behind.
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const serving = await Promise.race([waitUntilServing(child), exited]);
  if (serving === null || typeof serving === "number") throw new Error(`the service ended with ${serving}`);
  const end = (signal: "SIGKILL" | "SIGTERM"): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return {
    process: child,
    gatewayUrl: `http://${serving.gateway}`,
    adminUrl: `http://${serving.admin}`,
    end,
    stop: async () => void (await end("SIGTERM")),
  };
}

/** A client of the admin listener, over the Connect protocol. */
export function connectAdmin<S extends DescService>(service: S, { adminUrl }: TestService): Client<S> {
  return createClient(service, createConnectTransport({ baseUrl: adminUrl, httpVersion: "2" }));
}

/** A client of the gateway listener, over gRPC. */
export function connectGateway<S extends DescService>(service: S, { gatewayUrl }: TestService): Client<S> {
  return createClient(service, createGrpcTransport({ baseUrl: gatewayUrl }));
}

/** Posts JSON to the admin listener, as `curl` would. */
export async function post(
  { adminUrl }: TestService,
  method: string,
  body: unknown,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(`${adminUrl}/switchyard.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export function makeDataDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "switchyard-test-"));
}

/** Merchants that are given by name are written to a file, which is how the service reads them. */
async function placeMerchants(options: ServiceOptions, dataDirectory: string): Promise<ServiceOptions> {
  if (options.merchants === undefined) return options;
  const merchantsFile = join(dataDirectory, "merchants.yaml");
  await writeFile(merchantsFile, JSON.stringify({ merchants: options.merchants }));
  return { ...options, merchantsFile };
}

function makeEnvironment(
  { merchantsFile, binFile }: ServiceOptions,
  dataDirectory: string,
): Record<string, string> {
  return {
    SWITCHYARD_GATEWAY_ADDRESS: "127.0.0.1:0",
    SWITCHYARD_ADMIN_ADDRESS: "127.0.0.1:0",
    SWITCHYARD_DATA_DIR: dataDirectory,
    SWITCHYARD_MERCHANTS_FILE: merchantsFile ?? join(root, "samples/merchants.yaml"),
    SWITCHYARD_BIN_FILE: binFile ?? join(root, "samples/bin-ranges.csv"),
    SWITCHYARD_LOG_LEVEL: "silent",
    SWITCHYARD_STOP_GRACE_MS: "5000",
  };
}

type Serving = { readonly gateway: string; readonly admin: string };

async function waitUntilServing(child: ChildProcess): Promise<Serving | null> {
  const lines = createInterface({ input: child.stdout! });
  for await (const line of lines) {
    const entry = JSON.parse(line) as { readonly msg: string } & Serving;
    if (entry.msg !== "serving") continue;
    // Whoever writes on must not be held up by a full pipe.
    child.stdout!.resume();
    return { gateway: entry.gateway, admin: entry.admin };
  }
  return null;
}
