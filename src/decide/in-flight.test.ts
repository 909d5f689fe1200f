import { describe, expect, test } from "vitest";
import { compileForTest } from "../../test/helpers/compile.ts";
import { type Asked, CrossingGateway, type Flow } from "../../test/helpers/crossing-gateway.ts";
import type { PlanNow } from "./decided.ts";

const minute = 60_000;
const startMs = Date.UTC(2026, 10, 16, 12);

/** PSPs that cannot step up, so that a plan of three attempts is three steps; a cap of so many declines in a day. */
const compile = (declines: number) =>
  compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card], three_ds: false }
  - { id: bravo, methods: [card], three_ds: false }
  - { id: coral, methods: [card], three_ds: false }
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo, coral] } } } }
scheme_caps:
  - { id: day, scheme: visa, window: 24h, key: CARD, declines: ${declines} }
`);

const arrives = { post: "arrives", isDated: true } as const;
const isLost = { post: "is lost", isDated: true } as const;
const asked: Asked = { card: "one", amountMinor: 5_000, initiator: "CIT" };

function openHouse(declines: number) {
  const gateway = new CrossingGateway(compile(declines), startMs);
  const begin = (more: Partial<Asked> = {}): Flow => {
    const flow = gateway.open({ ...asked, ...more });
    gateway.decide(flow);
    return flow;
  };
  const send = (
    flow: Flow,
    fate: Parameters<CrossingGateway["send"]>[2],
    mail: Parameters<CrossingGateway["send"]>[3] = arrives,
  ) => {
    gateway.nowMs += 1;
    gateway.send(flow, gateway.findStep(flow)!, fate, mail);
  };
  return { gateway, begin, send };
}

function describePlan(plan: PlanNow | undefined): string {
  if (plan === undefined) return "denied";
  const steps = plan.steps.map(({ number }) => number).join(" ");
  const cut = plan.cut.map(({ code, sourceId }) => ` ${code} ${sourceId}`).join();
  return `${steps}${cut}`;
}

describe("SEMANTICS 4.6: attempts in flight", () => {
  test("count against the cap from the moment that they are planned, so payments side by side get what is left", () => {
    const { begin } = openHouse(10);
    const plans = Array.from({ length: 7 }, () => describePlan(begin().plan));
    expect(plans).toEqual([
      "1 2 3",
      "1 2 3",
      "1 2 SCHEME_CAP day",
      "1 SCHEME_CAP day",
      "1 SCHEME_CAP day",
      "denied",
      "denied",
    ]);
  });

  test("of the step that is held back the edges say to ask again, and the report shows it", () => {
    const { gateway, begin, send } = openHouse(2);
    const flow = begin();
    expect(describePlan(flow.plan)).toBe("1 SCHEME_CAP day");
    const { edges } = flow.plan!.steps[0]!;
    expect(edges.find(({ outcomeClass }) => outcomeClass === "TECH_NOT_PROCESSED")!.edge).toEqual({
      action: "ASK_AGAIN",
      notBeforeMs: undefined,
    });
    send(flow, "96");
    expect(flow.next).toEqual({ action: "STEP", step: 2 });
    send(flow, "96");
    expect(flow.next).toEqual({ action: "OTHER_METHOD" });
    expect(gateway.sent).toHaveLength(2);
  });

  test("of two payments that report while one attempt is left exactly one goes on", () => {
    const { begin, send } = openHouse(3);
    const [first, second] = [begin(), begin()];
    send(first, "96");
    send(second, "96");
    // What is heard first may go on: it was told so before the second was heard.
    expect([first.next, second.next]).toEqual([{ action: "STEP", step: 2 }, { action: "OTHER_METHOD" }]);
    expect(second.plan?.cut.map(({ code, playerMessageKey }) => [code, playerMessageKey])).toEqual([
      ["SCHEME_CAP", "payment.in_progress"],
    ]);
    send(first, "96");
    expect(first.next).toEqual({ action: "OTHER_METHOD" });
  });

  test("are let go by what reaches no issuer, by an approval, and by the end of the plan", () => {
    const { begin, send } = openHouse(1);
    const first = begin();
    expect(begin().plan).toBeUndefined();
    send(first, "refused");
    expect(first.next).toEqual({ action: "STEP", step: 2 });
    expect(begin().plan).toBeUndefined();
    send(first, "approved");
    const second = begin();
    expect(describePlan(second.plan)).toBe("1 SCHEME_CAP day");
    send(second, "96");
    expect(begin().plan).toBeUndefined();
  });

  test("are counted as long as nobody knows what became of them", () => {
    const { gateway, begin, send } = openHouse(1);
    const first = begin();
    send(first, "timeout-approved");
    gateway.nowMs += 120 * minute;
    expect(begin().plan).toBeUndefined();
    gateway.catchUp(first, false);
    expect(describePlan(begin().plan)).toBe("1 SCHEME_CAP day");
  });

  test("that nobody ever tells of are let go when silence is final", () => {
    const { gateway, begin, send } = openHouse(1);
    send(begin(), "96", isLost);
    gateway.nowMs = startMs + 30 * minute - 1;
    expect(begin().plan).toBeUndefined();
    gateway.nowMs = startMs + 30 * minute;
    expect(describePlan(begin().plan)).toBe("1 SCHEME_CAP day");
  });

  test("leave nothing but their own count where those that were never told of take all that is left", () => {
    const { gateway, begin, send } = openHouse(3);
    const [first] = [begin(), begin()];
    send(first, "96", isLost);
    send(first, "96");
    expect(first.next).toEqual({ action: "ASK_AGAIN", notBeforeMs: undefined });
    expect(gateway.holdOf(first)).toMatchObject({ subjects: [], attempts: [{ planned: 1 }] });
  });

  test("are those of the card, the amount where the cap says so, and of who starts the payment", () => {
    const { begin } = openHouse(1);
    begin();
    expect(begin({ amountMinor: 6_000 }).plan).toBeUndefined();
    expect(describePlan(begin({ initiator: "MIT" }).plan)).toBe("1 SCHEME_CAP day");
    expect(describePlan(begin({ card: "two" }).plan)).toBe("1 SCHEME_CAP day");
  });

  test("stay as they are where the call is repeated, and no one else is let in", () => {
    const { gateway, begin, send } = openHouse(4);
    const first = begin();
    expect(describePlan(first.plan)).toBe("1 2 SCHEME_CAP day");
    gateway.repeat(first);
    expect(describePlan(first.plan)).toBe("1 2 SCHEME_CAP day");
    send(first, "96", isLost);
    gateway.repeat(first);
    expect(first.next).toEqual({ action: "STEP", step: 2 });
  });
});
