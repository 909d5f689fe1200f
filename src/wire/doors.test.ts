/** Both doors host one service shape; here each client speaks to each door and must read the same. */
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Echo, makeNote, type Note, NoteSchema } from "../../test/helpers/echo-service.ts";
import { startAdminServer } from "./admin-server.ts";
import { startGrpcJsGateway } from "./grpc-js-gateway.ts";
import { type CallInfo, implementService, type Listener } from "./transport.ts";

const errors: { readonly cause: unknown; readonly where: string }[] = [];
const onError = (cause: unknown, where: string) => errors.push({ cause, where });
const cancelled = new Map<string, () => void>();

function refuse(text: string): never {
  const detail = { desc: NoteSchema, value: { text: "payment.kind", tags: ["one_of"] } };
  if (text === "refuse")
    throw new ConnectError("kind: not one of", Code.InvalidArgument, { "x-note": "a" }, [detail]);
  if (text === "half a surrogate") throw new ConnectError("bad \ud800 text 100% é", Code.NotFound);
  throw new TypeError(`secret of ${text}`);
}

function describeCall(call: CallInfo): Note {
  const leftMs = call.deadlineMs === undefined ? 0 : call.deadlineMs - Date.now();
  return makeNote({
    tags: [call.door, call.header("x-trace") ?? "none", call.peer()],
    numbers: [Math.sign(leftMs)],
  });
}

const echo = implementService(Echo, {
  say(request, call) {
    if (request.text === "call") return describeCall(call);
    if (request.text === "later") return Promise.resolve(makeNote({ text: "later" }));
    if (request.text === "refuse later") return Promise.reject(new ConnectError("later", Code.Aborted));
    if (request.text === "hang") return hang(call, request.tags[0]);
    if (request.text !== "") return refuse(request.text);
    return request;
  },
  async *count(request, call) {
    for (const number of request.numbers) yield makeNote({ numbers: [number] });
    if (request.text === "hang") await hang(call, request.tags[0]);
    if (request.text !== "") refuse(request.text);
  },
  async join(requests) {
    let text = "";
    for await (const request of requests) {
      if (request.text === "refuse") refuse(request.text);
      text += request.text;
    }
    return makeNote({ text });
  },
  async *chat(requests) {
    for await (const request of requests) {
      if (request.text !== "") refuse(request.text);
      yield request;
    }
  },
});

function hang(call: CallInfo, id = ""): Promise<Note> {
  return new Promise((_resolve, reject) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    call.signal().addEventListener("abort", () => {
      resolve();
      reject(call.signal().reason);
    });
    void promise.then(() => cancelled.get(id)?.());
  });
}

let gateway: Listener;
let admin: Listener;
beforeAll(async () => {
  gateway = await startGrpcJsGateway({ port: 0, services: [echo], onError });
  admin = await startAdminServer({ port: 0, services: [echo], onError });
});
afterAll(() => Promise.all([gateway.stop(1000), admin.stop(1000)]));
afterEach(() => {
  errors.length = 0;
});

const url = ({ host, port }: Listener) => `http://${host}:${port}`;
interface Way {
  readonly name: string;
  readonly door: "gateway" | "admin";
  readonly bidi: boolean;
  readonly open: () => Transport;
}
const ways: readonly Way[] = [
  {
    name: "gRPC to the gateway",
    door: "gateway",
    bidi: true,
    open: () => createGrpcTransport({ baseUrl: url(gateway) }),
  },
  {
    name: "gRPC to admin",
    door: "admin",
    bidi: true,
    open: () => createGrpcTransport({ baseUrl: url(admin) }),
  },
  {
    name: "Connect over HTTP/1.1",
    door: "admin",
    bidi: false,
    open: () => createConnectTransport({ baseUrl: url(admin), httpVersion: "1.1" }),
  },
  {
    name: "Connect over HTTP/2",
    door: "admin",
    bidi: true,
    open: () => createConnectTransport({ baseUrl: url(admin), httpVersion: "2" }),
  },
  {
    name: "Connect with JSON",
    door: "admin",
    bidi: true,
    open: () => createConnectTransport({ baseUrl: url(admin), httpVersion: "2", useBinaryFormat: false }),
  },
  {
    name: "gRPC-Web over HTTP/1.1",
    door: "admin",
    bidi: false,
    open: () => createGrpcWebTransport({ baseUrl: url(admin), httpVersion: "1.1" }),
  },
  {
    name: "gRPC-Web over HTTP/2",
    door: "admin",
    bidi: true,
    open: () => createGrpcWebTransport({ baseUrl: url(admin), httpVersion: "2" }),
  },
];

async function catchFailure(failing: Promise<unknown>): Promise<ConnectError> {
  return failing.then(
    () => expect.unreachable("should have failed"),
    (thrown) => ConnectError.from(thrown),
  );
}

async function collect<T>(answers: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const answer of answers) into.push(answer);
  return into;
}

async function* send(...notes: Note[]): AsyncGenerator<Note> {
  yield* notes;
}

