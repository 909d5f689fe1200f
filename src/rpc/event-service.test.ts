import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type IngestHouse, ingestNowMs, listRows, makeIngestHouse } from "../../test/helpers/ingest-house.ts";
import { connectInMemory } from "../../test/helpers/memory-door.ts";
import {
  type Event,
  type EventSchema,
  EventService,
  type IngestEventStreamRequest,
  IngestEventStreamRequestSchema,
  EventResult_Verdict as Verdict,
} from "../gen/switchyard/v1/event_pb.js";
import { type Merchants, readMerchants } from "../manage/merchants.ts";
import { startAdminServer } from "../wire/admin-server.ts";
import { startGrpcJsGateway } from "../wire/grpc-js-gateway.ts";
import type { Listener, ServiceImplementation } from "../wire/transport.ts";
import { encodeInstant } from "./codec/time.ts";
import { makeEventService } from "./event-service.ts";

type EventInit = Exclude<MessageInitShape<typeof EventSchema>, Event>;

const merchants = readAll("merchants: { default: {}, other: {} }");

function readAll(text: string): Merchants {
  const read = readMerchants(text);
  if (!read.ok) throw new Error(read.faults.join());
  return read.merchants;
}

function bet(eventId: string, part: Partial<EventInit> = {}): EventInit {
  return {
    eventId,
    playerId: "ann",
    type: "bet",
    occurredAt: encodeInstant(ingestNowMs - 1000),
    source: "games",
    amount: { minorUnits: 500n, currencyCode: "EUR" },
    ...part,
  };
}

function text(value: string) {
  return { kind: { case: "stringValue" as const, value } };
}

function serve(house: IngestHouse): ServiceImplementation {
  return makeEventService({ merchants, ingest: house.ingest });
}

describe("IngestEvents", () => {
  const open = (): { house: IngestHouse; client: Client<typeof EventService> } => {
    const house = makeIngestHouse();
    return { house, client: connectInMemory(EventService, [serve(house)], "gateway") };
  };

  test("gives every event its verdict, in the order of the request", async () => {
    const { client, house } = open();
    const { results } = await client.ingestEvents({
      events: [
        bet("e-1", { attributes: { game: text("g-1") } }),
        bet("e-1", { attributes: { game: text("g-1") } }),
        bet("e-2", { type: "bett" }),
        bet("e-3", { attributes: { game: { kind: { case: "numberValue", value: 7 } } } }),
        bet("e-4", { attributes: { game: { kind: { case: "nullValue", value: 0 } } } }),
        bet("e-5", { amount: { minorUnits: 2n ** 53n, currencyCode: "EUR" } }),
        bet("e-6", { occurredAt: { seconds: 1n, nanos: -1 } }),
        bet("e-7", { occurredAt: encodeInstant(ingestNowMs + 86_400_000) }),
      ],
    });
    const told = results.map(({ eventId, verdict, faults }) => [
      eventId,
      Verdict[verdict],
      ...faults.map(({ field, rule }) => `${field} ${rule}`),
    ]);
    expect(told).toEqual([
      ["e-1", "ACCEPTED"],
      ["e-1", "DUPLICATE"],
      ["e-2", "REFUSED", "type declared"],
      ["e-3", "REFUSED", "attributes.game type"],
      ["e-4", "ACCEPTED"],
      ["e-5", "REFUSED", "amount.minor_units safe-integer"],
      ["e-6", "REFUSED", "occurred_at out-of-range"],
      ["e-7", "QUARANTINED"],
    ]);
    expect(listRows(house, "ann")).toHaveLength(2);
  });

  test("repeats no card number, not even as the echo of an id", async () => {
    const { client } = open();
    const answer = await client.ingestEvents({ events: [bet("4111111111111111")] });
    expect(answer.results[0]).toMatchObject({ verdict: Verdict.REFUSED, eventId: "" });
    expect(JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? 0 : value))).not.toContain(
      "4111",
    );
  });

  test("refuses a batch of nothing, one that is too long, and a merchant that nobody knows", async () => {
    const { client } = open();
    const invalid = { code: Code.InvalidArgument };
    await expect(client.ingestEvents({ events: [] })).rejects.toMatchObject(invalid);
    const many = Array.from({ length: 1001 }, (_, at) => bet(`e-${at}`));
    await expect(client.ingestEvents({ events: many })).rejects.toMatchObject(invalid);
    await expect(client.ingestEvents({ merchantId: "nobody", events: [bet("e")] })).rejects.toMatchObject({
      code: Code.NotFound,
    });
  });

  test("lists the sources of a merchant", async () => {
    const { client } = open();
    await client.ingestEvents({ events: [bet("e-1"), bet("e-1"), bet("e-2", { source: "" })] });
    const { sources } = await client.listEventSources({});
    expect(sources.map(({ source, verdicts, late }) => ({ source, verdicts, late }))).toEqual([
      { source: "games", verdicts: { ACCEPTED: 1n, DUPLICATE: 1n }, late: 0n },
      { source: "unknown", verdicts: { ACCEPTED: 1n }, late: expect.any(BigInt) },
    ]);
    expect(sources[0]?.watermark).toMatchObject(encodeInstant(ingestNowMs - 1000));
    expect((await client.listEventSources({ merchantId: "other" })).sources).toEqual([]);
  });
});

