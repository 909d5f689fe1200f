import type { Parsed } from "./amount.ts";

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * Reads an ISO 8601 instant, such as `2019-12-01T09:29:45+0000`, to the millisecond; further digits are cut off. A day alone is its
 * midnight.
 *
 * `offset` (such as `+00:00`) holds where the text has none; without both it is refused, for a local time is no instant.
 * Fails: on anything else, and on days and hours that do not exist.
 */
export function parseInstant(text: string, offset?: string): Parsed<{ readonly ms: number }> {
  const match = pattern.exec(text);
  if (match === null) {
    return { ok: false, rule: "instant", message: "is no ISO 8601 time such as 2026-01-31T08:00:00Z" };
  }
  const zone = match[8] ?? offset;
  if (zone === undefined) {
    return { ok: false, rule: "offset", message: "has no offset from UTC, such as Z or +02:00" };
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const offsetMinutes = parseOffset(zone);
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysIn(year, month) ||
    hour > 23 ||
    minute > 59 ||
    second > 59 ||
    offsetMinutes === undefined
  ) {
    return { ok: false, rule: "calendar", message: "is a time that no calendar has" };
  }
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - offsetMinutes * 60_000;
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  return year >= 1000
    ? { ok: true, ms }
    : { ok: false, rule: "calendar", message: "lies before the year 1000" };
}

/** Minutes east of UTC; undefined where no clock is so far off. */
export function parseOffset(zone: string): number | undefined {
  if (/^(Z|UTC)$/i.test(zone)) return 0;
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  if (Number(match[3] ?? 0) > 59 || minutes > 18 * 60) return undefined;
  return match[1] === "-" ? -minutes : minutes;
}

const msByUnit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a span of time such as `90s`, `15m`, `12h` or `30d` as ms. */
export function parseSpan(text: string): Parsed<{ readonly ms: number }> {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (match === null)
    return { ok: false, rule: "span", message: "is no span of time such as 90s, 15m, 12h or 30d" };
  return { ok: true, ms: Number(match[1]) * msByUnit[match[2] as keyof typeof msByUnit] };
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