describe.each(ways)("$name", ({ door, bidi, open }) => {
  let client: Client<typeof Echo>;
  beforeAll(() => {
    client = createClient(Echo, open());
  });

  test("a unary call brings back what the handler answers, at once or later", async () => {
    const note = { numbers: [1, -2], amount: 2n ** 62n, tags: ["é"] };
    expect(await client.say(note)).toEqual(makeNote(note));
    expect((await client.say({ text: "later" })).text).toBe("later");
    expect((await catchFailure(client.say({ text: "refuse later" }))).code).toBe(Code.Aborted);
  });

  test("a handler may ask for the door, a header, the caller and the deadline", async () => {
    const asked = await client.say({ text: "call" }, { headers: { "x-trace": "t-1" }, timeoutMs: 5000 });
    expect(asked.tags).toEqual([door, "t-1", expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    expect(asked.numbers).toEqual([1]);
    const unasked = await client.say({ text: "call" });
    expect(unasked.tags[1]).toBe("none");
    expect(unasked.numbers).toEqual([0]);
  });

  test("a refusal arrives with its code, its message and its typed details", async () => {
    const failures = [await catchFailure(client.say({ text: "refuse" }))];
    failures.push(await catchFailure(collect(client.count({ text: "refuse" }))));
    failures.push(await catchFailure(client.join(send(makeNote({ text: "refuse" })))));
    if (bidi) failures.push(await catchFailure(collect(client.chat(send(makeNote({ text: "refuse" }))))));
    for (const failure of failures) {
      expect(failure.code).toBe(Code.InvalidArgument);
      expect(failure.rawMessage).toBe("kind: not one of");
      expect(failure.findDetails(NoteSchema)).toEqual([makeNote({ text: "payment.kind", tags: ["one_of"] })]);
    }
    expect(failures[0]?.metadata.get("x-note")).toBe("a");
    expect(errors).toEqual([]);
  });

  test("a refusal whose message is half a surrogate pair arrives, too", async () => {
    const failure = await catchFailure(client.say({ text: "half a surrogate" }));
    expect(failure.code).toBe(Code.NotFound);
    expect(failure.rawMessage).toBe("bad \ufffd text 100% é");
  });

  test("a bug of a handler is Internal without its text, and the hook gets the cause", async () => {
    const failures = [await catchFailure(client.say({ text: "bug" }))];
    failures.push(await catchFailure(collect(client.count({ text: "bug" }))));
    if (bidi) failures.push(await catchFailure(collect(client.chat(send(makeNote({ text: "bug" }))))));
    for (const failure of failures) {
      expect(failure.code).toBe(Code.Internal);
      expect(failure.rawMessage).toBe("internal error");
    }
    expect(errors.map(({ where }) => where)).toEqual(
      ["Say", "Count", "Chat"].slice(0, failures.length).map((name) => `test.echo.v1.Echo/${name}`),
    );
    expect(String(errors[0]?.cause)).toContain("secret of bug");
  });

  test("streams bring every message in order", async () => {
    const numbers = Array.from({ length: 300 }, (_, index) => index);
    expect((await collect(client.count({ numbers }))).map((note) => note.numbers[0])).toEqual(numbers);
    expect((await client.join(send(makeNote({ text: "a" }), makeNote({ text: "b" })))).text).toBe("ab");
    if (!bidi) return;
    const notes = numbers.map((number) => makeNote({ numbers: [number] }));
    expect(await collect(client.chat(send(...notes)))).toEqual(notes);
  });

  test("a deadline that passes ends the call, unary or stream", async () => {
    const failures = await Promise.all([
      catchFailure(client.say({ text: "hang" }, { timeoutMs: 50 })),
      catchFailure(collect(client.count({ text: "hang" }, { timeoutMs: 50 }))),
    ]);
    expect(failures.map(({ code }) => code)).toEqual([Code.DeadlineExceeded, Code.DeadlineExceeded]);
    expect(errors).toEqual([]);
  });

  test("a caller that cancels aborts the signal of its handler", async () => {
    const id = `${door} ${Math.random()}`;
    const aborted = new Promise<void>((resolve) => cancelled.set(id, resolve));
    const cancel = new AbortController();
    const answers = client.count({ text: "hang", numbers: [1], tags: [id] }, { signal: cancel.signal });
    const failed = catchFailure(
      (async () => {
        for await (const _ of answers) cancel.abort();
      })(),
    );
    expect((await failed).code).toBe(Code.Canceled);
    await aborted;
    expect(errors).toEqual([]);
  });
});

describe("a method without a handler", () => {
  test("is Unimplemented, named, at both doors", async () => {
    const empty = implementService(Echo, {});
    const doors = [
      await startGrpcJsGateway({ port: 0, services: [empty], onError }),
      await startAdminServer({ port: 0, services: [empty], onError }),
    ];
    for (const door of doors) {
      const client = createClient(Echo, createGrpcTransport({ baseUrl: url(door) }));
      const failures = [
        client.say({}),
        collect(client.count({})),
        client.join(send()),
        collect(client.chat(send())),
      ];
      for (const failure of await Promise.all(failures.map(catchFailure))) {
        expect(failure.code).toBe(Code.Unimplemented);
        expect(failure.rawMessage).toMatch(/test\.echo\.v1\.Echo\.\w+ is not implemented/);
      }
      await door.stop(1000);
    }
    expect(errors).toEqual([]);
  });
});
