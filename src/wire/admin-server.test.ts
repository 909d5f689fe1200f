import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { Echo, makeNote } from "../../test/helpers/echo-service.ts";
import { connectRaw, hear, startByteByByteLine, startHoldingLine } from "../../test/helpers/sockets.ts";
import { type AdminOptions, startAdminServer } from "./admin-server.ts";
import { implementService, type Listener } from "./transport.ts";

/** A service whose calls end when the test says so. */
function makeGated() {
  const entered = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const service = implementService(Echo, {
    async say(request) {
      if (request.text === "") return request;
      entered.resolve();
      await gate.promise;
      return makeNote({ text: "done" });
    },
    async *count(request, call) {
      yield request;
      entered.resolve();
      await new Promise((resolve) => call.signal().addEventListener("abort", resolve));
    },
    async *chat(requests) {
      for await (const request of requests) {
        yield request;
        entered.resolve();
      }
      yield makeNote({ text: "last" });
    },
  });
  return { service, entered: entered.promise, open: gate.resolve };
}

const errors: unknown[] = [];
const listeners: Listener[] = [];
async function start(options: Partial<AdminOptions> = {}): Promise<Listener> {
  const services = options.services ?? [makeGated().service];
  const listener = await startAdminServer({
    port: 0,
    onError: (cause) => errors.push(cause),
    ...options,
    services,
  });
  listeners.push(listener);
  return listener;
}
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.stop(0)));
  errors.length = 0;
});

const url = ({ port }: { port: number }) => `http://127.0.0.1:${port}`;
const SAY = "/test.echo.v1.Echo/Say";
const HEALTHZ = { "/healthz": () => ({ status: 200, contentType: "text/plain", body: "ok\n" }) };

async function postJson(listener: Listener, body: string | Uint8Array<ArrayBuffer>, headers = {}) {
  const answer = await fetch(url(listener) + SAY, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function catchCode(failing: Promise<unknown>): Promise<Code | undefined> {
  return failing.then(
    () => undefined,
    (thrown) => ConnectError.from(thrown).code,
  );
}

describe("the first bytes of a connection", () => {
  test("may come one by one over HTTP/1.1", async () => {
    const listener = await start({ routes: HEALTHZ });
    const line = await startByteByByteLine(listener.port);
    const client = await connectRaw(line.port);
    client.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await client.closed;
    expect(client.heard()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok\n$/s);
    line.close();
  });

  test("may come one by one over HTTP/2", async () => {
    const listener = await start();
    const line = await startByteByByteLine(listener.port);
    const client = createClient(Echo, createGrpcTransport({ baseUrl: url(line) }));
    expect(await client.say({ numbers: [1, 2] })).toEqual(makeNote({ numbers: [1, 2] }));
    line.close();
  });

  test("may come together with all the rest over HTTP/1.1, twice", async () => {
    const listener = await start({ routes: HEALTHZ });
    const client = await connectRaw(listener.port);
    client.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));
    await hear(client, /ok\n.*ok\n/s);
  });

  test("are waited for only so long", async () => {
    const listener = await start({ limits: { firstBytesTimeoutMs: 30 } });
    const silent = await connectRaw(listener.port);
    const dawdling = await connectRaw(listener.port);
    dawdling.socket.write("PRI * HTTP/2.0\r\n");
    await Promise.all([silent.closed, dawdling.closed]);
    expect([silent.heard(), dawdling.heard()]).toEqual(["", ""]);
  });

  test("may be missing because the client hangs up", async () => {
    const listener = await start();
    const client = await connectRaw(listener.port);
    client.socket.write("PRI *");
    client.socket.end();
    await client.closed;
  });
});

