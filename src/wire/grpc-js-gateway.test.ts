import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Client, credentials, type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { Echo, makeNote, NoteSchema } from "../../test/helpers/echo-service.ts";
import { connectRaw } from "../../test/helpers/sockets.ts";
import { startGrpcJsGateway } from "./grpc-js-gateway.ts";
import { type CallInfo, implementService, type Listener } from "./transport.ts";

const errors: unknown[] = [];
const closers: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
  errors.length = 0;
});

/** A service whose calls end when the test says so. */
function makeGated() {
  const entered = Promise.withResolvers<CallInfo>();
  const gate = Promise.withResolvers<void>();
  const service = implementService(Echo, {
    async say(request, call) {
      if (request.text === "") return request;
      if (request.text === "refuse") {
        const detail = { desc: NoteSchema, value: { text: "payment.kind" } };
        throw new ConnectError("no", Code.FailedPrecondition, undefined, [detail]);
      }
      entered.resolve(call);
      await gate.promise;
      return makeNote({ text: "done" });
    },
    async *count(request, call) {
      yield request;
      entered.resolve(call);
      await new Promise((resolve) => call.signal().addEventListener("abort", resolve));
    },
    async join(requests) {
      for await (const _ of requests);
      return makeNote({});
    },
    async *chat(requests) {
      yield* requests;
    },
  });
  return { service, entered: entered.promise, open: gate.resolve };
}

async function start(service = makeGated().service): Promise<Listener> {
  const listener = await startGrpcJsGateway({
    port: 0,
    services: [service],
    onError: (cause) => errors.push(cause),
  });
  closers.push(() => listener.stop(0));
  return listener;
}

const connect = ({ port }: Listener) =>
  createClient(Echo, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));

function connectGrpcJs({ port }: Listener): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  closers.push(() => client.close());
  return client;
}

const PATH = "/test.echo.v1.Echo";
const asIs = (bytes: Uint8Array) => Buffer.from(bytes);

/** Sends bytes as a request of one method of each kind, and gives the status of each. */
function sendBytes(client: Client, bytes: Uint8Array): Promise<ServiceError[]> {
  const fail = (reject: (error: ServiceError) => void) => (error: ServiceError | null) =>
    error && reject(error);
  const kinds: ((resolve: (error: ServiceError) => void) => void)[] = [
    (resolve) => client.makeUnaryRequest(`${PATH}/Say`, asIs, asIs, bytes, fail(resolve)),
    (resolve) => {
      client.makeServerStreamRequest(`${PATH}/Count`, asIs, asIs, bytes).on("error", resolve).resume();
    },
    (resolve) => client.makeClientStreamRequest(`${PATH}/Join`, asIs, asIs, fail(resolve)).end(bytes),
    (resolve) => {
      client.makeBidiStreamRequest(`${PATH}/Chat`, asIs, asIs).on("error", resolve).resume().end(bytes);
    },
  ];
  return Promise.all(kinds.map((send) => new Promise<ServiceError>((resolve) => send(resolve))));
}

async function catchCode(failing: Promise<unknown>): Promise<Code | undefined> {
  return failing.then(
    () => undefined,
    (thrown) => ConnectError.from(thrown).code,
  );
}

describe("a request to the gateway", () => {
  const bad = [
    { name: "text that is not UTF-8", bytes: [10, 1, 0xff] },
    { name: "a length that lies", bytes: [10, 5, 65] },
    { name: "a nested length that lies", bytes: [18, 2, 10, 3, 65, 66, 67] },
  ];
  test.each(bad)("with $name is InvalidArgument, in each kind of call", async ({ bytes }) => {
    const client = connectGrpcJs(await start());
    const failures = await sendBytes(client, Uint8Array.from(bytes));
    expect(failures.map(({ code }) => code)).toEqual(Array(4).fill(status.INVALID_ARGUMENT));
    for (const { details } of failures) expect(details).toMatch(/^request is not a valid message: /);
    expect(errors).toEqual([]);
  });

  test("of 1 MiB is served, one byte more is ResourceExhausted", async () => {
    const client = connect(await start());
    const max = 1024 * 1024;
    const ofSize = (bytes: number) => makeNote({ blob: new Uint8Array(bytes - 4) });
    expect(toBinary(NoteSchema, ofSize(max)).length).toBe(max);
    expect(await catchCode(client.say(ofSize(max)))).toBeUndefined();
    expect(await catchCode(client.say(ofSize(max + 1)))).toBe(Code.ResourceExhausted);
  });

  test("that is refused carries a google.rpc.Status that any client can read", async () => {
    const client = connectGrpcJs(await start());
    const request = toBinary(NoteSchema, makeNote({ text: "refuse" }));
    const metadata = await new Promise<Metadata>((resolve) => {
      client.makeUnaryRequest(
        `${PATH}/Say`,
        asIs,
        asIs,
        request,
        (error) => error && resolve(error.metadata),
      );
    });
    const [details] = metadata.get("grpc-status-details-bin") as Buffer[];
    expect(details?.toString("latin1")).toContain("type.googleapis.com/test.echo.v1.Note");
    expect([...(details ?? [])].slice(0, 6)).toEqual([8, status.FAILED_PRECONDITION, 18, 2, 0x6e, 0x6f]);
  });

  test("to a method or service that is not there is Unimplemented", async () => {
    const client = connectGrpcJs(await start());
    for (const path of [`${PATH}/Nothing`, "/nothing/Say"]) {
      const code = await new Promise((resolve) => {
        client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), (error) => resolve(error?.code));
      });
      expect(code).toBe(status.UNIMPLEMENTED);
    }
  });
});

