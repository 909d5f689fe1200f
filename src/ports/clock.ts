/** The time of day. `nowMs` is integer ms since the epoch. */
export type Clock = { readonly nowMs: () => number };
