/** Who changed what, and when. Plain data, no secrets and no personal data beyond ids. */
export type AuditEntry = {
  readonly atMs: number;
  readonly merchantId: string;
  readonly actor: string;
  /** Such as `rule_set.activate`. */
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
};

/** The audit trail: append only. */
export type AuditLog = {
  readonly append: (entry: AuditEntry) => Promise<void>;
  /** The newest first. */
  readonly list: (merchantId: string, most: number) => readonly AuditEntry[];
};
