/** How PSPs spell the soft decline that asks for authentication (`DOMAIN.md` 1.4). They hold for a PSP that has the vendor's name as its id. */
import type { ResponseCode } from "../answer.ts";
import { makeEntry } from "./entry.ts";

function spell(psp: string, pspCode: string, origin: string): ResponseCode {
  return { ...makeEntry("SCA", "additional authentication required", { origin }), psp, pspCode };
}

export const pspCodes: readonly ResponseCode[] = [
  spell("checkout", "20154", "D8"),
  spell("mangopay", "101305", "D10"),
  spell("payu", "SSD", "D10"),
  spell("peach", "300.100.100", "D9"),
];
