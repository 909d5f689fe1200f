import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Echo, NoteSchema } from "../../test/helpers/echo-service.ts";
import { RetryInfoSchema } from "../gen/switchyard/v1/decision_pb.js";
import { type CallInfo, implementService } from "../wire/transport.ts";
import { guardService } from "./guard.ts";

const call: CallInfo = {
  door: "gateway",
  deadlineMs: undefined,
  header: () => undefined,
  signal: () => new AbortController().signal,
  peer: () => "test",
};

const storeFailure = Object.assign(new Error("no space left on device"), {
  code: "STORE_UNAVAILABLE",
  retryAfterMs: 1_500,
});

type Kind = { readonly name: string; readonly method: string; readonly fail: (thrown: unknown) => object };

/** Every way in which a handler can fail. */
const kinds: readonly Kind[] = [
  {
    name: "a handler that answers at once",
    method: "Say",
    fail: (thrown) => ({
      say: () => {
        throw thrown;
      },
    }),
  },
  {
    name: "a handler that answers later",
    method: "Say",
    fail: (thrown) => ({ say: () => Promise.reject(thrown) }),
  },
  {
    name: "a stream of answers",
    method: "Count",
    fail: (thrown) => ({
      // biome-ignore lint/correctness/useYield: it fails before its first answer.
      count: async function* () {
        throw thrown;
      },
    }),
  },
  {
    name: "a stream of requests",
    method: "Join",
    fail: (thrown) => ({ join: () => Promise.reject(thrown) }),
  },
  {
    name: "a stream both ways",
    method: "Chat",
    fail: (thrown) => ({
      // biome-ignore lint/correctness/useYield: it fails before its first answer.
      chat: async function* () {
        throw thrown;
      },
    }),
  },
];

async function catchFailure({ method, fail }: Kind, thrown: unknown) {
  const counted: string[] = [];
  const guarded = guardService(implementService(Echo, fail(thrown)), (...labels) =>
    counted.push(labels.join(" ")),
  );
  const hosted = guarded.methods.find((each) => each.method.name === method)!;
  const run = async (): Promise<unknown> => {
    const answer = await (hosted.handle as (request: unknown, call: CallInfo) => unknown)({}, call);
    return hosted.kind === "unary" || hosted.kind === "client_streaming"
      ? answer
      : (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
  };
  const failure: unknown = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  return { failure, counted };
}

test.each(kinds)("a store that is away is Unavailable with RetryInfo: $name", async (kind) => {
  const { failure, counted } = await catchFailure(kind, storeFailure);
  expect(failure).toBeInstanceOf(ConnectError);
  const error = failure as ConnectError;
  expect(error.code).toBe(Code.Unavailable);
  expect(error.cause).toBe(storeFailure);
  expect(error.rawMessage).not.toContain("device");
  expect(error.findDetails(RetryInfoSchema)).toMatchObject([
    { retryAfter: { seconds: 1n, nanos: 500_000_000 } },
  ]);
  expect(counted).toEqual([`test.echo.v1.Echo/${kind.method} UNAVAILABLE`]);
});

test.each(kinds)("a refusal passes as it is and is counted by its code: $name", async (kind) => {
  const refusal = new ConnectError("no such thing", Code.NotFound);
  const { failure, counted } = await catchFailure(kind, refusal);
  expect(failure).toBe(refusal);
  expect(counted).toEqual([`test.echo.v1.Echo/${kind.method} NOT_FOUND`]);
});

test.each(kinds)("a bug is left to the door, which logs it, and counted as INTERNAL: $name", async (kind) => {
  const bug = new TypeError("oops");
  const { failure, counted } = await catchFailure(kind, bug);
  expect(failure).toBe(bug);
  expect(counted).toEqual([`test.echo.v1.Echo/${kind.method} INTERNAL`]);
});

test("a handler that answers at once still does", () => {
  const answer = create(NoteSchema);
  const { methods } = guardService(implementService(Echo, { say: () => answer }), () => expect.unreachable());
  const say = methods.find(({ method }) => method.name === "Say")!;
  expect((say.handle as (request: unknown, call: CallInfo) => unknown)({}, call)).toBe(answer);
});
