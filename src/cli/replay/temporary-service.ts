import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CliFailure } from "../failure.ts";
import type { Io } from "../io.ts";

/** The project's root, in which the service finds its samples. */
const rootFolder = fileURLToPath(new URL("../../../", import.meta.url));
const entryFile = fileURLToPath(new URL("../main.ts", import.meta.url));
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const logLinesKept = 20;

/** A service of our own, for as long as a command runs. */
export type TemporaryService = {
  /** `HOST:PORT` of its gateway listener. */
  readonly gateway: string;
  readonly admin: string;
  /** Stops it and removes its data. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts `switchyard serve` as a child process, on free ports of the loopback interface and an empty data folder that is removed in the end.
 * Settings of the environment hold, but for addresses, data folder and log level.
 *
 * Fails: where it does not serve within a minute, with the last lines that it wrote.
 */
export async function startTemporaryService(env: Io["env"]): Promise<TemporaryService> {
  const dataFolder = await mkdtemp(join(tmpdir(), "switchyard-replay-"));
  const child = spawn(process.execPath, [entryFile, "serve"], {
    cwd: rootFolder,
    env: makeEnvironment(env, dataFolder),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = async (): Promise<void> => {
    await endChild(child);
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const { gateway, admin } = await readAddresses(child);
    return { gateway, admin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function makeEnvironment(env: Io["env"], dataFolder: string): NodeJS.ProcessEnv {
  const merchantsFile = env.SWITCHYARD_MERCHANTS_FILE;
  const binFile = env.SWITCHYARD_BIN_FILE;
  return {
    ...env,
    ...(merchantsFile ? { SWITCHYARD_MERCHANTS_FILE: resolve(merchantsFile) } : {}),
    ...(binFile ? { SWITCHYARD_BIN_FILE: resolve(binFile) } : {}),
    SWITCHYARD_GATEWAY_ADDRESS: "127.0.0.1:0",
    SWITCHYARD_ADMIN_ADDRESS: "127.0.0.1:0",
    SWITCHYARD_DATA_DIR: dataFolder,
    SWITCHYARD_LOG_LEVEL: "info",
  };
}

type Addresses = { readonly gateway: string; readonly admin: string };

/** Reads the log until the line that says where the service listens; what comes later is read and forgotten. */
function readAddresses(child: ChildProcess): Promise<Addresses> {
  const lastLines: string[] = [];
  const { promise, resolve: found, reject } = Promise.withResolvers<Addresses>();
  const fail = (why: string): void =>
    reject(
      new CliFailure("unreachable", [
        `the temporary service ${why}`,
        ...lastLines.map((line) => `  ${line}`),
      ]),
    );
  const timer = setTimeout(() => fail("did not serve within a minute"), startTimeoutMs);
  const onLine = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > logLinesKept) lastLines.shift();
    const addresses = readServingLine(line);
    if (addresses !== undefined) found(addresses);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", onLine);
  }
  child.once("error", (error) => fail(`could not be started: ${error.message}`));
  // "close" comes after the last line of output, "exit" may come before.
  child.once("close", (code) => fail(`ended with ${code}`));
  return promise.finally(() => clearTimeout(timer));
}

/** The addresses in the log line "serving"; undefined for any other line. */
function readServingLine(line: string): Addresses | undefined {
  if (!line.includes('"serving"')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { msg, gateway, admin } = parsed as Readonly<Record<string, unknown>>;
  if (msg !== "serving" || typeof gateway !== "string" || typeof admin !== "string") return undefined;
  return { gateway, admin };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolveEnd) => child.once("exit", () => resolveEnd()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}
