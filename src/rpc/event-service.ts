import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Event,
  EventResult_Verdict,
  type EventResultSchema,
  EventService,
  type EventSourceSchema,
  type IngestEventStreamRequest,
  type IngestEventStreamResponse,
  type IngestEventStreamResponse_ExceptionSchema,
  IngestEventStreamResponseSchema,
  IngestEventsResponseSchema,
  ListEventSourcesResponseSchema,
} from "../gen/switchyard/v1/event_pb.js";
import type { Ingest, Ingested } from "../ingest/ingest.ts";
import type { SourceReport } from "../ingest/sources.ts";
import type { EventOutcome } from "../ingest/verdict.ts";
import type { Merchants } from "../manage/merchants.ts";
import { implementService, type ServiceHandlers, type ServiceImplementation } from "../wire/transport.ts";
import { decodeEvent } from "./codec/decode-event.ts";
import { readIngestEventStream, readIngestEvents } from "./codec/read-event-batch.ts";
import { encodeInstant } from "./codec/time.ts";
import { invalidField } from "./errors.ts";
import { pipeline } from "./pipeline.ts";
import { resolveMerchant } from "./request-fields.ts";

const eventsMax = 1_000;
/** Batches of one stream that are read but not acknowledged. */
const openBatchesMax = 64;

export type EventServiceDeps = { readonly merchants: Merchants; readonly ingest: Ingest };

/** Takes events in; hosted on both doors. */
export function makeEventService({ merchants, ingest }: EventServiceDeps): ServiceImplementation {
  const takeIn = (merchant: string, events: readonly Event[]): Ingested => {
    const merchantId = resolveMerchant(merchants, merchant);
    checkCount(events);
    return ingest.ingest(merchantId, events.map(decodeEvent));
  };
  const handlers: ServiceHandlers<typeof EventService> = {
    async ingestEvents({ merchantId, events }) {
      const { outcomes, durable } = takeIn(merchantId, events);
      await durable;
      return create(IngestEventsResponseSchema, {
        results: outcomes.map((outcome, at) => encodeResult(outcome, events[at]!.eventId)),
      });
    },

    ingestEventStream(requests) {
      let newest: bigint | undefined;
      const answer = async (request: IngestEventStreamRequest): Promise<IngestEventStreamResponse> => {
        checkSequence(request.sequence, newest);
        newest = request.sequence;
        const { outcomes, durable } = takeIn(request.merchantId, request.events);
        await durable;
        return acknowledge(request, outcomes);
      };
      return pipeline(requests, answer, openBatchesMax);
    },

    listEventSources(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      return create(ListEventSourcesResponseSchema, {
        sources: ingest.listSources(merchantId).map(encodeSource),
      });
    },
  };
  return implementService(EventService, handlers, {
    ingestEvents: readIngestEvents,
    ingestEventStream: readIngestEventStream,
  });
}

function checkCount({ length }: readonly Event[]): void {
  if (length === 0) throw invalidField("events", "required", "a batch holds at least one event");
  if (length > eventsMax) {
    const message = `a batch of ${length} events; at most ${eventsMax} are allowed`;
    throw invalidField("events", "too-many", message);
  }
}

function checkSequence(sequence: bigint, newest: bigint | undefined): void {
  if (newest === undefined || sequence > newest) return;
  const message = `sequence ${sequence} follows ${newest}: sequences grow from batch to batch`;
  throw invalidField("sequence", "growing", message);
}

function encodeResult(
  { verdict, faults, detail, late }: EventOutcome,
  eventId: string,
): MessageInitShape<typeof EventResultSchema> {
  // What is wrong with an id may be that nobody should see it.
  const isShown = faults.every(({ field }) => field !== "event_id");
  return {
    verdict: EventResult_Verdict[verdict],
    eventId: isShown ? eventId : "",
    faults: [...faults],
    detail,
    late,
  };
}

function acknowledge(
  { sequence, events }: IngestEventStreamRequest,
  outcomes: readonly EventOutcome[],
): IngestEventStreamResponse {
  const exceptions: MessageInitShape<typeof IngestEventStreamResponse_ExceptionSchema>[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.verdict === "ACCEPTED") continue;
    exceptions.push({ index, result: encodeResult(outcome, events[index]!.eventId) });
  }
  const accepted = outcomes.length - exceptions.length;
  return create(IngestEventStreamResponseSchema, { sequence, accepted, exceptions });
}

function encodeSource({
  source,
  watermarkMs,
  verdicts,
  late,
}: SourceReport): MessageInitShape<typeof EventSourceSchema> {
  return {
    source,
    ...(watermarkMs !== undefined && { watermark: encodeInstant(watermarkMs) }),
    verdicts: Object.fromEntries([...verdicts].map(([verdict, count]) => [verdict, BigInt(count)])),
    late: BigInt(late),
  };
}
