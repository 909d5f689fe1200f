/** A tenant as configured: which clock its decisions go by, and in which id fields a card number may seem to stand. */
export type Merchant = {
  readonly id: string;
  /** `server`: now; `request`: the call's `decide_at`, for replays. */
  readonly clock: "server" | "request";
  /** Proto paths of fields exempt from the card-number guard. */
  readonly panExemptFields: ReadonlySet<string>;
};

/** All tenants. An unknown one is NotFound, never a fallback. */
export type Merchants = ReadonlyMap<string, Merchant>;
