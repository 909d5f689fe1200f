const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A length of time in the largest unit of which there is at least one, such as `1.6 d`; in ms below a second. */
export function formatLength(ms: number): string {
  const unit = units.find(([, least]) => Math.abs(ms) >= least);
  return unit === undefined ? `${ms} ms` : `${(ms / unit[1]).toFixed(1)} ${unit[0]}`;
}