describe("a client that is slow", () => {
  test("over its headers is cut off with 408", async () => {
    const listener = await start({ limits: { headersTimeoutMs: 60 } });
    const client = await connectRaw(listener.port);
    client.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    await client.closed;
    expect(client.heard()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("over its body is cut off", async () => {
    const listener = await start({ limits: { headersTimeoutMs: 40, requestTimeoutMs: 60 } });
    const client = await connectRaw(listener.port);
    const head = ["POST /test.echo.v1.Echo/Say HTTP/1.1", "Host: a", "Content-Type: application/json"];
    client.socket.write([...head, "Content-Length: 9", "", '{"te'].join("\r\n"));
    await client.closed;
  });
});

describe("bytes that nobody should send", () => {
  const cases = [
    { name: "noise", bytes: "\x00\xff\x13\x37\r\n\r\n", hears: /^HTTP\/1\.1 400/ },
    {
      name: "noise after the preface",
      bytes: `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"\xff".repeat(64)}`,
      hears: /^/,
    },
    {
      name: "a preface with a wrong last byte",
      bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
      hears: /^HTTP\/1\.1 400/,
    },
    {
      name: "an impossible host",
      bytes: `POST ${SAY} HTTP/1.1\r\nHost: [\r\n\r\n`,
      hears: /^HTTP\/1\.1 400/,
    },
    { name: "no host", bytes: `POST ${SAY} HTTP/1.0\r\n\r\n`, hears: /^HTTP\/1\.1 400/ },
    {
      name: "headers without end",
      bytes: `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(20_000)}`,
      hears: /431/,
    },
    {
      name: "an upgrade",
      bytes: "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
      hears: /404/,
    },
    { name: "CONNECT", bytes: "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", hears: /^/ },
  ];
  test.each(cases)("$name: are answered or cut off, and others are served", async ({ bytes, hears }) => {
    const listener = await start();
    const client = await connectRaw(listener.port);
    client.socket.write(Buffer.from(bytes, "latin1"));
    await hear(client, hears);
    client.socket.end();
    await client.closed;
    expect((await postJson(listener, "{}")).status).toBe(200);
  });

  test("an impossible authority over HTTP/2 is 400, and others are served", async () => {
    const listener = await start();
    const session = connectHttp2(url(listener));
    const stream = session.request({ ":method": "POST", ":path": SAY, ":authority": "a:99999" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(400);
    session.destroy();
    expect((await postJson(listener, "{}")).status).toBe(200);
  });
});

describe("a request that is not the message it should be is InvalidArgument", () => {
  const cases = [
    { name: "an unknown field", body: '{"txt":"a"}' },
    { name: "an unknown enum name", body: '{"mood":"MOOD_AWFUL"}' },
    { name: "a wrong type", body: '{"numbers":"1"}' },
    { name: "no JSON", body: "{" },
    {
      name: "text that is not UTF-8",
      body: Uint8Array.from([...Buffer.from('{"text":"'), 0xff, 0x22, 0x7d]),
    },
  ];
  test.each(cases)("$name, in JSON", async ({ body }) => {
    const listener = await start();
    expect(await postJson(listener, body)).toMatchObject({ status: 400, body: { code: "invalid_argument" } });
  });

  test("bytes that do not decode, in each protocol", async () => {
    const listener = await start();
    const bad = Buffer.from([10, 1, 0xff]);
    const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, bad.length]), bad]);
    const send = (type: string, body: Buffer<ArrayBuffer>, path = SAY) =>
      fetch(url(listener) + path, { method: "POST", headers: { "content-type": type }, body });
    expect(await (await send("application/proto", bad)).json()).toMatchObject({ code: "invalid_argument" });
    expect(await (await send("application/grpc-web+proto", framed)).text()).toMatch(/grpc-status: 3\r\n/);
    const streamed = await send("application/connect+proto", framed, "/test.echo.v1.Echo/Count");
    expect(await streamed.text()).toMatch(/"code":"invalid_argument"/);
    const session = connectHttp2(url(listener));
    const stream = session.request({
      ":method": "POST",
      ":path": SAY,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(framed);
    stream.resume();
    const [trailers] = (await once(stream, "trailers")) as [Record<string, unknown>];
    expect(trailers["grpc-status"]).toBe("3");
    session.destroy();
  });

  test("a request over the limit is ResourceExhausted, one at the limit is served", async () => {
    const listener = await start({ limits: { readBytesMax: 20 } });
    const body = (length: number) => JSON.stringify({ tags: ["x".repeat(length - '{"tags":[""]}'.length)] });
    expect((await postJson(listener, body(20))).status).toBe(200);
    expect(await postJson(listener, body(21))).toMatchObject({ body: { code: "resource_exhausted" } });
  });

  test("a timeout over the limit, of a unary call only", async () => {
    const listener = await start({ limits: { unaryTimeoutMsMax: 500 } });
    const client = createClient(Echo, createConnectTransport({ baseUrl: url(listener), httpVersion: "2" }));
    expect(await catchCode(client.say({}, { timeoutMs: 501 }))).toBe(Code.InvalidArgument);
    expect(await catchCode(client.say({}, { timeoutMs: 500 }))).toBeUndefined();
    for await (const note of client.chat((async function* () {})(), { timeoutMs: 501 }))
      expect(note.text).toBe("last");
  });

  test("a compressed request is Unimplemented: there is no bomb to defuse", async () => {
    const listener = await start();
    const answer = await postJson(listener, "{}", { "content-encoding": "gzip" });
    expect(answer.body).toMatchObject({ code: "unimplemented" });
  });
});

describe("a gate", () => {
  test("refuses a call before its request is read, and lets others pass", async () => {
    const seen: string[] = [];
    const listener = await start({
      gate(call, path) {
        seen.push(path);
        if (call.header("authorization") !== "yes") throw new ConnectError("who?", Code.Unauthenticated);
      },
    });
    const client = createClient(Echo, createGrpcTransport({ baseUrl: url(listener) }));
    expect(await catchCode(client.say({}))).toBe(Code.Unauthenticated);
    expect(await catchCode(client.say({}, { headers: { authorization: "yes" } }))).toBeUndefined();
    expect((await postJson(listener, "not even JSON")).body).toMatchObject({ code: "unauthenticated" });
    expect(seen).toEqual([SAY, SAY, SAY]);
  });
});

describe("plain HTTP routes", () => {
  test("answer GET and HEAD, and nothing else", async () => {
    const listener = await start({ routes: HEALTHZ });
    const answer = await fetch(`${url(listener)}/healthz?verbose=1`);
    expect([answer.status, await answer.text()]).toEqual([200, "ok\n"]);
    const head = await fetch(`${url(listener)}/healthz`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "3"]);
    expect((await fetch(`${url(listener)}/healthz`, { method: "POST", body: "a" })).status).toBe(405);
    expect((await fetch(`${url(listener)}/nothing`)).status).toBe(404);
  });

  test("answer over HTTP/2, too", async () => {
    const listener = await start({ routes: HEALTHZ });
    const session = connectHttp2(url(listener));
    const stream = session.request({ ":path": "/healthz" });
    expect((await stream.setEncoding("utf8").toArray()).join("")).toBe("ok\n");
    session.destroy();
  });

  test("that fail are 500 without the reason, which goes to the hook", async () => {
    const listener = await start({ routes: { "/metrics": () => Promise.reject(new Error("secret")) } });
    const answer = await fetch(`${url(listener)}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([500, "internal error\n"]);
    expect(String(errors[0])).toContain("secret");
  });
});

describe("a stop", () => {
  const transports = [
    {
      name: "Connect over HTTP/1.1",
      open: (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    },
    {
      name: "Connect over HTTP/2",
      open: (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "2" }),
    },
    { name: "gRPC", open: (baseUrl: string) => createGrpcTransport({ baseUrl }) },
    { name: "gRPC-Web", open: (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }) },
  ];

  test.each(transports)("waits for the call in flight: $name", async ({ open }) => {
    const gated = makeGated();
    const listener = await start({ services: [gated.service] });
    const client = createClient(Echo, open(url(listener)));
    const answer = client.say({ text: "wait" });
    await gated.entered;
    let stopped = false;
    const stop = listener.stop(30_000).finally(() => {
      stopped = true;
    });
    // An idle listener has stopped after so many turns of the event loop.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    gated.open();
    expect((await answer).text).toBe("done");
    expect(await stop).toEqual({ forced: false });
    expect(await catchCode(client.say({}))).toBe(Code.Unavailable);
  });

  test.each(transports)("ends a stream of answers as Unavailable: $name", async ({ open }) => {
    const gated = makeGated();
    const listener = await start({ services: [gated.service] });
    const client = createClient(Echo, open(url(listener)));
    const answers = client.count({ text: "on" })[Symbol.asyncIterator]();
    expect((await answers.next()).value).toEqual(makeNote({ text: "on" }));
    const failed = catchCode(answers.next());
    await gated.entered;
    expect(await listener.stop(30_000)).toEqual({ forced: false });
    expect(await failed).toBe(Code.Unavailable);
    expect(errors).toEqual([]);
  });

  test("lets a two-way stream finish what it has read, then ends it as Unavailable", async () => {
    const gated = makeGated();
    const listener = await start({ services: [gated.service] });
    const client = createClient(Echo, createGrpcTransport({ baseUrl: url(listener) }));
    const never = Promise.withResolvers<void>();
    async function* requests() {
      yield makeNote({ text: "first" });
      await never.promise;
    }
    const answers = client.chat(requests())[Symbol.asyncIterator]();
    expect((await answers.next()).value).toEqual(makeNote({ text: "first" }));
    const last = answers.next();
    await gated.entered;
    const stop = listener.stop(30_000);
    expect((await last).value).toEqual(makeNote({ text: "last" }));
    expect(await catchCode(answers.next())).toBe(Code.Unavailable);
    never.resolve();
    expect(await stop).toEqual({ forced: false });
  });

  test("tells HTTP/2 connections with GOAWAY; calls taken finish, and later ones may go elsewhere", async () => {
    const gated = makeGated();
    const listener = await start({ services: [gated.service] });
    const line = await startHoldingLine(listener.port);
    const session = connectHttp2(url(line));
    const call = (body: string) => {
      const stream = session.request({ ":method": "POST", ":path": SAY, "content-type": "application/json" });
      stream.end(body);
      return stream;
    };
    const taken = call('{"text":"wait"}');
    await gated.entered;
    const { held, letGo } = line.hold();
    const late = call("{}");
    await held;
    const stop = listener.stop(30_000);
    const refused = once(late, "response").catch((thrown) => thrown);
    expect(await once(session, "goaway")).toEqual([constants.NGHTTP2_NO_ERROR, 1, undefined]);
    letGo();
    expect((await refused).message).toContain("NGHTTP2_REFUSED_STREAM");
    gated.open();
    expect(JSON.parse((await taken.setEncoding("utf8").toArray()).join(""))).toEqual({ text: "done" });
    expect(await stop).toEqual({ forced: false });
    line.close();
  });

  test("closes idle, silent and undecided connections at once", async () => {
    const listener = await start({ routes: HEALTHZ });
    const idle = await connectRaw(listener.port);
    idle.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    await hear(idle, /ok\n$/);
    const idleHttp2 = connectHttp2(url(listener));
    await once(idleHttp2, "remoteSettings");
    const silent = await connectRaw(listener.port);
    const undecided = await connectRaw(listener.port);
    undecided.socket.write("PRI * HT");
    const closed = Promise.all([idle.closed, silent.closed, undecided.closed, once(idleHttp2, "close")]);
    expect(await listener.stop(30_000)).toEqual({ forced: false });
    await closed;
  });

  test("closes a keep-alive connection after the answer that was in flight", async () => {
    const gated = makeGated();
    const listener = await start({ services: [gated.service] });
    const client = await connectRaw(listener.port);
    const head = ["POST /test.echo.v1.Echo/Say HTTP/1.1", "Host: a", "Content-Type: application/json"];
    client.socket.write([...head, "Content-Length: 15", "", '{"text":"wait"}'].join("\r\n"));
    await gated.entered;
    const stop = listener.stop(30_000);
    gated.open();
    await client.closed;
    expect(client.heard()).toMatch(/connection: close.*\{"text":"done"\}$/is);
    expect(await stop).toEqual({ forced: false });
  });

  test("cuts what is left after the grace, and says so", async () => {
    const gated = makeGated();
    const listener = await start({ services: [gated.service] });
    const client = createClient(Echo, createGrpcTransport({ baseUrl: url(listener) }));
    const failed = catchCode(client.say({ text: "wait" }));
    await gated.entered;
    expect(await listener.stop(20)).toEqual({ forced: true });
    expect(await failed).toBeDefined();
    gated.open();
  });

  test("asked for twice is one stop", async () => {
    const listener = await start();
    expect(listener.stop(1000)).toBe(listener.stop(5));
  });
});

describe("a start", () => {
  test("on a port that is taken is rejected", async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toThrow(/EADDRINUSE/);
  });
});
