/**
 * What answers of PSPs mean, as a table: the one of the house (`codes/`), behind the entries of a rule set.
 *
 * The most specific entry that holds speaks: a PSP's own code before codes of the network that hold for one PSP, these before a code with an
 * advice code, before an advice code alone, before a code alone; of equals one for a scheme before one for all. Of two that are as specific that
 * of the rule set speaks, and of those the younger.
 *
 * Source: `SEMANTICS.md` 4.1, `DOMAIN.md` 1.1-1.5, whose keys [A1] to [D10] and [gk] (general knowledge, unverified) stand in `origin`.
 */
import { hash128 } from "../hash.ts";
import type { PspAnswer, ResponseCode } from "./answer.ts";
import { adviceCodes } from "./codes/advice.ts";
import { isoCodes } from "./codes/iso.ts";
import { pspCodes } from "./codes/psp.ts";

export type CodeTable = {
  /** Names content: gateways may hold a copy by it. */
  readonly version: string;
  /** Those of the rule set first. */
  readonly entries: readonly ResponseCode[];
  /** The entry that speaks; undefined where none is for the answer. */
  readonly find: (answer: PspAnswer, nowMs: number) => ResponseCode | undefined;
};

/** Day on which the facts of the table of the house were read. */
const readOn = "2026-11-22";

/** Members by which an entry is for an answer, with their weights: the greater the sum, the more specific. */
const members = [
  ["pspCode", 16],
  ["psp", 8],
  ["adviceCode", 4],
  ["code", 2],
  ["scheme", 1],
] as const;

const adviceWeight = 4;
const codeWeight = 2;

/** Every entry of the house, by PSP, scheme, code and advice code. */
const houseEntries: readonly ResponseCode[] = [...isoCodes, ...adviceCodes, ...pspCodes].sort(
  (a, b) =>
    compareText(sortKey(a), sortKey(b)) || Number(b.scaZoneOnly ?? false) - Number(a.scaZoneOnly ?? false),
);

export const houseTable: CodeTable = openTable(
  `${readOn}-${hashEntries(houseEntries).slice(0, 12)}`,
  houseEntries,
);

const tables = new WeakMap<readonly ResponseCode[], CodeTable>();

/** The table of a rule set, `RuleSnapshot.responseCodes` before the house's; worked out once per rule set. */
export function codeTableOf(responseCodes: readonly ResponseCode[]): CodeTable {
  if (responseCodes.length === 0) return houseTable;
  const known = tables.get(responseCodes);
  if (known !== undefined) return known;
  const version = `${houseTable.version}+${hashEntries(responseCodes).slice(0, 12)}`;
  const table = openTable(version, [...responseCodes, ...houseEntries]);
  tables.set(responseCodes, table);
  return table;
}

/** Entries that are as specific as each other, by what they are for. */
type Level = { readonly weight: number; readonly entries: Map<string, ResponseCode[]> };

function openTable(version: string, entries: readonly ResponseCode[]): CodeTable {
  const byWeight = new Map<number, Level>();
  for (const entry of entries) {
    const weight = weigh(entry);
    const level = byWeight.get(weight) ?? { weight, entries: new Map<string, ResponseCode[]>() };
    byWeight.set(weight, level);
    const key = keyOf(entry, weight);
    const others = level.entries.get(key);
    if (others === undefined) level.entries.set(key, [entry]);
    else others.push(entry);
  }
  const levels = [...byWeight.values()].sort((a, b) => b.weight - a.weight);
  for (const level of levels) for (const same of level.entries.values()) orderByAge(same, entries);
  return { version, entries, find: (answer, nowMs) => findEntry(levels, nameScheme(answer), nowMs) };
}

/** Only Mastercard gives advice codes, so an answer with one is its where nobody says whose card it is. */
function nameScheme(answer: PspAnswer): PspAnswer {
  const isNameless = answer.scheme === undefined && answer.adviceCode !== undefined;
  return isNameless ? { ...answer, scheme: "mastercard" } : answer;
}

function findEntry(levels: readonly Level[], answer: PspAnswer, nowMs: number): ResponseCode | undefined {
  const told = weigh(answer);
  let informing: ResponseCode | undefined;
  let advising: ResponseCode | undefined;
  for (const { weight, entries } of levels) {
    if ((weight & told) !== weight) continue;
    const entry = entries.get(keyOf(answer, weight))?.find((each) => holds(each, answer, nowMs));
    if (entry === undefined) continue;
    if (entry.informational === true) informing ??= entry;
    else if ((weight & ~1) === adviceWeight) advising ??= entry;
    else if ((weight & ~1) === codeWeight)
      return advising === undefined || standsAlone(entry) ? entry : advising;
    else if (advising === undefined) return entry;
  }
  return advising ?? informing;
}

/** Codes that no advice alone overrules: what is approved is no decline, and what blocks for good stays blocked. */
function standsAlone({ outcomeClass, block }: ResponseCode): boolean {
  const isApproval = outcomeClass === "APPROVED" || outcomeClass === "PARTIAL";
  return isApproval || (block !== undefined && block.forMs === undefined);
}

function holds(
  { scaZoneOnly, fromMs, untilMs }: ResponseCode,
  { inScaZone }: PspAnswer,
  nowMs: number,
): boolean {
  if (scaZoneOnly === true && !inScaZone) return false;
  return (fromMs === undefined || nowMs >= fromMs) && (untilMs === undefined || nowMs < untilMs);
}

type Keyed = Partial<Record<(typeof members)[number][0], string | undefined>>;

function weigh(keyed: Keyed): number {
  let weight = 0;
  for (const [name, worth] of members) if (isTold(keyed[name])) weight += worth;
  return weight;
}

function isTold(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}

function keyOf(keyed: Keyed, weight: number): string {
  let key = "";
  for (const [name, worth] of members) if ((weight & worth) !== 0) key += `${keyed[name]}\0`;
  return key;
}

/** Those with a condition first, then those of the rule set, then the younger. */
function orderByAge(same: ResponseCode[], all: readonly ResponseCode[]): void {
  if (same.length < 2) return;
  const places = new Map(same.map((entry) => [entry, all.indexOf(entry)]));
  const isOfRuleSet = (entry: ResponseCode): number => (entry.origin === "" ? 1 : 0);
  same.sort(
    (a, b) =>
      isOfRuleSet(b) - isOfRuleSet(a) ||
      Number(b.scaZoneOnly ?? false) - Number(a.scaZoneOnly ?? false) ||
      (b.fromMs ?? -Infinity) - (a.fromMs ?? -Infinity) ||
      places.get(a)! - places.get(b)!,
  );
}

function sortKey({ psp, pspCode, scheme, code, adviceCode }: ResponseCode): string {
  return [psp, pspCode, scheme, code, adviceCode].map((part) => part ?? "").join("\0");
}

function hashEntries(table: readonly ResponseCode[]): string {
  return hash128(...table.map((entry) => JSON.stringify(Object.entries(entry).sort(byName))));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
