import { greatestMinorWithin } from "./amount-bound.ts";
import type { Experience } from "./decision.ts";
import { convertMinor, type FxRates } from "./money.ts";
import type { Money } from "./payment.ts";
import { type Reason, sortReasons } from "./reason.ts";
import { findRange } from "./routing/eligibility.ts";
import type { ExperienceFacet } from "./rules/facets/experience.ts";
import type { Psp } from "./rules/snapshot.ts";
import { makeSpeakerReason } from "./rules/speaker.ts";

/** What can be said of one method for this player now. */
export type MethodSurvey = {
  readonly method: string;
  /** Why it cannot be used; empty where it can. */
  readonly obstacles: readonly Reason[];
  /** The greatest amount that a PSP takes and no cap forbids, in minor units; `undefined` where nothing bounds it. */
  readonly maxMinor: number | undefined;
};

const hiddenReasonsMax = 8;
const amountsMax = 16;

/**
 * What the cashier shows (`SEMANTICS.md` 3.2): methods in the order of the rules, those that they do not name by name after them; hidden are
 * those that a rule hides and those that cannot be used. Amounts are in the currency asked, cut to the smallest cap, none twice.
 */
export function buildExperience(input: {
  readonly facet: ExperienceFacet;
  readonly surveys: readonly MethodSurvey[];
  readonly capMinor: number | undefined;
  readonly currency: string;
  readonly fx: FxRates;
}): Experience {
  const { facet, surveys, currency } = input;
  const hidden = new Map<string, readonly Reason[]>();
  for (const [method, speaker] of facet.hiddenBy) {
    hidden.set(method, [makeSpeakerReason(speaker, "METHOD_HIDDEN", `rule ${speaker.id} hides ${method}`)]);
  }
  for (const { method, obstacles } of surveys) {
    if (obstacles.length > 0) hidden.set(method, sortReasons([...(hidden.get(method) ?? []), ...obstacles]));
  }
  const shown = surveys.filter(({ method }) => !hidden.has(method));
  return {
    methods: orderMethods(shown, facet.methodOrder).map(({ method, maxMinor }) => ({
      method,
      maxAmount: maxMinor === undefined ? undefined : { minorUnits: maxMinor, currencyCode: currency },
    })),
    hiddenMethods: [...hidden]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([method, reasons]) => ({ method, reasons: reasons.slice(0, hiddenReasonsMax) })),
    amounts: listAmounts(input),
    messageKeys: facet.messageKeys,
  };
}

function orderMethods(shown: readonly MethodSurvey[], order: readonly string[]): readonly MethodSurvey[] {
  const placeOf = ({ method }: MethodSurvey): number => {
    const place = order.indexOf(method);
    return place < 0 ? order.length : place;
  };
  return shown.toSorted((a, b) => placeOf(a) - placeOf(b) || (a.method < b.method ? -1 : 1));
}

/** An amount in a currency to which no rate leads is left out: nobody could say what it is. */
function listAmounts({
  facet,
  capMinor,
  currency,
  fx,
}: Pick<Parameters<typeof buildExperience>[0], "facet" | "capMinor" | "currency" | "fx">): readonly Money[] {
  const amounts = new Set<number>();
  for (const { minorUnits, currencyCode } of facet.amounts) {
    const amount = convertMinor(fx, { amountMinor: minorUnits, from: currencyCode, to: currency });
    const cut = Math.min(amount ?? 0, capMinor ?? Number.POSITIVE_INFINITY);
    if (cut > 0) amounts.add(cut);
  }
  return [...amounts].slice(0, amountsMax).map((minorUnits) => ({ minorUnits, currencyCode: currency }));
}

/** Those of the PSPs that take some amount which is not above the cap: one may start above it. */
export function findServing(
  psps: readonly Psp[],
  method: string,
  {
    currency,
    fx,
    capMinor,
  }: { readonly currency: string; readonly fx: FxRates; readonly capMinor: number | undefined },
): readonly Psp[] {
  if (capMinor === undefined) return psps;
  return psps.filter((psp) => {
    const min = findRange(psp, method)?.min;
    if (min === undefined || min.minorUnits <= 1) return capMinor >= 1;
    const below = greatestMinorWithin(fx, { ...min, minorUnits: min.minorUnits - 1 }, currency);
    return below !== undefined && below < capMinor;
  });
}

/**
 * The greatest amount that one of the PSPs takes, held to the cap; `undefined` where neither bounds it. A PSP whose range has no rate to the
 * currency takes nothing.
 */
export function findGreatest(
  psps: readonly Psp[],
  method: string,
  {
    currency,
    fx,
    capMinor,
  }: { readonly currency: string; readonly fx: FxRates; readonly capMinor: number | undefined },
): number | undefined {
  let greatest: number | undefined = 0;
  for (const psp of psps) {
    const max = findRange(psp, method)?.max;
    if (max === undefined) {
      greatest = undefined;
      break;
    }
    greatest = Math.max(greatest, greatestMinorWithin(fx, max, currency) ?? 0);
  }
  if (greatest === undefined) return capMinor;
  return capMinor === undefined ? greatest : Math.min(greatest, capMinor);
}
