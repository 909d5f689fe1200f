import { formatMoney } from "../core/money.ts";
import type { LimitReading } from "../gen/switchyard/v1/decision_pb.js";
import type { Paint } from "./io.ts";
import { formatInstant } from "./session.ts";
import { type Cell, formatTable } from "./table.ts";

/**
 * Readings as a table: used, limit and what is left, with when it changes; empty where there are none. `payments` says of the limits of policy packs which
 * payments fall under them.
 */
export function formatReadings(
  readings: readonly LimitReading[],
  paint: Paint,
  payments: ReadonlyMap<string, string> = new Map(),
): string {
  if (readings.length === 0) return "";
  const columns = [
    { title: "Limit" },
    { title: "Counts by" },
    { title: "Used", align: "right" },
    { title: "At most", align: "right" },
    { title: "Left", align: "right" },
    { title: "More room at" },
    { title: payments.size === 0 ? "" : "Holds for" },
  ] as const;
  const rows = readings.map((reading): Cell[] => {
    const { limitId, subject, segment, used, limit, headroom, resetsAt, fits, unknown } = reading;
    const amount = (value: bigint): string => formatValue(value, reading.currencyCode);
    return [
      segment === "" ? limitId : `${limitId} (${segment})`,
      subject,
      unknown ? "unknown" : amount(used),
      amount(limit),
      { text: unknown ? "" : amount(headroom), paint: fits ? paint.green : paint.red },
      formatInstant(resetsAt),
      {
        text: [payments.get(limitId) ?? "", describeReading(reading)]
          .filter((part) => part !== "")
          .join("; "),
        paint: paint.yellow,
      },
    ];
  });
  return formatTable(columns, rows, paint.bold);
}

function describeReading({ fits, asked, fitsAt, overrun, errorBound, currencyCode }: LimitReading): string {
  const notes: string[] = [];
  if (!fits && asked > 0n) {
    const when = fitsAt === undefined ? "" : ` before ${formatInstant(fitsAt)}`;
    notes.push(`${formatValue(asked, currencyCode)} does not fit${when}`);
  }
  if (overrun) notes.push("overrun by late approvals");
  if (errorBound > 0n) notes.push(`used may be too high by up to ${formatValue(errorBound, currencyCode)}`);
  return notes.join("; ");
}

function formatValue(value: bigint, currencyCode: string): string {
  if (currencyCode === "") return String(value);
  return formatMoney({ minorUnits: Number(value), currencyCode });
}
