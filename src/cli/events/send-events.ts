import { fromBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { ServiceError } from "@grpc/grpc-js";
import {
  EventResult_Verdict,
  EventService,
  IngestEventStreamRequestSchema,
  type IngestEventStreamResponse,
  IngestEventStreamResponseSchema,
} from "../../gen/switchyard/v1/event_pb.js";
import { encodeMessage, openClient, toConnectError } from "../gateway-client.ts";
import type { EventInit } from "./map-event.ts";

const path = `/${EventService.typeName}/${EventService.method.ingestEventStream.name}`;
/** Events of one batch, and batches that are on their way at a time. */
const batchEvents = 500;
const openBatchesMax = 16;
/** Events that were not simply accepted and are named. */
const namedMax = 10_000;

/** An event that was not simply accepted; `row` counts the events that were sent, from 1. */
export type NamedResult = {
  readonly row: number;
  readonly eventId: string;
  readonly verdict: string;
  readonly why: string;
};

export type ImportRun = {
  /** Events that got an answer. */
  readonly answered: number;
  /** How many got each verdict. */
  readonly verdicts: ReadonlyMap<string, number>;
  readonly late: number;
  readonly named: readonly NamedResult[];
  readonly elapsedMs: number;
  /** Why it ended early; absent where everything was sent and answered. */
  readonly error?: ConnectError;
  readonly interrupted: boolean;
};

/**
 * Sends events through the gateway listener's stream, a few batches ahead of the acknowledgements. What was acknowledged is durable; after a break
 * the whole file may be sent again, as known events are duplicates.
 */
export function sendEvents(
  events: readonly EventInit[],
  options: {
    readonly address: string;
    readonly merchant: string;
    readonly interrupted: AbortSignal;
    readonly nowMs: () => number;
    readonly onProgress: (done: number) => void;
  },
): Promise<ImportRun> {
  const { promise, resolve } = Promise.withResolvers<ImportRun>();
  const client = openClient(options.address);
  const startedMs = options.nowMs();
  const tally = new ImportTally();
  const stream = client.makeBidiStreamRequest(
    path,
    (request: Parameters<typeof encodeMessage<typeof IngestEventStreamRequestSchema>>[1]) =>
      encodeMessage(IngestEventStreamRequestSchema, request),
    (bytes: Buffer) => fromBinary(IngestEventStreamResponseSchema, bytes),
  );
  let next = 0;
  let open = 0;
  let interrupted = false;
  const pump = (): void => {
    while (open < openBatchesMax && next < events.length && !interrupted) {
      const batch = events.slice(next, next + batchEvents);
      stream.write({ sequence: BigInt(next), merchantId: options.merchant, events: batch });
      next += batch.length;
      open++;
    }
    if (open === 0 && (interrupted || next === events.length)) stream.end();
  };
  const end = (error?: ConnectError): void => {
    client.close();
    const elapsedMs = options.nowMs() - startedMs;
    resolve({ ...tally.result(), elapsedMs, interrupted, ...(error === undefined ? {} : { error }) });
  };
  options.interrupted.addEventListener("abort", () => {
    interrupted = true;
    pump();
  });
  stream.on("data", (answer: IngestEventStreamResponse) => {
    open--;
    const from = Number(answer.sequence);
    tally.add(answer, from);
    options.onProgress(Math.min(from + batchEvents, events.length));
    pump();
  });
  stream.on("error", (error: ServiceError) => end(toConnectError(error)));
  stream.on("end", () => end());
  pump();
  return promise;
}

class ImportTally {
  readonly #verdicts = new Map<string, number>();
  readonly #named: NamedResult[] = [];
  #answered = 0;
  #late = 0;

  add({ accepted, exceptions }: IngestEventStreamResponse, from: number): void {
    this.#count("ACCEPTED", accepted);
    for (const { index, result } of exceptions) {
      if (result === undefined) continue;
      const verdict = EventResult_Verdict[result.verdict] ?? String(result.verdict);
      this.#count(verdict, 1);
      if (result.late) this.#late++;
      if (verdict === "ACCEPTED" || verdict === "DUPLICATE" || this.#named.length >= namedMax) continue;
      const faults = result.faults.map(({ field, rule, message }) => `${field} ${rule}: ${message}`);
      const why = [...faults, ...(result.detail === "" ? [] : [result.detail])].join("; ");
      this.#named.push({ row: from + index + 1, eventId: result.eventId, verdict, why });
    }
  }

  result(): Pick<ImportRun, "answered" | "verdicts" | "late" | "named"> {
    return { answered: this.#answered, verdicts: this.#verdicts, late: this.#late, named: this.#named };
  }

  #count(verdict: string, by: number): void {
    if (by === 0) return;
    this.#answered += by;
    this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + by);
  }
}
