import { describe, expect, test } from "vitest";
import { pipeline } from "./pipeline.ts";

/** Requests that count how many were read, and answers that wait for `settle`. */
function makePipe(openMax: number, requests: readonly number[], failAtEnd = false) {
  const waiting = new Map<number, { resolve: () => void; reject: (cause: unknown) => void }>();
  const state = { read: 0, closed: false };
  async function* read(): AsyncGenerator<number> {
    try {
      for (const request of requests) {
        state.read++;
        yield request;
      }
      if (failAtEnd) throw new Error("the caller broke off");
    } finally {
      state.closed = true;
    }
  }
  const answers = pipeline(
    read(),
    async (request) => {
      await new Promise<void>((resolve, reject) => waiting.set(request, { resolve, reject }));
      return request * 10;
    },
    openMax,
  );
  const settle = (request: number): void => waiting.get(request)!.resolve();
  const fail = (request: number): void => waiting.get(request)!.reject(new Error("no"));
  return { answers, state, settle, fail };
}

/** Lets everything that can go on go on. */
async function rest(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("pipeline", () => {
  test("answers in the order of the requests, whichever is ready first", async () => {
    const { answers, settle } = makePipe(8, [1, 2, 3]);
    const all = Array.fromAsync(answers);
    await rest();
    settle(3);
    settle(2);
    settle(1);
    expect(await all).toEqual([10, 20, 30]);
  });

  test("does not read on while as many as there may be are open", async () => {
    const { answers, state, settle } = makePipe(2, [1, 2, 3, 4]);
    const first = answers.next();
    await rest();
    expect(state.read).toBe(2);
    settle(2);
    await rest();
    expect(state.read).toBe(2);
    settle(1);
    expect((await first).value).toBe(10);
    await rest();
    // The answer is open until the caller asks for the next.
    expect(state.read).toBe(2);
    expect((await answers.next()).value).toBe(20);
    await rest();
    expect(state.read).toBe(3);
  });

  test("gives the answers before a failure, then the failure, and reads no more", async () => {
    const { answers, state, settle, fail } = makePipe(3, [1, 2, 3, 4, 5]);
    const first = answers.next();
    await rest();
    settle(1);
    fail(2);
    expect((await first).value).toBe(10);
    await expect(answers.next()).rejects.toThrow("no");
    await rest();
    // One more was read for the first that was answered.
    expect(state).toEqual({ read: 4, closed: true });
  });

  test("answers what was read before the requests broke off", async () => {
    const { answers, settle } = makePipe(3, [1], true);
    const first = answers.next();
    await rest();
    settle(1);
    expect((await first).value).toBe(10);
    await expect(answers.next()).rejects.toThrow("broke off");
  });

  test("reads no more when nobody listens", async () => {
    const { answers, state, settle } = makePipe(1, [1, 2, 3]);
    const first = answers.next();
    await rest();
    settle(1);
    await first;
    await answers.return(undefined);
    await rest();
    expect(state).toEqual({ read: 1, closed: true });
  });
});
