const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Seconds since the epoch and nanoseconds on top, as google.protobuf.Timestamp has them. */
export type Instant = { readonly seconds: number; readonly nanos: number };

/**
 * Reads RFC 3339, such as `2026-01-31T00:00:00Z` or `2026-01-31T01:00:00+01:00`, years 1 to 9999.
 *
 * Fails: undefined where the text is none, or names what does not exist, such as 30 February or hour 24.
 */
export function readInstant(text: string): Instant | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    fraction = "",
    sign,
    offsetHour = "0",
    offsetMinute = "0",
  ] = match;
  const local = new Date(0);
  local.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  local.setUTCHours(Number(hour), Number(minute), Number(second));
  // What overflows (31 February, hour 24) comes out as another date.
  const isReal = local.toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  if (!isReal || Number(offsetHour) >= 24 || Number(offsetMinute) >= 60 || Number(year) === 0)
    return undefined;
  const offsetSeconds = (sign === "-" ? -60 : 60) * (Number(offsetHour) * 60 + Number(offsetMinute));
  return { seconds: local.getTime() / 1000 - offsetSeconds, nanos: Number(fraction.padEnd(9, "0")) };
}
