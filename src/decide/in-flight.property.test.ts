import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileForTest } from "../../test/helpers/compile.ts";
import {
  type Asked,
  CrossingGateway,
  type Fate,
  type Flow,
  type Mail,
} from "../../test/helpers/crossing-gateway.ts";
import { countRuns } from "../../test/helpers/property-runs.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";

/** Payments of one card that cross each other: whatever the order of what is asked, sent, told, lost and late, the issuer sees no attempt beyond a cap. */

const minute = 60_000;
const day = 24 * 60 * minute;
const windowMs = 2 * day;
const startMs = Date.UTC(2026, 10, 16, 12);

type Cap = { readonly key: "CARD" | "CARD_AMOUNT"; readonly declines: number };
type World = {
  readonly maxAttempts: number;
  readonly caps: readonly Cap[];
  readonly isLimited: boolean;
  readonly takesProof: boolean;
};

const ids = ["alpha", "bravo", "coral", "delta"];

function compileWorld({ maxAttempts, caps, isLimited, takesProof }: World): RuleSnapshot {
  const limit = {
    id: "month",
    class: "RISK",
    on_unknown: "APPLY",
    measure: "GROSS",
    window: { rolling: "720h" },
    thresholds: [{ amount: { minor_units: 100_000_000, currency_code: "EUR" } }],
  };
  return compileForTest(
    JSON.stringify({
      name: "t",
      psps: ids.map((id) => ({
        id,
        methods: ["card"],
        acquirer_country: "US",
        sca: { takes_proof: takesProof },
      })),
      rules: [
        {
          id: "order",
          class: "DEFAULT",
          effects: { strategy: { priority: { psps: ids } }, retry_policy: "own" },
        },
      ],
      retry_policies: [{ id: "own", max_attempts: maxAttempts }],
      limits: isLimited ? [limit] : [],
      scheme_caps: caps.map((cap, at) => ({ id: `cap-${at}`, scheme: "visa", window: "172800s", ...cap })),
    }),
  );
}

const house = new CrossingGateway(
  compileWorld({ maxAttempts: 1, caps: [], isLimited: false, takesProof: false }),
  startMs,
);
let runs = 0;

/** Sends the step if the gateway would, and holds it against the issuer's count. */
function send(flow: Flow, { caps }: World, fate: Fate, mail: Mail): void {
  house.nowMs += 1;
  // Where a plan has come to its end the player goes on.
  if (house.findStep(flow) === undefined) house.decide(flow);
  const step = house.findStep(flow);
  if (step === undefined) return;
  for (const { key, declines } of caps)
    expect(house.countSeen(flow.asked, key, windowMs), "attempts beyond a cap").toBeLessThan(declines);
  house.send(flow, step, fate, mail);
}

