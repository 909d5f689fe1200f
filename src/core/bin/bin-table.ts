/**
 * What card ranges are known to be: scheme, funding, issuer, country by the first 6 to 8 digits.
 *
 * Source: `SEMANTICS.md` 2.4, `DOMAIN.md` 5.
 */
import { type BinFault, type BinRow, readBinRows } from "./bin-row.ts";

export type Funding = "credit" | "debit" | "prepaid" | "charge";

/** What the table knows of a BIN; undefined is unknown. */
export type BinFacts = {
  /** Canonical name in lower case: visa, mastercard, amex, ... */
  readonly scheme: string | undefined;
  /** Product, as the table spells it. */
  readonly brand: string | undefined;
  readonly funding: Funding | undefined;
  readonly prepaid: boolean | undefined;
  /** Bank, as the table spells it. */
  readonly issuer: string | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly issuerCountry: string | undefined;
};

/** The facts of a BIN that the table says nothing of. */
export const unknownBin: BinFacts = Object.freeze({
  scheme: undefined,
  brand: undefined,
  funding: undefined,
  prepaid: undefined,
  issuer: undefined,
  issuerCountry: undefined,
});

/**
 * A BIN table, ready to be asked. Level n holds the answers for BINs of n + 6 digits: all BINs from `starts[i]` to below `starts[i + 1]` have the
 * facts `facts[answers[i]]`.
 */
export type BinTable = {
  readonly rows: number;
  readonly facts: readonly BinFacts[];
  readonly levels: readonly Level[];
};

type Level = { readonly starts: Int32Array; readonly answers: Int32Array };

/** The table of no rows, which knows nothing. */
export const emptyBinTable: BinTable = buildTable([]);

const faultsMax = 100;

/**
 * What is known of a card by its BIN: each field from the longest row that contains the whole BIN, and only if every longer row inside the BIN
 * says the same; a blank says nothing, so it agrees with nothing.
 *
 * Shapes: 6 to 8 digits as text; anything else is unknown. The answer is frozen and shared.
 */
export function lookUpBin(table: BinTable, bin: string): BinFacts {
  const level = table.levels[bin.length - 6];
  if (level === undefined) return unknownBin;
  let wanted = 0;
  for (let i = 0; i < bin.length; i++) {
    const digit = bin.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return unknownBin;
    wanted = wanted * 10 + digit;
  }
  return table.facts[level.answers[findLastAtMost(level.starts, wanted)]!]!;
}

/**
 * Reads a BIN table from CSV: `iin_start`, `iin_end`, `scheme`, `brand`, `type`, `prepaid`, `country`, `bank_name` by name of the header, in any
 * order, other columns ignored. A row is one BIN of 6 to 8 digits or, with an `iin_end` of equal length, all from one to the other.
 *
 * Shapes: at most 1,000,000 rows. Blank is unknown. `type` is credit, debit, prepaid or charge; `prepaid` y or n; `country` two letters.
 * Fails: with the first 100 faults in order of the lines. Rows of equal length that overlap are a fault where they differ, else a warning.
 */
export function readBinTable(
  text: string,
):
  | { readonly ok: true; readonly table: BinTable; readonly warnings: readonly BinFault[] }
  | { readonly ok: false; readonly faults: readonly BinFault[] } {
  const { rows, faults } = readBinRows(text);
  const warnings: BinFault[] = [];
  const separate = separateRows(rows, faults, warnings);
  if (faults.length > 0) {
    return { ok: false, faults: faults.sort((a, b) => a.line - b.line).slice(0, faultsMax) };
  }
  return { ok: true, table: buildTable(separate), warnings: warnings.slice(0, faultsMax) };
}

/** Sorts by length and start; joins overlapping rows of equal length that say the same and reports all that overlap. */
function separateRows(rows: readonly BinRow[], faults: BinFault[], warnings: BinFault[]): readonly BinRow[] {
  const separate: BinRow[] = [];
  for (const row of rows.toSorted((a, b) => a.digits - b.digits || a.low - b.low || a.line - b.line)) {
    const last = separate.at(-1);
    if (last === undefined || last.digits !== row.digits || last.high < row.low) {
      separate.push(row);
      continue;
    }
    const { line } = row;
    const same = sameFacts(last.facts, row.facts);
    const message = `overlaps line ${last.line}, of equal length, and says ${same ? "the same" : "something else"}`;
    if (same) warnings.push({ line, column: "iin_start", rule: "duplicate", message });
    else faults.push({ line, column: "iin_start", rule: "overlap", message });
    separate[separate.length - 1] = { ...last, high: Math.max(last.high, row.high) };
  }
  return separate;
}

