/** What stored records are made of, at random. */
import fc from "fast-check";

/** Objects as the code makes them: with the prototype of objects. */
export function record<T>(members: { [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<T> {
  return fc.record<T>(members, { noNullPrototype: true });
}

export const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.constantFrom("", "__proto__", "\u0000", "a".repeat(300)),
);
export const instant = fc.integer({ min: 0, max: 4_102_444_800_000 });
export const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, 2 ** 32, -(2 ** 31) - 1, Number.POSITIVE_INFINITY),
);
export const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
export const texts = fc.array(text, { maxLength: 3 });
export const list = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { maxLength: 3 });
