/** A small rule set in which every answer says which one it is: its only PSP, its segment, its action. */
export function makeMarkedRuleSet(mark: string, extraRules = ""): string {
  return `
name: ${mark}
psps:
  - { id: psp-${mark}, methods: [card] }
segments:
  - { id: seg-${mark}, when: 'payment.currency == "EUR"' }
rules:
  - id: route-${mark}
    class: DEFAULT
    effects:
      strategy: { priority: { psps: [psp-${mark}] } }
  - id: act-${mark}
    class: SEGMENT
    when: segment("seg-${mark}")
    effects:
      actions: [{ kind: REFER_TO_HUMAN, key: act-${mark} }]
${extraRules}`;
}

/** A deposit of EUR 50 by card. */
export function makeDeposit(paymentId: string, more: Record<string, unknown> = {}) {
  return {
    paymentId,
    playerId: "player-1",
    kind: "deposit",
    amount: { minorUnits: "5000", currencyCode: "EUR" },
    method: "card",
    card: { bin: "45710435" },
    playerCountry: "DK",
    ...more,
  };
}
