import { convertMinor, formatMoney } from "../money.ts";
import type { Account, AmountRange, Psp } from "../rules/snapshot.ts";
import type { RoutingCase } from "./routing-case.ts";

/** What takes a PSP out of the running, in the order in which it is asked. */
export type PspFilter =
  | "kind"
  | "method"
  | "currency"
  | "amount"
  | "scheme"
  | "country"
  | "issuer_country"
  | "bin"
  | "credential"
  | "account"
  | "three_ds"
  /** An exclude of a rule or a forbid of an override. */
  | "rule"
  /** A require of a rule or a force of an override that does not name it. */
  | "require"
  /** The strategy does not name it. */
  | "strategy"
  /** Disabled in the rule set, draining or disabled at run time. */
  | "state";

/** A filter of what the PSP can do: whether it lets the payment through, and what it compared, for the trace. */
type Filter = {
  readonly name: PspFilter;
  readonly passes: (psp: Psp, payment: RoutingCase) => boolean;
  readonly describe: (psp: Psp, payment: RoutingCase) => string;
};

const filters: readonly Filter[] = [
  {
    name: "kind",
    passes: (psp, { kind }) => psp.kinds.includes(kind),
    describe: (psp, { kind }) => `serves ${psp.kinds.join(", ")}, not ${kind}`,
  },
  {
    name: "method",
    passes: (psp, { method }) => psp.methods.includes(method),
    describe: (psp, { method }) => `serves ${psp.methods.join(", ")}, not ${method}`,
  },
  {
    name: "currency",
    passes: (psp, { currency }) => psp.currencies.length === 0 || psp.currencies.includes(currency),
    describe: (psp, { currency }) => `takes ${psp.currencies.join(", ")}, not ${currency}`,
  },
  { name: "amount", passes: isWithinRange, describe: describeRange },
  {
    name: "scheme",
    passes: (psp, { isCard, scheme, isLenient }) => !isCard || isListed(psp.schemes, scheme, isLenient),
    describe: (psp, { scheme }) => `takes ${psp.schemes.join(", ")}, not ${scheme ?? "an unknown scheme"}`,
  },
  {
    name: "country",
    passes: (psp, { playerCountry, isLenient }) =>
      isListed(psp.countries, playerCountry, isLenient) && !isNamed(psp.excludedCountries, playerCountry),
    describe: (psp, { playerCountry }) => describeCountry(psp.excludedCountries, "player", playerCountry),
  },
  {
    name: "issuer_country",
    passes: (psp, { isCard, issuerCountry, isLenient }) =>
      !isCard ||
      (isListed(psp.issuerCountries, issuerCountry, isLenient) &&
        !isNamed(psp.excludedIssuerCountries, issuerCountry)),
    describe: (psp, { issuerCountry }) =>
      describeCountry(psp.excludedIssuerCountries, "issuer", issuerCountry),
  },
  { name: "bin", passes: isBinTaken, describe: describeBin },
  {
    name: "credential",
    passes: (psp, { isCard, credential }) =>
      !isCard || credential === undefined || psp.credentials.includes(credential),
    describe: (psp, { credential }) => `takes ${psp.credentials.join(", ")}, not ${credential}`,
  },
  {
    name: "account",
    passes: (psp, payment) => psp.accounts.length === 0 || findAccount(psp, payment) !== undefined,
    describe: (_, { brand, licence, currency }) =>
      `no account for brand ${brand || "(none)"}, licence ${licence ?? "(none)"} and ${currency}`,
  },
  {
    name: "three_ds",
    passes: (psp, { needsThreeDs }) => !needsThreeDs || psp.threeDs,
    describe: () => "cannot run 3DS, which this payment needs",
  },
];

/** The first filter that the PSP does not pass, by what it can do; `undefined` where it can take the payment. */
export function findBarrier(psp: Psp, payment: RoutingCase): PspFilter | undefined {
  for (let at = 0; at < filters.length; at++) {
    const filter = filters[at]!;
    if (!filter.passes(psp, payment)) return filter.name;
  }
  return undefined;
}

