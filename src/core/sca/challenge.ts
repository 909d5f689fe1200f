/**
 * EMV 3DS challenge indicators (threeDSRequestorChallengeInd) by protocol version: an older version does not know the later ones.
 *
 * Source: `DOMAIN.md` 2.2 (E1; versions [gk]).
 */

/** An indicator: which version brought it, and what says the same, as firmly at least, in versions before. */
type Indicator = {
  readonly code: string;
  readonly meaning: string;
  readonly since: string;
  /** Itself where every version knows it. */
  readonly before: string;
};

export const challengeIndicators: readonly Indicator[] = [
  { code: "01", meaning: "no preference", since: "2.1.0", before: "01" },
  { code: "02", meaning: "no challenge", since: "2.1.0", before: "02" },
  { code: "03", meaning: "challenge: preference", since: "2.1.0", before: "03" },
  { code: "04", meaning: "challenge: mandate", since: "2.1.0", before: "04" },
  { code: "05", meaning: "no challenge: risk analysis done", since: "2.2.0", before: "02" },
  { code: "06", meaning: "data share only", since: "2.2.0", before: "02" },
  { code: "07", meaning: "no challenge: SCA already done", since: "2.2.0", before: "02" },
  { code: "08", meaning: "no challenge: trust list", since: "2.2.0", before: "02" },
  { code: "09", meaning: "challenge: with trust-list prompt", since: "2.2.0", before: "03" },
  { code: "10", meaning: "no challenge: low value", since: "2.3.0", before: "02" },
  { code: "11", meaning: "no challenge: secure corporate", since: "2.3.0", before: "02" },
  { code: "12", meaning: "challenge: device binding", since: "2.3.1", before: "03" },
  { code: "13", meaning: "challenge: the issuer asked for it", since: "2.3.1", before: "03" },
  { code: "14", meaning: "challenge: payments of the merchant are set up", since: "2.3.1", before: "04" },
];

/** What both sides run where nobody says. */
const usualVersion = 20_200;

/** Versions that were read: those that calls and rule sets may name are few thousands at most. */
const numbers = new Map<string, number>();

const byCode: ReadonlyMap<string, Indicator & { readonly sinceNumber: number }> = new Map(
  challengeIndicators.map((each) => [each.code, { ...each, sinceNumber: numberVersion(each.since) }]),
);

/** The older of the versions that PSP and caller run, as a number; 2.2.0 where one does not say. */
export function meetVersions(psp: string | undefined, caller: string | undefined): number {
  return Math.min(numberVersion(psp), numberVersion(caller));
}

/** The indicator that says in this version what is meant; itself where the version knows it. */
export function fitIndicator(indicator: string, version: number): string {
  const known = byCode.get(indicator);
  return known === undefined || version >= known.sinceNumber ? indicator : known.before;
}

/** `2.3.1` as 20,301; the usual one where it is none. */
function numberVersion(version: string | undefined): number {
  if (version === undefined) return usualVersion;
  const known = numbers.get(version);
  if (known !== undefined) return known;
  const parts = /^(\d{1,2})\.(\d{1,2})(?:\.(\d{1,2}))?$/.exec(version);
  if (parts === null) return usualVersion;
  const number = Number(parts[1]) * 10_000 + Number(parts[2]) * 100 + Number(parts[3] ?? 0);
  numbers.set(version, number);
  return number;
}
