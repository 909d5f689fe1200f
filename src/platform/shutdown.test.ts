import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createShutdown, type StepOutcome, type StopStep } from "./shutdown.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const brief = (outcomes: readonly StepOutcome[]) => outcomes.map(({ name, result }) => `${name} ${result}`);

describe("an ordered stop", () => {
  test("runs each step after the one before it has ended", async () => {
    const log: string[] = [];
    const step = (name: string): StopStep => ({
      name,
      timeoutMs: 1000,
      async run() {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
      },
    });
    const outcomes = await createShutdown([step("health"), step("server")]).stop();
    expect(log).toEqual(["health begins", "health ends", "server begins", "server ends"]);
    expect(brief(outcomes)).toEqual(["health done", "server done"]);
  });

  test("runs once, however often it is asked for", async () => {
    const run = vi.fn();
    const shutdown = createShutdown([{ name: "stores", timeoutMs: 1000, run }]);
    expect(shutdown.isStopping()).toBe(false);
    const first = shutdown.stop();
    expect(shutdown.isStopping()).toBe(true);
    expect(shutdown.stop()).toBe(first);
    await first;
    expect(shutdown.stop()).toBe(first);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("leaves a step behind that takes too long, names it, and goes on", async () => {
    const heard: StepOutcome[] = [];
    const stuck = Promise.withResolvers<void>();
    const close = vi.fn();
    const steps: StopStep[] = [
      { name: "server", timeoutMs: 5000, run: () => stuck.promise },
      { name: "stores", timeoutMs: 1000, run: close },
    ];
    const stop = createShutdown(steps, (outcome) => heard.push(outcome)).stop();
    await vi.advanceTimersByTimeAsync(4999);
    expect(close).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(brief(await stop)).toEqual(["server timed out", "stores done"]);
    expect(heard).toEqual(await stop);
    // A failure that comes after all must not end the process.
    stuck.reject(new Error("too late"));
    await vi.runAllTimersAsync();
  });

  test.each([
    {
      name: "throws",
      run: () => {
        throw new Error("no disk");
      },
    },
    { name: "rejects", run: () => Promise.reject(new Error("no disk")) },
  ])("tells of a step that $name, with the cause, and goes on", async ({ run }) => {
    const steps: StopStep[] = [
      { name: "logs", timeoutMs: 1000, run },
      { name: "stores", timeoutMs: 1000, run: () => {} },
    ];
    const outcomes = await createShutdown(steps).stop();
    expect(brief(outcomes)).toEqual(["logs failed", "stores done"]);
    expect(outcomes[0]).toMatchObject({ cause: new Error("no disk") });
  });

  test("leaves no timer running", async () => {
    await createShutdown([{ name: "health", timeoutMs: 60_000, run: () => {} }]).stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
