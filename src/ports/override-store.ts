import type { PaymentKind } from "../core/payment.ts";

export type OverrideSubject =
  | { readonly kind: "player" | "card" | "device" | "payment" | "segment"; readonly id: string }
  | { readonly kind: "everyone" };

/**
 * An override as it was put. `effects` is the JSON form of the contract's `Effects`: names stay names, because the rule set that they are held
 * against changes.
 */
export type StoredOverride = {
  readonly id: string;
  readonly subject: OverrideSubject;
  readonly when: string;
  readonly kinds: readonly PaymentKind[];
  readonly author: string;
  readonly reason: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly priority: number;
  readonly effectsJson: string;
};

/** Where overrides are kept, with a revision that counts every change. Every key begins with the merchant. */
export type OverrideStore = {
  /** By id, the expired ones of the last 90 days included. */
  readonly list: (merchantId: string) => readonly StoredOverride[];
  readonly revision: (merchantId: string) => number;
  /** Keeps the override and the revision together. Resolves when durable. */
  readonly put: (merchantId: string, override: StoredOverride, revision: number) => Promise<void>;
};
