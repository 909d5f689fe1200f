/**
 * What response codes of the card networks mean for the next step: the default table, as data.
 *
 * Codes are text of two characters, for the leading zero counts; advice codes and PSP codes are not in it.
 * Source: `DOMAIN.md` 1.2 to 1.5, whose keys [A1] to [D10] and [gk] (general knowledge, unverified) stand in `source`.
 */
import { hash128 } from "../hash.ts";
import type { OutcomeClass } from "./outcome-class.ts";

/** What one code means. */
export type CodeTableEntry = {
  /** Canonical scheme in lower case; absent where the code means the same for all. */
  readonly scheme?: string;
  readonly code: string;
  readonly outcomeClass: OutcomeClass;
  /**
   * True where the row holds only for an attempt whose card and acquirer are both in the SCA zone and that had no challenge; elsewhere the
   * next most specific row speaks.
   */
  readonly scaZoneOnly?: true;
  readonly meaning: string;
  readonly source: string;
  /** First month or day on which the networks use the code, where the source tells. */
  readonly from?: string;
};

/** Day on which the facts of the table were read. */
const readOn = "2026-11-22";

const lists = "A1-A5, A9, A14, A15";

type Details = Partial<Pick<CodeTableEntry, "scheme" | "scaZoneOnly" | "source" | "from">>;

function rows(
  outcomeClass: OutcomeClass,
  codes: readonly string[],
  meaning: string,
  details: Details = {},
): CodeTableEntry[] {
  return codes.map((code) => ({ code, outcomeClass, meaning, source: lists, ...details }));
}

const generalKnowledge = { source: "gk" };
const visaOnly = { scheme: "visa" };
const mastercardOnly = {
  scheme: "mastercard",
  source: "B5, B6; B13 for doing nothing without an advice code",
};

