import type { Client } from "@connectrpc/connect";
import type { PushResponse, RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";

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

export type PushOptions = {
  readonly author?: string;
  readonly comment?: string;
  readonly baseVersion?: bigint;
  readonly activate?: boolean;
};

/** Pushes a rule set in YAML. */
export function pushText(
  rules: Client<typeof RuleSetService>,
  merchantId: string,
  text: string,
  options: PushOptions = {},
): Promise<PushResponse> {
  const document = { content: new TextEncoder().encode(text) };
  return rules.push({ merchantId, document, author: "test", ...options });
}

/** `makeDeposit` as a message. */
export function makeDepositMessage(paymentId: string) {
  return { ...makeDeposit(paymentId), amount: { minorUnits: 5_000n, currencyCode: "EUR" } };
}
