import { describe, expect, test } from "vitest";
import type { Attribution } from "../retry/answer.ts";
import type { OutcomeClass } from "../retry/outcome-class.ts";
import type { HealthSign } from "./calls.ts";
import type { HeardOutcome } from "./heard-outcome.ts";
import { readPspSign, readThreeDsSign } from "./read-sign.ts";

type Told = {
  readonly outcomeClass: OutcomeClass;
  readonly attribution?: Attribution;
  readonly failure?: HeardOutcome["failure"];
  readonly threeDs?: HeardOutcome["threeDs"];
};

const complete = (told: Told) => ({
  attribution: undefined,
  failure: undefined,
  threeDs: undefined,
  ...told,
});

describe("what an outcome says", () => {
  test.each<Told & { readonly name: string; readonly psp: HealthSign; readonly threeDsSign?: HealthSign }>([
    { name: "an approval", outcomeClass: "APPROVED", psp: "SUCCESS" },
    { name: "a part of it", outcomeClass: "PARTIAL", psp: "SUCCESS" },
    { name: "accepted, not final", outcomeClass: "PENDING", psp: "SUCCESS" },
    {
      name: "a read timeout",
      outcomeClass: "UNKNOWN",
      attribution: "PSP",
      failure: "TIMEOUT",
      psp: "TIMEOUT",
    },
    { name: "68, received too late", outcomeClass: "UNKNOWN", attribution: "PSP", psp: "TIMEOUT" },
    {
      name: "5xx after sending",
      outcomeClass: "UNKNOWN",
      attribution: "PSP",
      failure: "SERVER",
      psp: "FAILURE",
    },
    { name: "unknown, nobody's", outcomeClass: "UNKNOWN", psp: "NEUTRAL" },
    {
      name: "a refused connection",
      outcomeClass: "TECH_NOT_PROCESSED",
      attribution: "PSP",
      failure: "CONNECT",
      psp: "FAILURE",
    },
    { name: "429", outcomeClass: "TECH_NOT_PROCESSED", failure: "THROTTLED", psp: "FAILURE" },
    { name: "96, 06, 92, 88", outcomeClass: "TECH_NOT_PROCESSED", attribution: "PSP", psp: "FAILURE" },
    { name: "03, 30, 58", outcomeClass: "TECH_NOT_PROCESSED", attribution: "CONFIG", psp: "FAILURE" },
    { name: "91", outcomeClass: "ISSUER_DOWN", attribution: "ISSUER", psp: "ISSUER_DOWN" },
    { name: "05", outcomeClass: "GENERIC", attribution: "ISSUER", psp: "NEUTRAL" },
    { name: "51", outcomeClass: "WAIT", attribution: "PLAYER", psp: "NEUTRAL" },
    { name: "a wrong CVV", outcomeClass: "DATA", attribution: "PLAYER", psp: "NEUTRAL" },
    { name: "a stolen card", outcomeClass: "HARD", attribution: "ISSUER", psp: "NEUTRAL" },
    { name: "a soft decline", outcomeClass: "SCA", attribution: "ISSUER", psp: "NEUTRAL" },
    { name: "a player who left", outcomeClass: "ABANDONED", psp: "NEUTRAL" },
    {
      name: "a 3DS server that is down",
      outcomeClass: "AUTH_FAILED",
      attribution: "THREE_DS",
      failure: "THREE_DS",
      psp: "NEUTRAL",
      threeDsSign: "FAILURE",
    },
    {
      name: "the merchant's own 3DS server that is down",
      outcomeClass: "AUTH_FAILED",
      attribution: "THREE_DS",
      threeDs: { host: "MERCHANT" },
      psp: "NEUTRAL",
    },
    {
      name: "an approval with 3DS",
      outcomeClass: "APPROVED",
      threeDs: { host: "PSP", transStatus: "Y" },
      psp: "SUCCESS",
      threeDsSign: "SUCCESS",
    },
    {
      name: "a player who failed the challenge",
      outcomeClass: "AUTH_FAILED",
      attribution: "PLAYER",
      threeDs: { host: "PSP", transStatus: "N" },
      psp: "NEUTRAL",
      threeDsSign: "SUCCESS",
    },
    {
      name: "3DS that could not be run",
      outcomeClass: "AUTH_FAILED",
      attribution: "ISSUER",
      threeDs: { host: "PSP", transStatus: "U" },
      psp: "NEUTRAL",
    },
  ])("$name: $psp of the PSP", ({ name: _, psp, threeDsSign = "NEUTRAL", ...told }) => {
    expect(readPspSign(complete(told))).toBe(psp);
    expect(readThreeDsSign(complete(told))).toBe(threeDsSign);
  });
});