/** Rows of one length, scaled to 8 digits, in order and apart from each other. */
type Layer = { readonly lows: Int32Array; readonly highs: Int32Array; readonly facts: readonly BinFacts[] };

function buildTable(rows: readonly BinRow[]): BinTable {
  // Longest first: the order in which rows speak.
  const layers = [8, 7, 6].map((digits) => toLayer(rows.filter((row) => row.digits === digits)));
  const pool = makeFactsPool();
  const levels = [6, 7, 8].map((digits) => buildLevel(layers, 10 ** (8 - digits), pool.place));
  return { rows: rows.length, facts: pool.facts, levels };
}

function toLayer(rows: readonly BinRow[]): Layer {
  const lows = new Int32Array(rows.length);
  const highs = new Int32Array(rows.length);
  for (const [i, { digits, low, high }] of rows.entries()) {
    const scale = 10 ** (8 - digits);
    lows[i] = low * scale;
    highs[i] = (high + 1) * scale - 1;
  }
  return { lows, highs, facts: rows.map((row) => row.facts) };
}

/** Answers every BIN of one length, each of which spans `width` BINs of 8 digits. */
function buildLevel(layers: readonly Layer[], width: number, place: (facts: BinFacts) => number): Level {
  const starts: number[] = [];
  const answers: number[] = [];
  for (const start of findEdges(layers, width)) {
    const answer = place(resolve(layers, start * width, (start + 1) * width - 1));
    if (answer === answers.at(-1)) continue;
    starts.push(start);
    answers.push(answer);
  }
  return { starts: Int32Array.from(starts), answers: Int32Array.from(answers) };
}

/** Ascending BINs between which the answer cannot change: where a row begins, ends, or reaches into a BIN without filling it. */
function findEdges(layers: readonly Layer[], width: number): Int32Array {
  const edges = new Set([0]);
  for (const { lows, highs } of layers) {
    for (let i = 0; i < lows.length; i++) {
      const first = Math.floor(lows[i]! / width);
      const last = Math.floor(highs[i]! / width);
      edges
        .add(first)
        .add(first + 1)
        .add(last)
        .add(last + 1);
    }
  }
  return Int32Array.from(edges).sort();
}

/** The law itself, for the BIN that spans `low` to `high` at 8 digits. */
function resolve(layers: readonly Layer[], low: number, high: number): BinFacts {
  const nested: BinFacts[] = [];
  for (const { lows, highs, facts } of layers) {
    let at = findFirstAtLeast(highs, low);
    if (at < lows.length && lows[at]! <= low && highs[at]! >= high) return keepAgreed(facts[at]!, nested);
    for (; at < lows.length && lows[at]! <= high; at++) nested.push(facts[at]!);
  }
  return unknownBin;
}

function keepAgreed(facts: BinFacts, nested: readonly BinFacts[]): BinFacts {
  const keep = <F extends keyof BinFacts>(field: F): BinFacts[F] | undefined =>
    nested.every((other) => other[field] === facts[field]) ? facts[field] : undefined;
  return {
    scheme: keep("scheme"),
    brand: keep("brand"),
    funding: keep("funding"),
    prepaid: keep("prepaid"),
    issuer: keep("issuer"),
    issuerCountry: keep("issuerCountry"),
  };
}

/** Holds each distinct set of facts once. */
function makeFactsPool(): { readonly facts: BinFacts[]; readonly place: (facts: BinFacts) => number } {
  const facts: BinFacts[] = [unknownBin];
  const places = new Map<string, number>([[factsKey(unknownBin), 0]]);
  const place = (wanted: BinFacts): number => {
    const key = factsKey(wanted);
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, facts.length);
    facts.push(Object.freeze({ ...wanted, brand: detach(wanted.brand), issuer: detach(wanted.issuer) }));
    return facts.length - 1;
  };
  return { facts, place };
}

/** A copy of its own: a slice would keep the whole file in memory. */
function detach(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Array.from(text).join("");
}

function factsKey(facts: BinFacts): string {
  return JSON.stringify([
    facts.scheme,
    facts.brand,
    facts.funding,
    facts.prepaid,
    facts.issuer,
    facts.issuerCountry,
  ]);
}

function sameFacts(a: BinFacts, b: BinFacts): boolean {
  return factsKey(a) === factsKey(b);
}

/** Index of the last value that is at most `wanted`; the first value is 0, so there is one. */
function findLastAtMost(values: Int32Array, wanted: number): number {
  return findFirstAtLeast(values, wanted + 1) - 1;
}

/** Index of the first value that is at least `wanted`; the length where there is none. */
function findFirstAtLeast(values: Int32Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