/** What the filter compared, in English. */
export function describeBarrier(name: PspFilter, psp: Psp, payment: RoutingCase): string {
  return filters.find((filter) => filter.name === name)?.describe(psp, payment) ?? "";
}

/** The merchant account to use: the first that fits. A payment without a brand or licence fits only accounts that name none. */
export function findAccount(psp: Psp, { brand, licence, currency }: RoutingCase): Account | undefined {
  return psp.accounts.find(
    (account) =>
      (account.brands.length === 0 || account.brands.includes(brand)) &&
      (account.licences.length === 0 || (licence !== undefined && account.licences.includes(licence))) &&
      (account.currencies.length === 0 || account.currencies.includes(currency)),
  );
}

/** The range of amounts that counts: the first whose methods include the payment's. */
export function findRange(psp: Psp, method: string): AmountRange | undefined {
  return psp.amounts.find(({ methods }) => methods.length === 0 || methods.includes(method));
}

/** A list of what a PSP takes: empty takes all, and what is unknown is not shown to be on it. */
function isListed(list: readonly string[], value: string | undefined, isLenient: boolean): boolean {
  return list.length === 0 || (value === undefined ? isLenient : list.includes(value));
}

function isNamed(list: readonly string[], value: string | undefined): boolean {
  return list.length > 0 && value !== undefined && list.includes(value);
}

function describeCountry(excluded: readonly string[], whose: string, country: string | undefined): string {
  if (country === undefined) return `country of the ${whose} is unknown`;
  return isNamed(excluded, country)
    ? `refuses ${whose}s of ${country}`
    : `does not take ${whose}s of ${country}`;
}

function isBinTaken(psp: Psp, { isCard, bin, lists, isLenient }: RoutingCase): boolean {
  if (!isCard) return true;
  if (bin === undefined) return psp.binList === undefined || isLenient;
  if (psp.binList !== undefined && !lists[psp.binList]!.has(bin)) return false;
  return psp.excludedBinList === undefined || !lists[psp.excludedBinList]!.has(bin);
}

function describeBin({ binList, excludedBinList }: Psp, { bin, lists }: RoutingCase): string {
  if (bin === undefined) return "takes listed BINs only, and the BIN is unknown";
  const isExcluded = excludedBinList !== undefined && lists[excludedBinList]!.has(bin);
  return isExcluded || binList === undefined
    ? `${bin} is in its excluded BIN list`
    : `${bin} is not in its BIN list`;
}

function isWithinRange(psp: Psp, payment: RoutingCase): boolean {
  if (psp.amounts.length === 0 || payment.amountMinor === undefined) return true;
  const range = findRange(psp, payment.method);
  if (range === undefined) return true;
  const named = range.max?.currencyCode ?? range.min?.currencyCode;
  if (named === undefined) return true;
  const amountMinor = convertTo(payment, named);
  if (amountMinor === undefined) return false;
  return (
    amountMinor >= (range.min?.minorUnits ?? 0) &&
    amountMinor <= (range.max?.minorUnits ?? Number.MAX_SAFE_INTEGER)
  );
}

function describeRange(psp: Psp, payment: RoutingCase): string {
  const { min, max } = findRange(psp, payment.method)!;
  const named = (max ?? min)!.currencyCode;
  const amountMinor = convertTo(payment, named);
  if (amountMinor === undefined) return `no rate from ${payment.currency} to ${named}`;
  const amount = formatMoney({ minorUnits: amountMinor, currencyCode: named });
  const bounds = [min && `from ${formatMoney(min)}`, max && `to ${formatMoney(max)}`];
  return `takes ${bounds.filter((bound) => bound !== undefined).join(" ")}, not ${amount}`;
}

function convertTo({ fx, amountMinor, currency }: RoutingCase, to: string): number | undefined {
  return convertMinor(fx, { amountMinor: amountMinor!, from: currency, to });
}
