import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fromBinary } from "@bufbuild/protobuf";
import { encodeMessage, openClient } from "../../src/cli/gateway-client.ts";
import type { RawEvent } from "../../src/core/events/check-event.ts";
import {
  EventService,
  IngestEventStreamRequestSchema,
  type IngestEventStreamResponse,
  IngestEventStreamResponseSchema,
} from "../../src/gen/switchyard/v1/event_pb.js";
import { merchantId } from "./house.ts";
import type { Population } from "./population.ts";
import { readCpuSeconds } from "./process.ts";
import { ruleSetText } from "./rule-set.ts";

const root = new URL("../..", import.meta.url).pathname;
const path = `/${EventService.typeName}/${EventService.method.ingestEventStream.name}`;
const batchEvents = 500;
const openBatchesMax = 32;
/** Share of the batches that warms up and does not count. */
const warmUpShare = 0.1;

export type StreamResult = {
  /** Events by the clock, and by the CPU time of the service, which has other things to do than to wait. */
  readonly perSecond: number;
  readonly perCpuSecond: number;
};

/** Streams a population into a service in a process of its own, over gRPC, in batches that were encoded before. */
export async function measureStream(
  directory: string,
  population: Population,
  onProgress: (share: number) => void,
): Promise<StreamResult> {
  const batches = encodeBatches(population);
  const service = await startService(directory);
  try {
    return await sendBatches(batches, service, onProgress);
  } finally {
    await service.stop();
  }
}

type Service = {
  readonly address: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
};

/** Starts `switchyard serve` on free ports. */
async function startService(directory: string): Promise<Service> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "rules.json"), ruleSetText);
  const merchantsFile = join(directory, "merchants.yaml");
  await writeFile(merchantsFile, JSON.stringify({ merchants: { [merchantId]: { rule_set: "rules.json" } } }));
  const child = spawn(process.execPath, ["src/cli/main.ts", "serve"], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      SWITCHYARD_GATEWAY_ADDRESS: "127.0.0.1:0",
      SWITCHYARD_ADMIN_ADDRESS: "127.0.0.1:0",
      SWITCHYARD_DATA_DIR: join(directory, "data"),
      SWITCHYARD_MERCHANTS_FILE: merchantsFile,
      SWITCHYARD_BIN_FILE: "none",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    address: await waitUntilServing(child),
    pid: child.pid!,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

async function waitUntilServing(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const entry = JSON.parse(line) as { readonly msg: string; readonly gateway: string };
    if (entry.msg !== "serving") continue;
    child.stdout!.resume();
    return entry.gateway;
  }
  throw new Error("the service ended before it served");
}

type EncodedBatch = { readonly bytes: Buffer; readonly events: number };

function encodeBatches(population: Population): readonly EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  for (;;) {
    const events = population.next(batchEvents);
    if (events.length === 0) return batches;
    const bytes = encodeMessage(IngestEventStreamRequestSchema, {
      sequence: BigInt(batches.length + 1),
      merchantId,
      events: events.map(toMessage),
    });
    batches.push({ bytes, events: events.length });
  }
}

function toMessage(event: RawEvent) {
  const { minorUnits, currencyCode } = event.amount!;
  const ms = event.occurredAtMs!;
  return {
    ...event,
    occurredAt: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 },
    amount: { minorUnits: BigInt(minorUnits), currencyCode },
    attributes: Object.fromEntries(
      Object.entries(event.attributes).map(([name, value]) => [
        name,
        { kind: { case: "stringValue" as const, value: String(value) } },
      ]),
    ),
  };
}

function sendBatches(
  batches: readonly EncodedBatch[],
  { address, pid }: Service,
  onProgress: (share: number) => void,
): Promise<StreamResult> {
  const { promise, resolve, reject } = Promise.withResolvers<StreamResult>();
  const client = openClient(address);
  const stream = client.makeBidiStreamRequest(
    path,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => fromBinary(IngestEventStreamResponseSchema, bytes),
  );
  const warmUps = Math.floor(batches.length * warmUpShare);
  let sent = 0;
  let answered = 0;
  let counted = 0;
  let startMs = performance.now();
  let startCpuSeconds = readCpuSeconds(pid);
  const pump = (): void => {
    while (sent < batches.length && sent - answered < openBatchesMax) stream.write(batches[sent++]!.bytes);
    if (answered === batches.length) stream.end();
  };
  stream.on("data", ({ accepted }: IngestEventStreamResponse) => {
    const { events } = batches[answered++]!;
    if (accepted !== events) {
      stream.cancel();
      reject(new Error(`of a batch of ${events} events ${accepted} were accepted`));
      return;
    }
    if (answered > warmUps) counted += events;
    if (answered === warmUps) {
      startMs = performance.now();
      startCpuSeconds = readCpuSeconds(pid);
    }
    onProgress(answered / batches.length);
    pump();
  });
  stream.on("error", reject);
  stream.on("end", () => {
    const seconds = (performance.now() - startMs) / 1000;
    resolve({
      perSecond: counted / seconds,
      perCpuSecond: counted / Math.max(0.01, readCpuSeconds(pid) - startCpuSeconds),
    });
  });
  pump();
  return promise.finally(() => client.close());
}
