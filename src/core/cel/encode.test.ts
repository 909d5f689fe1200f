import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryExpr, arbitraryFrame } from "../../../test/helpers/arbitrary-expr.ts";
import { encodeExprs, openExprs, transferList } from "./encode.ts";
import type { Expr } from "./expr.ts";
import { buildPredicate } from "./predicate.ts";

const currency: Expr = {
  op: "compare",
  type: "bool",
  how: "eq",
  left: { op: "slot", type: "string", slot: 0 },
  right: { op: "const", type: "string", value: "EUR" },
};
const vip: Expr = { op: "segment", type: "bool", segment: 1 };

describe("encodeExprs", () => {
  it("gives back what was encoded, with the same truth", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryExpr("bool", 3), { minLength: 1, maxLength: 5 }),
        arbitraryFrame,
        (exprs, frame) => {
          const opened = openExprs(encodeExprs(exprs));
          expect(opened.count).toBe(exprs.length);
          for (const [root, expr] of exprs.entries()) {
            expect(opened.expr(root)).toStrictEqual(expr);
            expect(opened.predicate(root)(frame)).toBe(buildPredicate(expr)(frame));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("gives back NaN, both zeros, astral text and a byte-order mark", () => {
    const values = [Number.NaN, 0, -0, Number.NaN, -0, 0.5];
    const texts = ["", "\uFEFFEUR", "\u{1F600}", "å", "", "\uFEFF"];
    const exprs: Expr[] = [
      { op: "listConst", type: { list: "double" }, values },
      { op: "listConst", type: { list: "string" }, values: texts },
      { op: "listConst", type: { list: "bool" }, values: [true, false] },
    ];
    const opened = openExprs(encodeExprs(exprs));
    expect([0, 1, 2].map((root) => opened.expr(root))).toStrictEqual(exprs);
  });

  it("stores equal parts once", () => {
    const both: Expr = { op: "and", type: "bool", args: [currency, vip] };
    const alone = encodeExprs([both]);
    const copies = encodeExprs([both, structuredClone(both), structuredClone(currency)]);
    expect(copies.words).toStrictEqual(alone.words);
    expect(copies.roots[0]).toBe(copies.roots[1]);
  });

  it("survives a transfer to another thread", () => {
    const encoded = encodeExprs([currency, vip]);
    const received = structuredClone(encoded, { transfer: transferList(encoded) });
    expect(encoded.words.byteLength).toBe(0);
    expect(openExprs(received).expr(0)).toStrictEqual(currency);
  });
});

describe("openExprs", () => {
  it("shares one closure between equal conditions", () => {
    const opened = openExprs(encodeExprs([currency, vip, structuredClone(currency)]));
    expect(opened.predicate(2)).toBe(opened.predicate(0));
    expect(opened.predicate(1)).not.toBe(opened.predicate(0));
    expect(opened.expr(2)).toBe(opened.expr(0));
  });

  it("takes a condition that is not there for a bug", () => {
    expect(() => openExprs(encodeExprs([vip])).predicate(1)).toThrow("no condition 1 among 1");
  });
});
