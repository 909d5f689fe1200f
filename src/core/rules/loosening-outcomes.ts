import type {
  ResponseCode as ResponseCodeMessage,
  RuleSet,
  SchemeCap as SchemeCapMessage,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import type { Block, Meaning, PspAnswer } from "../retry/answer.ts";
import { type CodeTable, codeTableOf, houseTable } from "../retry/code-table.ts";
import { houseSchemeCaps, pickCaps, type SchemeCap } from "../retry/scheme-cap.ts";
import { readCap, readResponseCode } from "./compile/hydrate-outcomes.ts";
import { toMs } from "./names.ts";
import { keyResponse } from "./response-codes.ts";

type Side = Pick<RuleSet, "responseCodes" | "schemeCaps">;

type Dated = { readonly fromMs?: number | undefined; readonly untilMs?: number | undefined };

/** The instants, ms since the epoch, from which on something else may hold: those after the facts of the house, and the last of these. */
export function listTurns(house: readonly Dated[], entries: readonly Dated[]): readonly number[] {
  const since = house.reduce((latest, { fromMs = 0 }) => Math.max(latest, fromMs), 0);
  const later = entries
    .flatMap(({ fromMs, untilMs }) => [fromMs ?? 0, untilMs ?? 0])
    .filter((turn) => turn > since);
  return [since, ...new Set(later)];
}

// --- Response codes ---------------------------------------------------------------------------------------------------------------------

/**
 * Tells for an entry of either side, both in normal form, whether what was HARD may be softer after the change: another class, or a block that is gone,
 * shorter or narrower. The tables with that of the house behind them are compared, not the entries.
 */
export function findSofterCodes(before: Side, after: Side): (entry: ResponseCodeMessage) => boolean {
  const [was, is] = [before, after].map(({ responseCodes }) => responseCodes.map(readResponseCode));
  const tables = [codeTableOf(was!), codeTableOf(is!)] as const;
  const datesOf = new Map<string, Dated[]>();
  for (const entry of [...before.responseCodes, ...after.responseCodes]) {
    const { from, until } = entry;
    const dates = { fromMs: from && toMs(from), untilMs: until && toMs(until) };
    datesOf.set(keyResponse(entry), [...(datesOf.get(keyResponse(entry)) ?? []), dates]);
  }
  return (entry) => {
    const turns = listTurns(houseTable.entries, datesOf.get(keyResponse(entry)) ?? []);
    const answers = listAnswers(entry, tables);
    return turns.some((atMs) =>
      answers.some((answer) => isSofter(tables[0].find(answer, atMs), tables[1].find(answer, atMs))),
    );
  };
}

/** Answers that an entry may speak for: of its scheme, or of all that the tables know. */
function listAnswers(entry: ResponseCodeMessage, tables: readonly CodeTable[]): readonly PspAnswer[] {
  const text = (value: string): string | undefined => (value === "" ? undefined : value);
  const known = tables.flatMap(({ entries }) => entries.map(({ scheme }) => scheme));
  const schemes = entry.scheme === "" ? new Set([undefined, ...known]) : [entry.scheme];
  return [...schemes].flatMap((scheme) =>
    [false, true].map((inScaZone) => ({
      psp: entry.psp,
      scheme,
      code: text(entry.code),
      pspCode: text(entry.pspCode),
      adviceCode: text(entry.adviceCode),
      failure: undefined,
      threeDs: undefined,
      inScaZone,
    })),
  );
}

function isSofter(was: Meaning | undefined, is: Meaning | undefined): boolean {
  if (was?.outcomeClass !== "HARD") return false;
  return is?.outcomeClass !== "HARD" || (was.block !== undefined && !blocksAtLeast(was.block, is.block));
}

function blocksAtLeast(was: Block, is: Block | undefined): boolean {
  if (is === undefined) return false;
  const isAsWide = is.what === was.what || (is.what === "card" && was.what === "card_amount");
  return isAsWide && (is.forMs === undefined || (was.forMs !== undefined && is.forMs >= was.forMs));
}

// --- Scheme caps ------------------------------------------------------------------------------------------------------------------------

/**
 * Schemes whose cards may be tried more often after the change than before, and more often than the house has it. Caps above those of the house are
 * the merchant's own matter.
 */
export function findLooserSchemes(before: Side, after: Side): ReadonlySet<string> {
  const [was, is] = [readCaps(before), readCaps(after)];
  const schemes = new Set([...was, ...houseSchemeCaps].map(({ scheme }) => scheme));
  const turns = listTurns(houseSchemeCaps, [...was, ...is]);
  const isLooser = (scheme: string): boolean =>
    turns.some((atMs) => {
      const [old, now, house] = [was, is, houseSchemeCaps].map((caps) => pickCaps(caps, scheme, atMs));
      return !keepsAll(house!, now!) && !keepsAll(old!, now!);
    });
  return new Set([...schemes].filter(isLooser));
}

function readCaps({ schemeCaps }: Side): readonly SchemeCap[] {
  return schemeCaps.length === 0 ? houseSchemeCaps : schemeCaps.map(readCap);
}

/** Whether whatever the first caps refuse one of the second refuses too. */
function keepsAll(first: readonly SchemeCap[], second: readonly SchemeCap[]): boolean {
  return first.every((cap) =>
    second.some(
      (other) =>
        other.windowMs >= cap.windowMs &&
        other.declines <= cap.declines &&
        (other.key === "CARD" || cap.key === "CARD_AMOUNT") &&
        (cap.resetOnApproval || !other.resetOnApproval),
    ),
  );
}

/** Whether a changed entry is to blame for schemes: where none of all caps is of one of them, which then lost those of the house, every entry is. */
export function blameCap(
  looser: ReadonlySet<string>,
  caps: readonly SchemeCapMessage[],
): (cap: SchemeCapMessage) => boolean {
  const isNamed = caps.some(({ scheme }) => looser.has(scheme));
  return ({ scheme }) => looser.size > 0 && (!isNamed || looser.has(scheme));
}