const world: fc.Arbitrary<World> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 6 }),
  caps: fc.array(
    fc.record({
      key: fc.constantFrom("CARD" as const, "CARD_AMOUNT" as const),
      declines: fc.integer({ min: 1, max: 7 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  isLimited: fc.boolean(),
  takesProof: fc.boolean(),
});

/** Compiling takes far longer than deciding, so some worlds serve many runs. */
const worlds = fc.sample(world, countRuns(30)).map((told) => [told, compileWorld(told)] as const);

type Act =
  | { readonly does: "decide" }
  | { readonly does: "repeat" }
  | { readonly does: "send"; readonly fate: Fate; readonly mail: Mail }
  | { readonly does: "catch up"; readonly isReversed: boolean }
  | { readonly does: "wait"; readonly forMs: number };

const fates: fc.Arbitrary<Fate> = fc.oneof(
  { arbitrary: fc.constantFrom<Fate>("05", "96", "96", "96", "91"), weight: 8 },
  { arbitrary: fc.constantFrom<Fate>("refused", "timeout-declined"), weight: 2 },
  fc.constantFrom<Fate>("approved", "timeout-approved"),
);
const mails: fc.Arbitrary<Mail> = fc.record({
  post: fc.constantFrom("arrives", "arrives", "is lost", "answer is lost"),
  isDated: fc.boolean(),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { arbitrary: fc.record({ does: fc.constant("send" as const), fate: fates, mail: mails }), weight: 16 },
  { arbitrary: fc.constant<Act>({ does: "decide" }), weight: 3 },
  fc.constant<Act>({ does: "repeat" }),
  { arbitrary: fc.record({ does: fc.constant("catch up" as const), isReversed: fc.boolean() }), weight: 4 },
  fc.record({
    does: fc.constant("wait" as const),
    forMs: fc.constantFrom(minute, minute, minute, 16 * minute, 31 * minute, day, 2 * day),
  }),
);

const asked: fc.Arbitrary<Asked> = fc.record({
  card: fc.constantFrom("one", "one", "one", "two"),
  amountMinor: fc.constantFrom(2_000, 2_000, 9_000),
  initiator: fc.constantFrom("CIT", "CIT", "CIT", "MIT"),
});

function perform(flow: Flow, told: World, act: Act): void {
  house.nowMs += 1;
  if (act.does === "decide") house.decide(flow);
  else if (act.does === "repeat") house.repeat(flow);
  else if (act.does === "send") send(flow, told, act.fate, act.mail);
  else if (act.does === "catch up") house.catchUp(flow, act.isReversed);
  else house.nowMs += act.forMs;
}

function begin(all: readonly Asked[], snapshot: RuleSnapshot, before: readonly Flow[]): readonly Flow[] {
  const run = runs++;
  house.reset(snapshot, startMs, before);
  return all.map((each) => house.open({ ...each, card: `${each.card}-${run}` }));
}

const cases = countRuns(1_000);

describe("payments of one card side by side", () => {
  test(
    "SEMANTICS 4.6: send no attempt beyond a cap, whatever crosses, is lost or comes late",
    () => {
      let flows: readonly Flow[] = [];
      fc.assert(
        fc.property(
          fc.nat(worlds.length - 1),
          fc.array(asked, { minLength: 2, maxLength: 8 }),
          fc.array(fc.tuple(fc.nat(7), act), { minLength: 20, maxLength: 80, size: "max" }),
          (at, all, acts) => {
            const [told, snapshot] = worlds[at]!;
            flows = begin(all, snapshot, flows);
            for (const flow of flows) house.decide(flow);
            for (const [which, each] of acts) perform(flows[which % flows.length]!, told, each);
          },
        ),
        { numRuns: cases },
      );
    },
    Math.max(60_000, cases * 20),
  );

  const orders = [
    { flows: 2, deeds: 5, declines: 3, maxAttempts: 4 },
    { flows: 3, deeds: 3, declines: 2, maxAttempts: 2 },
    { flows: 3, deeds: 3, declines: 3, maxAttempts: 3 },
  ];
  test.each(orders)(
    "in every order of $flows payments that do $deeds things each, with $declines left",
    (told) => {
      const { flows: count, deeds, declines, maxAttempts } = told;
      const small: World = {
        maxAttempts,
        caps: [{ key: "CARD", declines }],
        isLimited: false,
        takesProof: true,
      };
      const snapshot = compileWorld(small);
      let flows: readonly Flow[] = [];
      let most = 0;
      for (const post of ["arrives", "is lost", "answer is lost"] as const) {
        for (const order of listOrders(new Array(count).fill(deeds))) {
          flows = begin(new Array(count).fill(plain), snapshot, flows);
          for (const which of order) {
            const flow = flows[which]!;
            if (flow.revision < 0) house.decide(flow);
            else if (house.findStep(flow) !== undefined) send(flow, small, "96", { post, isDated: true });
            else house.catchUp(flow, false);
          }
          most = Math.max(most, house.countSeen(flows[0]!.asked, "CARD", windowMs));
        }
      }
      // The cap is reached, too: what is held is no more than it has to be.
      expect(most).toBe(declines);
    },
  );
});

const plain: Asked = { card: "one", amountMinor: 2_000, initiator: "CIT" };

/** Every order in which each of so many does its things. */
function* listOrders(left: readonly number[]): Generator<readonly number[]> {
  if (left.every((count) => count === 0)) yield [];
  for (const [which, count] of left.entries()) {
    if (count === 0) continue;
    for (const rest of listOrders(left.with(which, count - 1))) yield [which, ...rest];
  }
}
