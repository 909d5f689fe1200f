/** One pushed document. Instants are ms since the epoch. */
export type StoredRuleSet = {
  readonly version: number;
  readonly hash: string;
  readonly name: string;
  readonly author: string;
  readonly comment: string;
  readonly pushedAtMs: number;
  readonly ruleCount: number;
  readonly sizeBytes: number;
  readonly format: "YAML" | "JSON" | "PROTOBUF";
};

export type Activation = { readonly version: number; readonly author: string; readonly atMs: number };

/** Where rule sets and activations are kept. Every key begins with the merchant. Each promise resolves when the write is durable. */
export type RuleSetStore = {
  /** Newest first. */
  readonly list: (merchantId: string) => readonly StoredRuleSet[];
  readonly get: (merchantId: string, version: number) => StoredRuleSet | undefined;
  readonly document: (merchantId: string, version: number) => Uint8Array | undefined;
  readonly newestVersion: (merchantId: string) => number;
  readonly put: (merchantId: string, ruleSet: StoredRuleSet, document: Uint8Array) => Promise<void>;
  /** Oldest first. */
  readonly activations: (merchantId: string) => readonly Activation[];
  readonly activate: (merchantId: string, activation: Activation) => Promise<void>;
};
