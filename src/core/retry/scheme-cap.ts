/** How often the schemes let a card be tried, as data (`SEMANTICS.md` 4.6). */

/** How often a scheme lets a card be tried (`SEMANTICS.md` 4.6, `DOMAIN.md` 1.3, 1.5): refused from `declines` on. CIT and MIT are counted apart. */
export type SchemeCap = {
  readonly id: string;
  readonly scheme: string;
  readonly windowMs: number;
  readonly key: "CARD" | "CARD_AMOUNT";
  readonly declines: number;
  readonly resetOnApproval: boolean;
  readonly fromMs: number | undefined;
};

const hour = 3_600_000;
const day = 24 * hour;

/** A cap of the house, with the key of its source in `DOMAIN.md` 8. */
type HouseCap = SchemeCap & { readonly source: string };

/**
 * The caps that count where a rule set has none. Visa counts reattempts, so the first try comes on top: 20 of them are 21 declines. Windows roll, which is
 * the safe superset of what some processors read as calendar days.
 *
 * Source: `DOMAIN.md` 1.3 and 1.5, read on 2026-11-22.
 */
export const houseSchemeCaps: readonly HouseCap[] = [
  {
    id: "mastercard-24h",
    scheme: "mastercard",
    windowMs: 24 * hour,
    key: "CARD",
    declines: 10,
    resetOnApproval: true,
    fromMs: undefined,
    source: "A5, A16",
  },
  {
    id: "mastercard-30d",
    scheme: "mastercard",
    windowMs: 30 * day,
    key: "CARD_AMOUNT",
    declines: 35,
    resetOnApproval: true,
    fromMs: undefined,
    source: "B8, B7, A5",
  },
  {
    id: "visa-30d-before-2025-05-25",
    scheme: "visa",
    windowMs: 30 * day,
    key: "CARD_AMOUNT",
    declines: 16,
    resetOnApproval: true,
    fromMs: undefined,
    source: "A2, A10, A12",
  },
  {
    id: "visa-30d",
    scheme: "visa",
    windowMs: 30 * day,
    key: "CARD_AMOUNT",
    declines: 21,
    resetOnApproval: true,
    fromMs: Date.UTC(2025, 4, 25),
    source: "A7, A5, A6",
  },
];

/**
 * The caps of a scheme that count at an instant. Of caps over the same window and key the one that began last stands in the place of those before it;
 * where several began at once all count.
 */
export function pickCaps(caps: readonly SchemeCap[], scheme: string, nowMs: number): readonly SchemeCap[] {
  const begun = caps.filter((cap) => cap.scheme === scheme && beganAt(cap) <= nowMs);
  return begun.filter(
    (cap) =>
      !begun.some(
        (other) => other.key === cap.key && other.windowMs === cap.windowMs && beganAt(other) > beganAt(cap),
      ),
  );
}

function beganAt({ fromMs }: SchemeCap): number {
  return fromMs ?? Number.NEGATIVE_INFINITY;
}

/** `pickCaps` of one list, remembered per scheme until another cap begins. */
export function createCapPicker(
  caps: readonly SchemeCap[],
): (scheme: string, nowMs: number) => readonly SchemeCap[] {
  const known = new Map<string, { readonly caps: readonly SchemeCap[]; fromMs: number; untilMs: number }>();
  const begins = caps.map(beganAt).sort((a, b) => a - b);
  const schemes = new Set(caps.map(({ scheme }) => scheme));
  return (scheme, nowMs) => {
    if (!schemes.has(scheme)) return noCaps;
    let picked = known.get(scheme);
    if (picked === undefined || nowMs < picked.fromMs || nowMs >= picked.untilMs) {
      const fromMs = begins.findLast((at) => at <= nowMs) ?? Number.NEGATIVE_INFINITY;
      const untilMs = begins.find((at) => at > nowMs) ?? Number.POSITIVE_INFINITY;
      picked = { caps: pickCaps(caps, scheme, nowMs), fromMs, untilMs };
      known.set(scheme, picked);
    }
    return picked.caps;
  };
}

const noCaps: readonly SchemeCap[] = [];
