import { expect, it } from "vitest";
import { normaliseScheme } from "./card-scheme.ts";

it.each([
  ["visa", "visa"],
  ["VISA", "visa"],
  [" Master Card ", "mastercard"],
  ["American Express", "amex"],
  ["Diners Club International", "diners"],
  ["China Union-Pay", "unionpay"],
  ["Visa Electron", "visa"],
  ["Naranja", "naranja"],
  ["Ünïon", "ünïon"],
])("calls %j %j", (name, want) => {
  expect(normaliseScheme(name)).toBe(want);
});

it("has no name for nothing", () => {
  expect(normaliseScheme("")).toBeUndefined();
  expect(normaliseScheme(" - ")).toBeUndefined();
});
