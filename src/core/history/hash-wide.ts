import { hash53 } from "../hash.ts";

/**
 * What stands for a text in a wide place of a row: an integer of 53 bits, the same in every process and for ever, because rows are kept on disk.
 *
 * Equal texts are equal numbers; two different ones meet with a chance of 2^-53. It is no secret: texts with few values can be guessed from it.
 */
export function hashWide(text: string): number {
  return hash53(text);
}
