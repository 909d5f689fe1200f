import type { Maintenance, Psp, PspSca } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import type { FaultList } from "../document/fault.ts";
import { toMs } from "../names.ts";
import type { CheckInput } from "./check-input.ts";
import { checkSpan } from "./check-rules.ts";
import { checkExemptions } from "./check-sca.ts";
import { checkDuration, checkSize } from "./values.ts";

const windowsMax = 32;
const bpsMax = 10_000;
const minuteMs = 60_000;

/** Checks how a PSP behaves: what it does about SCA, how long it is waited for, when it is away. */
export function checkConduct(input: CheckInput, psp: Psp, path: string): void {
  const { faults } = input;
  if (psp.sca !== undefined) checkPspSca(faults, psp.sca, `${path}.sca`);
  if (psp.timeout !== undefined) {
    const bounds = { min: 1_000, max: 5 * minuteMs, said: "from 1 second to 5 minutes" };
    checkDuration(faults, `${path}.timeout`, psp.timeout, bounds);
  }
  checkMaintenance(input, psp.maintenance, `${path}.maintenance`);
}

function checkPspSca(faults: FaultList, sca: PspSca, path: string): void {
  const { fraudRateBps, exemptions, threeDsVersion } = sca;
  if (fraudRateBps !== undefined && (fraudRateBps < 0 || fraudRateBps > bpsMax)) {
    const message = `${fraudRateBps} is not from 0 to ${bpsMax} basis points`;
    faults.error(`${path}.fraud_rate_bps`, "out-of-range", message);
  }
  checkExemptions(faults, `${path}.exemptions`, exemptions);
  if (threeDsVersion !== "" && !/^\d\.\d\.\d$/.test(threeDsVersion)) {
    const message = `${quote(threeDsVersion)} is no version of EMV 3DS, such as 2.2.0`;
    faults.error(`${path}.three_ds_version`, "bad-version", message);
  }
}

function checkMaintenance(input: CheckInput, windows: readonly Maintenance[], path: string): void {
  const { faults } = input;
  if (!checkSize(faults, path, windows.length, windowsMax)) return;
  for (const [index, window] of windows.entries()) {
    const at = `${path}[${index}]`;
    for (const name of ["from", "until"] as const) {
      if (window[name] === undefined)
        faults.error(`${at}.${name}`, "missing", "maintenance begins and ends: give from and until");
    }
    // One that is over stays for replays.
    checkSpan(input, window, at, { noun: "maintenance", isPacked: true });
  }
  checkWindowsApart(faults, windows, path);
}

function checkWindowsApart(faults: FaultList, windows: readonly Maintenance[], path: string): void {
  const spans = windows
    .flatMap(({ from, until }, index) =>
      from === undefined || until === undefined ? [] : [{ index, fromMs: toMs(from), untilMs: toMs(until) }],
    )
    .sort((a, b) => a.fromMs - b.fromMs);
  for (const [place, span] of spans.entries()) {
    const before = spans[place - 1];
    if (before === undefined || span.fromMs >= before.untilMs) continue;
    const [first, second] = [before.index, span.index].sort((a, b) => a - b);
    const message = `${path}[${first}] is at the same time`;
    faults.error(`${path}[${second}]`, "maintenance-overlap", message);
  }
}
