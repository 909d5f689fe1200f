import { RE2JS } from "@bufbuild/re2";

/** Longest pattern of `matches`, in UTF-16 units. */
const patternMax = 512;

/**
 * Most steps of a pattern's automaton; RE2 writes counted repetitions out. A match looks at up to so many steps per character of its subject: on
 * a subject of 1,024 units some 10 ms at worst, where 1,500 steps would hold the loop for 50. A plain text as long as a pattern may be still fits.
 */
const patternStepsMax = 520;

const timestampPattern =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

const durationUnitsNs: ReadonlyMap<string, bigint> = new Map([
  ["h", 3_600_000_000_000n],
  ["m", 60_000_000_000n],
  ["s", 1_000_000_000n],
  ["ms", 1_000_000n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["ns", 1n],
]);

/** CEL's durations are 64 bits of nanoseconds, some 292 years either way; here in ms. */
const durationMaxMs = 9_223_372_036_854n;

/** What was read from a literal, or why it was not. */
type Reading = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly why: string };

/** RFC 3339 text to ms since the epoch, years 1 to 9999; finer than a millisecond is refused rather than rounded. */
export function readTimestamp(text: string): Reading {
  const match = timestampPattern.exec(text);
  if (match === null) return refuse("a timestamp is written like 2026-01-31T08:00:00Z");
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
  if (!/^\d{0,3}0*$/.test(fraction)) return refuse("a timestamp is exact to the millisecond");
  const fields = [year, month, day, hour, minute, second].map(Number);
  const local = new Date(0);
  local.setUTCFullYear(fields[0]!, fields[1]! - 1, fields[2]!);
  local.setUTCHours(fields[3]!, fields[4]!, fields[5]!, Number(fraction.slice(0, 3).padEnd(3, "0")));
  const read = [local.getUTCFullYear(), local.getUTCMonth() + 1, local.getUTCDate(), local.getUTCHours()];
  const isReal =
    [...read, local.getUTCMinutes(), local.getUTCSeconds()].every(
      (value, index) => value === fields[index],
    ) &&
    Number(offsetHour) < 24 &&
    Number(offsetMinute) < 60;
  if (!isReal) return refuse("there is no such date or time of day");
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000;
  const utc = new Date(local.getTime() - (sign === "-" ? -offsetMs : offsetMs));
  const isInRange = utc.getUTCFullYear() >= 1 && utc.getUTCFullYear() <= 9999;
  return isInRange ? { ok: true, ms: utc.getTime() } : refuse("timestamps lie in the years 1 to 9999");
}

/** Text such as `72h`, `1h30m` or `-1.5s` to ms; finer than a millisecond is refused rather than rounded. */
export function readDuration(text: string): Reading {
  const match = /^([+-]?)((?:(?:\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(?:h|ms|m|s|us|µs|ns))+|0)$/.exec(text);
  if (match === null)
    return refuse("a duration is written like 72h or 1h30m, with the units h, m, s, ms, us, ns");
  let totalNs = 0n;
  let hasRest = false;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(
    /(\d*)(?:\.(\d*))?(h|ms|m|s|us|µs|ns)/g,
  )) {
    const unitNs = durationUnitsNs.get(unit)!;
    const scaled = BigInt(`0${whole}${fraction}`) * unitNs;
    const scale = 10n ** BigInt(fraction.length);
    hasRest ||= scaled % scale !== 0n;
    totalNs += scaled / scale;
  }
  if (hasRest || totalNs % 1_000_000n !== 0n) return refuse("a duration is exact to the millisecond");
  const ms = totalNs / 1_000_000n;
  if (ms > durationMaxMs) return refuse("a duration is at most 2562047h, some 292 years");
  return { ok: true, ms: match[1] === "-" && ms > 0n ? -Number(ms) : Number(ms) };
}

function refuse(why: string): Reading {
  return { ok: false, why };
}

/** Why the pattern of `matches` is refused; undefined where it is good RE2. */
export function findPatternFault(pattern: string): string | undefined {
  if (pattern.length > patternMax) return `a pattern has at most ${patternMax} UTF-16 units`;
  try {
    const steps = RE2JS.compile(pattern).re2().prog.inst.length;
    if (steps <= patternStepsMax) return undefined;
    return `written out, its repetitions make ${steps} steps; at most ${patternStepsMax} are allowed`;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
  }
}
