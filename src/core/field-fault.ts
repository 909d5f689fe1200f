/** One broken rule of one field of a request. Not a refusal of a payment, which is an answer, but of the call. */
export type FieldFault = {
  /** Path as the proto names it, such as `amount.minor_units`. */
  readonly field: string;
  /** Stable name of the broken rule in kebab-case, such as `positive`. */
  readonly rule: string;
  readonly message: string;
};
