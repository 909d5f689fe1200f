export type PspStateKind = "ENABLED" | "DRAINING" | "DISABLED";

/** The state that somebody set for a PSP. */
export type StoredPspState = {
  readonly psp: string;
  readonly state: PspStateKind;
  readonly author: string;
  readonly reason: string;
  readonly sinceMs: number;
};

/** Where states of PSPs are kept. Every key begins with the merchant. */
export type PspStateStore = {
  readonly list: (merchantId: string) => readonly StoredPspState[];
  readonly put: (merchantId: string, state: StoredPspState) => Promise<void>;
};
