import type { ResponseCode } from "../../gen/switchyard/v1/rule_set_pb.js";
import { toMs } from "./names.ts";

type Answer = Pick<ResponseCode, "psp" | "pspCode" | "scheme" | "code" | "adviceCode">;

/** Two entries with one key are for the same answers. */
export function keyResponse({ psp, pspCode, scheme, code, adviceCode }: Answer): string {
  return JSON.stringify([psp, pspCode, scheme, code, adviceCode]);
}

/** What an entry is called where people read it, such as `alpha visa 57`, `mastercard 82 advice 03`, `alpha "D-17" from 2026-05-01T00:00:00.000Z`. */
export function nameResponse(entry: Answer & Pick<ResponseCode, "from" | "until">): string {
  const { psp, pspCode, scheme, code, adviceCode, from, until } = entry;
  return [
    psp,
    pspCode && JSON.stringify(pspCode),
    scheme,
    code,
    adviceCode && `advice ${adviceCode}`,
    from && `from ${new Date(toMs(from)).toISOString()}`,
    until && `until ${new Date(toMs(until)).toISOString()}`,
  ]
    .filter((part) => part)
    .join(" ");
}
