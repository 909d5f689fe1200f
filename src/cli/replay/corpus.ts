import { hash32 } from "../../core/hash.ts";

/** 2019-03-01T08:00:00Z, when the real export begins; and a year. */
const startMs = Date.UTC(2019, 2, 1, 8);
const yearMs = 366 * 86_400_000;

export const generatedRowsMax = 5_000_000;
export const generatedRowsDefault = 10_000;

/**
 * An export of wallet payments in the columns of the real one (`sports-payments.csv`), the same for the same seed: a few players with most of
 * the payments, small amounts with a long tail, amounts such as `20.6`, declines, outcomes that nobody knows, rows out of order and rows
 * that repeat another one.
 */
export function generateExport(wanted: { readonly rows: number; readonly seed: number }): string {
  const lines = ["ReqTimeUTC,TransactionType,TransactionAmount,Status,AccountIdentifier"];
  const players = Math.max(1, Math.round(wanted.rows / 80));
  for (let row = 1; row <= wanted.rows; row++) {
    const draw = makeDraw(wanted.seed, row);
    const isRepeat = lines.length > 1 && draw("repeat") < 0.000_2;
    lines.push(isRepeat ? lines.at(-1)! : generateRow(draw, players));
  }
  return `${lines.join("\n")}\n`;
}

/** A number in [0, 1) for each purpose of one row. */
type Draw = (purpose: string) => number;

function makeDraw(seed: number, row: number): Draw {
  return (purpose) => hash32(String(seed), String(row), purpose) / 2 ** 32;
}

function generateRow(draw: Draw, players: number): string {
  const type = pick(draw("type"), [
    ["LOYALTYCARDDEBIT", 0.49],
    ["LOYALTYCARDCREDITCL", 0.42],
    ["LOYALTYCARDCREDIT", 0.07],
    ["LOYALTYCARDCREDITACH", 0.02],
  ]);
  const status = pick(draw("status"), [
    ["APPROVED", 0.975],
    ["DECLINED", 0.0249],
    ["NA", 0.0001],
  ]);
  // The cube gathers payments on a few players, as in life.
  const player = 1 + Math.floor(players * draw("player") ** 3);
  const second = new Date(startMs + Math.floor(draw("time") * yearMs)).toISOString().slice(0, 19);
  return `${second}+0000,${type},${generateAmount(draw)},${status},customer${player}`;
}

/** From a cent to some thousand dollars, most of it under a hundred, without trailing zeros: `20.6`, `103`. */
function generateAmount(draw: Draw): string {
  const cents = Math.max(1, Math.round(10 ** (2 + 3.7 * draw("amount") ** 1.5)));
  const rounded = draw("round") < 0.6 ? Math.max(100, Math.round(cents / 500) * 500) : cents;
  const text = `${Math.floor(rounded / 100)}.${String(rounded % 100).padStart(2, "0")}`;
  return text.replace(/\.?0+$/, "");
}

function pick(drawn: number, shares: readonly (readonly [name: string, share: number])[]): string {
  let left = drawn;
  for (const [name, share] of shares) {
    if (left < share) return name;
    left -= share;
  }
  return shares.at(-1)![0];
}
