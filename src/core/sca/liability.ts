/**
 * Who bears the liability for fraud (`DOMAIN.md` 2.2): by electronic commerce indicator and scheme.
 *
 * Mastercard's 06 and 07 do not mean what those of the others mean. A shift covers fraud reasons only, and none is promised for gambling with cards of the
 * US.
 */
import type { Step } from "../decision.ts";
import type { ThreeDsResult } from "../payment.ts";

/** What an indicator says of one family of schemes. */
type EciRow = {
  readonly schemes: readonly string[];
  readonly eci: string;
  readonly meaning: string;
  readonly shifts: boolean;
  readonly origin: string;
};

const visaLike = ["visa", "amex", "jcb", "diners", "unionpay"];
const mastercardLike = ["mastercard", "maestro"];

export const eciTable: readonly EciRow[] = [
  row(visaLike, "05", "authenticated", true, "E4, E5"),
  row(visaLike, "06", "attempt or stand-in", true, "E4, E5"),
  row(visaLike, "07", "none, failed, data only, exempt or out of scope", false, "E4; exempt [gk]"),
  row(mastercardLike, "00", "none or failed", false, "E4"),
  row(mastercardLike, "01", "attempt or stand-in", true, "E4, E5"),
  row(mastercardLike, "02", "authenticated", true, "E4, E5"),
  row(mastercardLike, "04", "data only", false, "E4, E6"),
  row(mastercardLike, "06", "exempt or out of scope", false, "E4"),
  row(mastercardLike, "07", "recurring, authenticated", true, "E4"),
];

const byKey: ReadonlyMap<string, EciRow> = new Map(
  eciTable.flatMap((each) => each.schemes.map((scheme) => [`${scheme} ${each.eci}`, each] as const)),
);

/** The card, as far as liability asks. */
export type LiableCard = {
  /** Canonical, lower case. */
  readonly scheme: string | undefined;
  readonly issuerCountry: string | undefined;
  /** Whether it is prepaid, and whether more money can be put on it. */
  readonly isPrepaid: boolean | undefined;
  readonly isReloadable: boolean | undefined;
};

/**
 * Whether liability shifts to the issuer by what 3DS came to.
 *
 * Without a cryptogram in the authorisation there is no shift, whatever the indicator, nor without an authentication or an attempt. UNKNOWN where scheme or
 * indicator are not known, where nothing is promised (issuers of the US), and for an attempt with a prepaid Visa of which nobody says whether it can
 * be reloaded.
 */
export function judgeShift(result: ThreeDsResult, card: LiableCard): Step["liabilityShift"] {
  const { eci, hasCryptogram, transStatus = "Y" } = result;
  const known = eci === undefined ? undefined : byKey.get(`${card.scheme} ${eci}`);
  const isDone = transStatus === "Y" || transStatus === "A";
  if (!isDone || !hasCryptogram || known?.shifts === false) return "NOT_EXPECTED";
  if (known === undefined || card.issuerCountry === "US") return "UNKNOWN";
  return card.scheme === "visa" && known.eci === "06" ? judgeVisaAttempt(card) : "EXPECTED";
}

/** Not for prepaid cards that can't be reloaded. */
function judgeVisaAttempt({ isPrepaid, isReloadable }: LiableCard): Step["liabilityShift"] {
  if (isPrepaid === false || isReloadable === true) return "EXPECTED";
  if (isReloadable === false) return "NOT_EXPECTED";
  return isPrepaid === true ? "UNKNOWN" : "EXPECTED";
}

function row(
  schemes: readonly string[],
  eci: string,
  meaning: string,
  shifts: boolean,
  origin: string,
): EciRow {
  return { schemes, eci, meaning, shifts, origin };
}
