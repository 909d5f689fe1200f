/**
 * Orders two strings by Unicode code point, as CEL has it: below 0 where `left` comes first, 0 where equal, above 0 otherwise.
 * (JavaScript's `<` orders by UTF-16 unit, which puts U+1F600 before U+FF5E.) Well-formed strings are assumed.
 */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    if (left.charCodeAt(index) !== right.charCodeAt(index)) {
      return left.codePointAt(index)! - right.codePointAt(index)!;
    }
  }
  return left.length - right.length;
}

/** How many code points a string holds. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    // Only the second half of a surrogate pair does not start a code point.
    const isPair = text.codePointAt(index)! > 0xffff;
    if (isPair) {
      count--;
      index++;
    }
  }
  return count;
}