/** Every entry, sorted by scheme and code; those for all schemes come first. */
export const codeTable: readonly CodeTableEntry[] = [
  ...rows("APPROVED", ["00"], "approved"),
  ...rows("APPROVED", ["11"], "approved, VIP"),
  ...rows("PARTIAL", ["10"], "approved for a part of the amount", { source: "A15" }),

  ...rows("HARD", ["04", "07"], "pick up the card"),
  ...rows("HARD", ["12"], "invalid transaction"),
  ...rows("HARD", ["14"], "invalid account number"),
  ...rows("HARD", ["15"], "no such issuer"),
  ...rows("HARD", ["33"], "pick up the card, expired"),
  ...rows("HARD", ["34"], "pick up the card, suspected fraud"),
  ...rows("HARD", ["39"], "no credit account"),
  ...rows("HARD", ["41"], "lost card"),
  ...rows("HARD", ["43"], "stolen card"),
  ...rows("HARD", ["45", "46"], "closed account"),
  ...rows("HARD", ["52"], "no cheque account"),
  ...rows("HARD", ["53"], "no savings account"),
  ...rows("HARD", ["57"], "not permitted to the cardholder; how issuers block gambling"),
  ...rows("HARD", ["62"], "restricted card"),
  ...rows("HARD", ["93"], "violation of law"),
  ...rows("HARD", ["5C"], "blocked by the issuer for this range or by rule", { from: "2025-04" }),
  ...rows("HARD", ["9G"], "blocked by the cardholder's own control", { from: "2025-04" }),
  ...rows("HARD", ["Q1"], "card authentication failed"),
  ...rows("HARD", ["R0"], "stop this payment"),
  ...rows("HARD", ["R1"], "this agreement is revoked"),
  ...rows("HARD", ["R3"], "all agreements are revoked"),
  ...rows("HARD", ["79"], "life cycle; tells more with an advice code", mastercardOnly),
  ...rows("HARD", ["82"], "policy; tells more with an advice code", mastercardOnly),
  ...rows("HARD", ["83"], "fraud or security; tells more with an advice code", mastercardOnly),

  ...rows("DATA", ["13"], "invalid amount"),
  ...rows("DATA", ["54"], "expired card"),
  ...rows("DATA", ["55"], "wrong PIN"),
  ...rows("DATA", ["63"], "security violation"),
  ...rows("DATA", ["82"], "the CAM or CVV is wrong", visaOnly),
  ...rows("DATA", ["6P"], "verification of identity data failed"),
  ...rows("DATA", ["N7"], "the CVV2 does not match"),
  ...rows("DATA", ["N8"], "amount over the pre-authorised one"),
  ...rows("DATA", ["Z5"], "amount not supported"),

  ...rows("SCA", ["1A"], "additional authentication required"),
  ...rows(
    "SCA",
    ["65"],
    "strong customer authentication required, where card and acquirer are in its zone and there was no challenge",
    {
      scheme: "mastercard",
      scaZoneOnly: true,
      source: "A15; the condition is an inference",
    },
  ),
  ...rows("SCA", ["70"], "PIN or strong customer authentication required", {
    ...visaOnly,
    ...generalKnowledge,
  }),

  ...rows("WAIT", ["51"], "insufficient funds"),
  ...rows("WAIT", ["61"], "over the amount limit"),
  ...rows("WAIT", ["65"], "over the count or frequency limit"),
  ...rows("WAIT", ["75"], "too many wrong PINs"),
  ...rows("WAIT", ["78"], "blocked, first use, or no account"),
  ...rows("WAIT", ["N0"], "forced stand-in processing", generalKnowledge),
  ...rows("WAIT", ["N3"], "cash service not available"),
  ...rows("WAIT", ["N4"], "over the cash limit"),

  ...rows("GENERIC", ["01", "02"], "refer to the issuer"),
  ...rows("GENERIC", ["05"], "do not honour"),
  ...rows("GENERIC", ["59"], "suspected fraud"),

  ...rows("TECH_NOT_PROCESSED", ["03"], "invalid merchant: the account at this PSP is misconfigured"),
  ...rows("TECH_NOT_PROCESSED", ["06"], "general error"),
  ...rows("TECH_NOT_PROCESSED", ["19"], "re-enter the transaction"),
  ...rows("TECH_NOT_PROCESSED", ["30"], "format error: this PSP's message is wrong"),
  ...rows(
    "TECH_NOT_PROCESSED",
    ["58"],
    "not permitted to the terminal: the account at this PSP is misconfigured",
  ),
  ...rows("TECH_NOT_PROCESSED", ["88"], "unable to authorise", generalKnowledge),
  ...rows("TECH_NOT_PROCESSED", ["92"], "cannot be routed", generalKnowledge),
  ...rows("TECH_NOT_PROCESSED", ["96"], "system malfunction"),
  ...rows("TECH_NOT_PROCESSED", ["Z6"], "invalid use of the MCC: the account at this PSP is misconfigured"),

  ...rows("ISSUER_DOWN", ["91"], "the issuer or its switch is down"),

  ...rows("UNKNOWN", ["68"], "the response came too late", generalKnowledge),
  ...rows("UNKNOWN", ["94"], "duplicate: what became of the first one is not known"),
].sort((a, b) => compareText(a.scheme ?? "", b.scheme ?? "") || compareText(a.code, b.code));

/** Name of this table in plans: the day of its facts and a hash of its content. */
export const codeTableVersion = `${readOn}-${hashEntries(codeTable).slice(0, 12)}`;

const entries: ReadonlyMap<string, CodeTableEntry> = new Map(
  codeTable.map((entry) => [entryKey(entry.scheme, entry.code), entry]),
);

/**
 * The class of an answer: the row for scheme and code, else the row for the code, else GENERIC; without an answer UNKNOWN.
 *
 * `inScaZone` says that card and acquirer are both in the SCA zone and that the attempt had no challenge; where nobody says so it is taken as
 * false, so that Mastercard's 65 waits instead of stepping up.
 * Source: `SEMANTICS.md` 4.1, `DOMAIN.md` 1.4.
 */
export function classifyCode(answer: {
  readonly scheme: string | undefined;
  readonly code: string | undefined;
  readonly inScaZone?: boolean;
}): OutcomeClass {
  const { scheme, code } = answer;
  if (code === undefined || code === "") return "UNKNOWN";
  const own = scheme === undefined ? undefined : entries.get(entryKey(scheme, code));
  if (own !== undefined && (own.scaZoneOnly !== true || answer.inScaZone === true)) return own.outcomeClass;
  return entries.get(entryKey(undefined, code))?.outcomeClass ?? "GENERIC";
}

function entryKey(scheme: string | undefined, code: string): string {
  return `${scheme ?? ""}/${code}`;
}

function hashEntries(table: readonly CodeTableEntry[]): string {
  const lines = table.map(({ scheme, code, outcomeClass, scaZoneOnly }) =>
    [scheme ?? "", code, outcomeClass, scaZoneOnly === true ? "sca-zone" : ""].join("/"),
  );
  return hash128(...lines);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
