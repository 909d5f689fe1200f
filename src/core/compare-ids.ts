/**
 * Orders ids as all listings of players do: by code points, as the bytes of their UTF-8 order; those that are no well-formed UTF-16 come last, by
 * the bytes of their UTF-16 with the lower one first.
 *
 * Negative where `a` comes before `b`.
 */
export function compareIds(a: string, b: string): number {
  const isWellFormed = a.isWellFormed();
  if (isWellFormed !== b.isWellFormed()) return isWellFormed ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const unitA = a.charCodeAt(at);
    const unitB = b.charCodeAt(at);
    if (unitA === unitB) continue;
    return isWellFormed ? rankUnit(unitA) - rankUnit(unitB) : swapBytes(unitA) - swapBytes(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points behind all others. */
function rankUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function swapBytes(unit: number): number {
  return ((unit & 0xff) << 8) | (unit >> 8);
}
