/** How often a scheme lets a card be tried (`SEMANTICS.md` 4.6, `DOMAIN.md` 1.3, 1.5): refused from `declines` on. CIT and MIT are counted apart. */
export type SchemeCap = {
  readonly id: string;
  readonly scheme: string;
  readonly windowMs: number;
  readonly key: "CARD" | "CARD_AMOUNT";
  readonly declines: number;
  readonly resetOnApproval: boolean;
  readonly fromMs: number | undefined;
};
