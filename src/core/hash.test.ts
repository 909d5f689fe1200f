import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import hash32Cases from "../../test/cases/hash/hash32.json" with { type: "json" };
import hash128Cases from "../../test/cases/hash/hash128.json" with { type: "json" };
import keyCases from "../../test/cases/hash/idempotency-key.json" with { type: "json" };
import bucketCases from "../../test/cases/hash/rollout-bucket.json" with { type: "json" };
import orderCases from "../../test/cases/hash/weighted-order.json" with { type: "json" };
import { hash32, hash53, hash128, idempotencyKey, rolloutBucket, weightedOrder } from "./hash.ts";

describe("hash32", () => {
  it.each(hash32Cases.cases)("agrees with another implementation: $description", ({ input, want }) => {
    expect(hash32(...input)).toBe(want);
  });

  it("knows the published vectors", () => {
    expect(hash32("test")).toBe(0xba6bd213);
    expect(hash32("Hello, world!")).toBe(0xc0363e43);
    expect(hash32("The quick brown fox jumps over the lazy dog")).toBe(0x2e4ff723);
  });

  it("depends on the UTF-8 form alone, whatever the text", () => {
    const units = fc.string({ unit: "binary", maxLength: 40 });
    fc.assert(
      fc.property(fc.array(units, { minLength: 1, maxLength: 4 }), (fields) => {
        const joined = new TextDecoder().decode(new TextEncoder().encode(fields.join("\0")));
        expect(hash32(...fields)).toBe(hash32(joined));
        expect(hash128(...fields)).toBe(hash128(joined));
      }),
    );
  });

  it("reads a lone surrogate as the replacement character", () => {
    expect(hash32("a\ud800b")).toBe(hash32("a\ufffdb"));
    expect(hash32("a\udc00")).toBe(hash32("a\ufffd"));
  });
});

describe("hash128", () => {
  it.each(hash128Cases.cases)("agrees with another implementation: $description", ({ input, want }) => {
    expect(hash128(...input)).toBe(want);
  });
});

describe("hash53", () => {
  it("is the first 53 bits of hash128, whatever the text and its length", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.constant("\u20ac".repeat(3000)));
    fc.assert(
      fc.property(text, (each) => {
        expect(hash53(each)).toBe(Number(BigInt(`0x${hash128(each).slice(0, 16)}`) >> 11n));
      }),
    );
  });
});

describe("rolloutBucket", () => {
  it.each(bucketCases.cases)("stays where it was: $description", ({ input, want }) => {
    expect(rolloutBucket(input.merchantId, input.salt, input.playerId)).toBe(want);
  });

  it("spreads players evenly over the ten thousand buckets", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const bucket = rolloutBucket("default", "salt", `player-${i}`);
      tenths[Math.floor(bucket / 1000)]! += 1;
    }
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it("draws two rollouts independently", () => {
    let both = 0;
    for (let i = 0; i < 20_000; i++) {
      const player = `player-${i}`;
      if (rolloutBucket("m", "one", player) < 5000 && rolloutBucket("m", "two", player) < 5000) both += 1;
    }
    expect(Math.abs(both - 5000)).toBeLessThan(250);
  });
});

describe("idempotencyKey", () => {
  it.each(keyCases.cases)("stays what it was: $description", ({ input, want }) => {
    expect(idempotencyKey(input)).toBe(want);
  });

  it("is the hash of its fields, whatever key was asked for before", () => {
    const text = fc.oneof(
      fc.constantFrom("a", "b", "a\u{1f600}"),
      fc.constantFrom("x".repeat(400), "x".repeat(1100), "\u00e9".repeat(1500)),
    );
    const attempt = fc.record({
      merchantId: text,
      paymentId: text,
      revision: fc.nat({ max: 1 }),
      attemptId: text,
      psp: text,
    });
    fc.assert(
      fc.property(fc.array(attempt, { minLength: 1, maxLength: 8 }), (attempts) => {
        for (const each of attempts) {
          const { merchantId, paymentId, revision, attemptId, psp } = each;
          expect(idempotencyKey(each)).toBe(hash128(merchantId, paymentId, String(revision), attemptId, psp));
        }
      }),
    );
  });
});

describe("weightedOrder", () => {
  it.each(orderCases.cases)("stays what it was: $description", ({ input, want }) => {
    expect(weightedOrder(input)).toEqual(want);
  });

  const candidates = fc.uniqueArray(
    fc.record({ id: fc.string({ minLength: 1, maxLength: 6 }), weight: fc.nat({ max: 0x7fffffff }) }),
    { selector: (candidate) => candidate.id, maxLength: 32 },
  );
  const naming = { merchantId: "default", strategyId: "weighted" };

  it("draws everyone with a weight once, in whatever order they are given", () => {
    fc.assert(
      fc.property(candidates, fc.string(), (given, paymentId) => {
        const order = weightedOrder({ ...naming, paymentId, candidates: given });
        expect([...order].sort()).toEqual(
          given
            .filter((candidate) => candidate.weight > 0)
            .map((candidate) => candidate.id)
            .sort(),
        );
        expect(weightedOrder({ ...naming, paymentId, candidates: given.toReversed() })).toEqual(order);
      }),
    );
  });

  it("draws the first in proportion to the weights", () => {
    const weights = [
      { id: "a", weight: 60 },
      { id: "b", weight: 30 },
      { id: "c", weight: 10 },
    ];
    const firsts: Record<string, number> = { a: 0, b: 0, c: 0 };
    let bAfterA = 0;
    for (let i = 0; i < 20_000; i++) {
      const order = weightedOrder({ ...naming, paymentId: `pay-${i}`, candidates: weights });
      firsts[order[0]!]! += 1;
      if (order[0] === "a" && order[1] === "b") bAfterA += 1;
    }
    expect(Math.abs(firsts.a! - 12_000)).toBeLessThan(300);
    expect(Math.abs(firsts.b! - 6_000)).toBeLessThan(300);
    expect(Math.abs(firsts.c! - 2_000)).toBeLessThan(200);
    // Without replacement: of the draws that begin with a, b comes second in 30 of 40.
    expect(Math.abs(bAfterA / firsts.a! - 0.75)).toBeLessThan(0.02);
  });
});
