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
  /** A limit of the PSP or of its account is used up. */
  | "limit"
  /** The strategy does not name it. */
  | "strategy"
  /** Disabled in the rule set, draining or disabled at run time. */
  | "state"
  | "maintenance"
  /** Its breaker is open, or half-open with no probe for this payment. */
  | "breaker";

/**
 * The first filter that the PSP does not pass, by what it can do; `undefined` where it can take the payment.
 *
 * One after another by hand, because every decision asks this of every PSP.
 */
export function findBarrier(psp: Psp, payment: RoutingCase): PspFilter | undefined {
  if (!psp.kinds.includes(payment.kind)) return "kind";
  if (!psp.methods.includes(payment.method)) return "method";
  if (psp.currencies.length > 0 && !psp.currencies.includes(payment.currency)) return "currency";
  if (!isWithinRange(psp, payment)) return "amount";
  const { isCard, isLenient, playerCountry } = payment;
  if (isCard && !isListed(psp.schemes, payment.scheme, isLenient)) return "scheme";
  if (!isListed(psp.countries, playerCountry, isLenient) || isNamed(psp.excludedCountries, playerCountry)) {
    return "country";
  }
  if (isCard && !isIssuerTaken(psp, payment)) return "issuer_country";
  if (isCard && !isBinTaken(psp, payment)) return "bin";
  const { credential } = payment;
  if (isCard && credential !== undefined && !psp.credentials.includes(credential)) return "credential";
  if (psp.accounts.length > 0 && findAccount(psp, payment) === undefined) return "account";
  if (!psp.threeDs && payment.needsThreeDs(psp)) return "three_ds";
  return undefined;
}

/** What the filter compared, in English. Filters that rules and states put are not described here. */
export function describeBarrier(name: PspFilter, psp: Psp, payment: RoutingCase): string {
  switch (name) {
    case "kind":
      return `serves ${psp.kinds.join(", ")}, not ${payment.kind}`;
    case "method":
      return `serves ${psp.methods.join(", ")}, not ${payment.method}`;
    case "currency":
      return `takes ${psp.currencies.join(", ")}, not ${payment.currency}`;
    case "amount":
      return describeRange(psp, payment);
    case "scheme":
      return `takes ${psp.schemes.join(", ")}, not ${payment.scheme ?? "an unknown scheme"}`;
    case "country":
      return describeCountry(psp.excludedCountries, "player", payment.playerCountry);
    case "issuer_country":
      return describeCountry(psp.excludedIssuerCountries, "issuer", payment.issuerCountry);
    case "bin":
      return describeBin(psp, payment);
    case "credential":
      return `takes ${psp.credentials.join(", ")}, not ${payment.credential}`;
    case "account": {
      const { brand, licence, currency } = payment;
      return `no account for brand ${brand || "(none)"}, licence ${licence ?? "(none)"} and ${currency}`;
    }
    case "three_ds":
      return "cannot run 3DS, which this payment needs";
    case "rule":
    case "require":
    case "limit":
    case "strategy":
    case "state":
    case "maintenance":
    case "breaker":
      return "";
  }
}

function isIssuerTaken(psp: Psp, { issuerCountry, isLenient }: RoutingCase): boolean {
  return (
    isListed(psp.issuerCountries, issuerCountry, isLenient) &&
    !isNamed(psp.excludedIssuerCountries, issuerCountry)
  );
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

function isBinTaken(psp: Psp, { bin, lists, isLenient }: RoutingCase): boolean {
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
  if (psp.amounts.length === 0) return true;
  const range = findRange(psp, payment.method);
  if (range === undefined) return true;
  const named = range.max?.currencyCode ?? range.min?.currencyCode;
  if (named === undefined) return true;
  // Before an amount is chosen it can still be known that none can be held against the range.
  if (payment.amountMinor === undefined) return hasRate(payment, named);
  const amountMinor = convertTo(payment, named);
  if (amountMinor === undefined) return false;
  return (
    amountMinor >= (range.min?.minorUnits ?? 0) &&
    amountMinor <= (range.max?.minorUnits ?? Number.MAX_SAFE_INTEGER)
  );
}

function hasRate({ fx, currency }: RoutingCase, to: string): boolean {
  return currency === to || fx.ratio(currency, to) !== undefined;
}

function describeRange(psp: Psp, payment: RoutingCase): string {
  const { min, max } = findRange(psp, payment.method)!;
  const named = (max ?? min)!.currencyCode;
  const amountMinor = hasRate(payment, named) ? convertTo(payment, named) : undefined;
  if (amountMinor === undefined) return `no rate from ${payment.currency} to ${named}`;
  const amount = formatMoney({ minorUnits: amountMinor, currencyCode: named });
  const bounds = [min && `from ${formatMoney(min)}`, max && `to ${formatMoney(max)}`];
  return `takes ${bounds.filter((bound) => bound !== undefined).join(" ")}, not ${amount}`;
}

function convertTo({ fx, amountMinor, currency }: RoutingCase, to: string): number | undefined {
  return convertMinor(fx, { amountMinor: amountMinor!, from: currency, to });
}