describe("a connection to the gateway", () => {
  test("is told the caps of streams and headers", async () => {
    const { port } = await start();
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const [settings] = await once(session, "remoteSettings");
    expect(settings).toMatchObject({ maxConcurrentStreams: 200, maxHeaderListSize: 16384 });
    session.destroy();
  });

  test("that sends headers over the cap has only that call refused", async () => {
    const { port } = await start();
    const session = connectHttp2(`http://127.0.0.1:${port}`, { maxSendHeaderBlockLength: 2 ** 20 });
    // The cap holds from the moment at which the client has acknowledged it.
    await once(session, "remoteSettings");
    const headers = { ":method": "POST", ":path": `${PATH}/Say`, "content-type": "application/grpc" };
    const greedy = session.request({ ...headers, "x-long": "a".repeat(17_000) });
    expect(String(await once(greedy, "response").catch((thrown) => thrown))).toMatch(/ENHANCE_YOUR_CALM/);
    const modest = session.request(headers);
    modest.end(Buffer.alloc(5));
    modest.resume();
    expect((await once(modest, "trailers"))[0]).toMatchObject({ "grpc-status": "0" });
    session.destroy();
  });

  test.each(["noise\r\n\r\n", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"\xff".repeat(64)}`])(
    "that is no HTTP/2 is cut off, and others are served: %j",
    async (bytes) => {
      const listener = await start();
      const client = await connectRaw(listener.port);
      client.socket.write(Buffer.from(bytes, "latin1"));
      await client.closed;
      expect(await catchCode(connect(listener).say({}))).toBeUndefined();
    },
  );
});

describe("a stop of the gateway", () => {
  test("waits for the call in flight and lets nobody new in", async () => {
    const gated = makeGated();
    const listener = await start(gated.service);
    const answer = connect(listener).say({ text: "wait" });
    await gated.entered;
    let stopped = false;
    const stop = listener.stop(30_000).finally(() => {
      stopped = true;
    });
    expect(await catchCode(connect(listener).say({}))).toBe(Code.Unavailable);
    expect(stopped).toBe(false);
    gated.open();
    expect((await answer).text).toBe("done");
    expect(await stop).toEqual({ forced: false });
  });

  test("ends a stream of answers as Unavailable", async () => {
    const gated = makeGated();
    const listener = await start(gated.service);
    const answers = connect(listener).count({})[Symbol.asyncIterator]();
    await answers.next();
    const failed = catchCode(answers.next());
    expect((await gated.entered).signal().aborted).toBe(false);
    expect(await listener.stop(30_000)).toEqual({ forced: false });
    expect(await failed).toBe(Code.Unavailable);
    expect((await gated.entered).signal().aborted).toBe(true);
    expect(errors).toEqual([]);
  });

  test("lets a two-way stream finish what it has read, then ends it as Unavailable", async () => {
    const listener = await start();
    const never = Promise.withResolvers<void>();
    async function* requests() {
      yield makeNote({ text: "first" });
      await never.promise;
    }
    const answers = connect(listener).chat(requests())[Symbol.asyncIterator]();
    expect((await answers.next()).value).toEqual(makeNote({ text: "first" }));
    const failed = catchCode(answers.next());
    expect(await listener.stop(30_000)).toEqual({ forced: false });
    expect(await failed).toBe(Code.Unavailable);
    never.resolve();
  });

  test("cuts what is left after the grace, and says so", async () => {
    const gated = makeGated();
    const listener = await start(gated.service);
    const failed = catchCode(connect(listener).say({ text: "wait" }));
    await gated.entered;
    expect(await listener.stop(20)).toEqual({ forced: true });
    expect(await failed).toBeDefined();
    gated.open();
  });

  test("with an idle connection is done at once, and asked for twice is one stop", async () => {
    const listener = await start();
    await connect(listener).say({});
    const stop = listener.stop(30_000);
    expect(listener.stop(5)).toBe(stop);
    expect(await stop).toEqual({ forced: false });
  });
});

describe("a start of the gateway", () => {
  test("on a port that is taken is rejected", async () => {
    const { port } = await start();
    const again = startGrpcJsGateway({ port, services: [], onError: () => {} });
    await expect(again).rejects.toThrow(/EADDRINUSE|bind/);
  });
});
