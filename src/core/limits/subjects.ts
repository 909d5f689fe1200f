import type { Subject, SubjectKind } from "../history/history.ts";
import type { Card, Payment } from "../payment.ts";

/**
 * The subject of a kind that a payment is about.
 *
 * Shapes: empty where the payment does not say (unknown); undefined where there is none: no card, no brand. PSPs and accounts are those of a step,
 * and keys are told by their limit, so here they are undefined.
 */
export function findSubjectId(payment: Payment, kind: SubjectKind): string | undefined {
  switch (kind) {
    case "player":
      return payment.playerId;
    case "card":
      return payment.card && identifyInstrument(payment.card);
    case "device":
      return payment.deviceId ?? "";
    case "ip":
      return payment.ip ?? "";
    case "bin":
      return payment.card && (payment.card.bin ?? "");
    case "brand":
      return payment.brand === "" ? undefined : payment.brand;
    case "psp":
    case "mid":
    case "key":
      return undefined;
  }
}

/** Every subject of a payment that is known, the player first; without those of steps and keys. */
export function listSubjects(payment: Payment): readonly Subject[] {
  const subjects: Subject[] = [];
  for (const kind of ["player", "card", "device", "ip", "bin", "brand"] as const) {
    const id = findSubjectId(payment, kind);
    if (id !== undefined && id !== "") subjects.push({ kind, id });
  }
  return subjects;
}

/**
 * Fingerprint, else token id, else BIN and last four; empty where none is known: a BIN alone is shared by thousands of cards. What it is is part of it, so
 * that a BIN never equals a fingerprint.
 */
export function identifyInstrument({ fingerprint, tokenId, bin, lastFour }: Card): string {
  if (fingerprint !== undefined) return `fingerprint:${fingerprint}`;
  if (tokenId !== undefined) return `token:${tokenId}`;
  return bin === undefined || lastFour === undefined ? "" : `bin:${bin}:${lastFour}`;
}