describe("IngestEventStream", () => {
  let house: IngestHouse;
  /** What still has to become durable, oldest first; at once while it is undefined. */
  let writes: (() => void)[] | undefined;
  let gateway: Listener;
  let admin: Listener;
  beforeAll(async () => {
    const settle = (): Promise<void> => {
      const held = writes;
      return held === undefined ? Promise.resolve() : new Promise((resolve) => held.push(resolve));
    };
    house = makeIngestHouse({ settle });
    const options = { port: 0, services: [serve(house)], onError: (cause: unknown) => console.error(cause) };
    gateway = await startGrpcJsGateway(options);
    admin = await startAdminServer(options);
  });
  afterEach(() => {
    for (const write of writes ?? []) write();
    writes = undefined;
  });
  afterAll(() => Promise.all([gateway.stop(1000), admin.stop(1000)]));

  const url = ({ host, port }: Listener): string => `http://${host}:${port}`;
  const doors = [
    ["gRPC to the gateway", () => createGrpcTransport({ baseUrl: url(gateway) })],
    ["gRPC to admin", () => createGrpcTransport({ baseUrl: url(admin) })],
    ["Connect to admin", () => createConnectTransport({ baseUrl: url(admin), httpVersion: "2" })],
  ] as const;

  const batch = (sequence: number, events: readonly EventInit[]): IngestEventStreamRequest =>
    create(IngestEventStreamRequestSchema, { sequence: BigInt(sequence), events: [...events] });

  async function* send(
    batches: readonly IngestEventStreamRequest[],
  ): AsyncGenerator<IngestEventStreamRequest> {
    yield* batches;
  }

  test.each(doors)(
    "acknowledges batches in order, with all that was not simply accepted, over %s",
    async (name, open) => {
      const client = createClient(EventService, open());
      const id = (at: number): string => `${name}-${at}`;
      const acks = await Array.fromAsync(
        client.ingestEventStream(
          send([
            batch(1, [bet(id(1)), bet(id(2))]),
            batch(5, [bet(id(3)), bet(id(1)), bet("", {})]),
            batch(6, [bet(id(4))]),
          ]),
        ),
      );
      expect(
        acks.map(({ sequence, accepted, exceptions }) => [
          Number(sequence),
          accepted,
          ...exceptions.map(({ index, result }) => `${index} ${Verdict[result!.verdict]}`),
        ]),
      ).toEqual([
        [1, 2],
        [5, 1, "1 DUPLICATE", "2 REFUSED"],
        [6, 1],
      ]);
    },
  );

  test.each(doors)(
    "acknowledges nothing before it is durable, and has 64 batches open at most, over %s",
    async (name, open) => {
      writes = [];
      const held = writes;
      const client = createClient(EventService, open());
      const batches = Array.from({ length: 100 }, (_, at) => batch(at + 1, [bet(`${name}-held-${at}`)]));
      const acks = client.ingestEventStream(send(batches))[Symbol.asyncIterator]();
      let acknowledged = 0;
      const first = acks.next().then(() => {
        acknowledged++;
      });
      await until(() => held.length >= 64);
      // A batch that is read is taken in at once, so one more would show after a few turns of the loop.
      await turns(20);
      expect(held).toHaveLength(64);
      expect(acknowledged).toBe(0);
      // All but the first: its acknowledgement is the one that everybody waits for.
      for (const write of held.slice(1)) write();
      await turns(20);
      expect([held.length, acknowledged]).toEqual([64, 0]);
      writes = undefined;
      held[0]!();
      await first;
      let last = 1n;
      for (let next = await acks.next(); next.done !== true; next = await acks.next()) {
        expect(next.value.sequence).toBe(last + 1n);
        last = next.value.sequence;
      }
      expect(last).toBe(100n);
    },
  );

  test.each(doors)(
    "ends at a batch that is wrong, after the acknowledgements before it, over %s",
    async (name, open) => {
      const client = createClient(EventService, open());
      const acks = client
        .ingestEventStream(send([batch(2, [bet(`${name}-wrong`)]), batch(2, [bet(`${name}-again`)])]))
        [Symbol.asyncIterator]();
      expect((await acks.next()).value?.sequence).toBe(2n);
      await expect(acks.next()).rejects.toMatchObject({ code: Code.InvalidArgument });
      const rows = listRows(house, "ann").length;
      await turns(5);
      expect(listRows(house, "ann")).toHaveLength(rows);
    },
  );
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turns(1);
}

/** Lets sockets and everything else go on. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}
