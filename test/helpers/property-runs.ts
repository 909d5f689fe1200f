/** How many random cases a property test tries: few in the suite, many by `npm run test:long`. */

const multiplierName = "SWITCHYARD_TEST_CASES";
const multiplierMax = 100_000;

/**
 * The number of runs for fast-check: `base` in the suite, times SWITCHYARD_TEST_CASES where that is set.
 *
 * Fails: throws when the multiplier is not a whole number from 1 to 100,000, so that a typing error is no short run.
 */
export function countRuns(
  base: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const text = env[multiplierName];
  if (text === undefined || text === "") return base;
  const multiplier = Number(text);
  if (!Number.isInteger(multiplier) || multiplier < 1 || multiplier > multiplierMax) {
    throw new Error(
      `${multiplierName} must be a whole number from 1 to ${multiplierMax}, not ${JSON.stringify(text)}`,
    );
  }
  return base * multiplier;
}
