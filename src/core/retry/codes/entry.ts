import type { ResponseCode } from "../answer.ts";
import type { OutcomeClass } from "../outcome-class.ts";

/** What rows say beside their codes, class and meaning; what most of them leave out has a default. */
export type Details = Partial<Omit<ResponseCode, "code" | "outcomeClass" | "meaning">>;

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** One entry for each of the codes, which are separated by spaces. */
export function listCodes(
  codes: string,
  outcomeClass: OutcomeClass,
  meaning: string,
  details: Details = {},
): readonly ResponseCode[] {
  return codes.split(" ").map((code) => ({ code, ...makeEntry(outcomeClass, meaning, details) }));
}

/** The lists of response codes that processors publish. */
const lists = "A1-A5, A9, A14, A15";

export function makeEntry(
  outcomeClass: OutcomeClass,
  meaning: string,
  details: Details,
): Omit<ResponseCode, "code"> {
  return {
    outcomeClass,
    attribution: undefined,
    waitMs: 0,
    fields: [],
    block: undefined,
    alert: false,
    meaning,
    origin: lists,
    ...details,
  };
}
