import type { Compilation, DocumentFormat, RuleSetChange } from "../core/rules/compilation.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock } from "../ports/clock.ts";
import type { CompileInput, CompileResult, RuleCompiler } from "../ports/rule-compiler.ts";
import type { Activation, RuleSetStore, StoredRuleSet } from "../ports/rule-set-store.ts";
import type { ActiveRuleSet, ActiveRules } from "./active-rules.ts";
import { fail, failInvalid, type Managed, succeed } from "./failure.ts";
import type { Overrides } from "./overrides.ts";
import type { ChangeQueue } from "./queue.ts";

export type { StoredRuleSet };

export type RuleSetDeps = {
  readonly store: RuleSetStore;
  readonly compiler: RuleCompiler;
  readonly active: ActiveRules;
  readonly overrides: Overrides;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: ChangeQueue;
};

export type DocumentInput = { readonly document: Uint8Array; readonly format: DocumentFormat };

export type PushInput = DocumentInput & {
  readonly merchantId: string;
  /** The newest version that the author has seen; undefined: do not check. */
  readonly baseVersion: number | undefined;
  readonly author: string;
  readonly comment: string;
  readonly activate: boolean;
} & Permissions;

/** What an activation may do beyond the ordinary. */
export type Permissions = { readonly confirmLoosening: boolean; readonly allowOrphans: boolean };

export type ActivateInput = {
  readonly merchantId: string;
  readonly version: number;
  /** The version that the caller believes to be active, 0 for none; undefined: do not check. */
  readonly expectedActiveVersion: number | undefined;
  readonly author: string;
} & Permissions;

export type Activated = {
  readonly ruleSet: StoredRuleSet;
  readonly previousVersion: number;
  readonly orphanedOverrides: readonly string[];
};

export type Pushed = { readonly ruleSet: StoredRuleSet; readonly compilation: Compilation };

/** What a version is compared with: another version, or a document that was not pushed. */
export type DiffTarget = { readonly version: number } | DocumentInput;

export type Diffed = {
  readonly changes: readonly RuleSetChange[];
  readonly fromVersion: number;
  readonly toVersion: number;
};

/**
 * The life of rule sets: pushed once, never changed, activated and rolled back by swapping one reference. Changes of a merchant run one after
 * the other; what fails leaves the active rule set as it was.
 */
export class RuleSets {
  readonly #deps: RuleSetDeps;

  constructor(deps: RuleSetDeps) {
    this.#deps = deps;
  }

  validate(merchantId: string, input: DocumentInput): Promise<Compilation> {
    return this.#deps.compiler.check(this.#draft(merchantId, input));
  }

  async push(input: PushInput): Promise<Managed<Pushed>> {
    const { store, compiler, queue } = this.#deps;
    // Asked before the costly part, and again once it is this change's turn.
    const stale = this.#checkBase(input);
    if (stale !== undefined) return stale;
    const draft = this.#draft(input.merchantId, input);
    const before = input.activate ? this.#comparand(input) : succeed(undefined);
    if (!before.ok) return before;
    // Once, and before the queue, so that overrides and PSP states do not wait for it.
    const compiled = input.activate ? await compiler.compile(draft, before.value) : undefined;
    const compilation = compiled?.compilation ?? (await compiler.check(draft));
    if (compilation.hash === "") return failDocument(compilation);
    return queue.run(input.merchantId, async () => {
      const overtaken = this.#checkBase(input);
      if (overtaken !== undefined) return overtaken;
      const ruleSet: StoredRuleSet = {
        version: store.newestVersion(input.merchantId) + 1,
        hash: compilation.hash,
        name: compilation.name,
        author: input.author,
        comment: input.comment,
        // The instant as of which it was judged, and will be again.
        pushedAtMs: draft.nowMs,
        ruleCount: compilation.ruleCount,
        sizeBytes: input.document.length,
        format: input.format,
      };
      const prepared = compiled?.ok
        ? await this.#admitPushed(input, ruleSet, { draft, before: before.value, compiled })
        : undefined;
      if (prepared?.ok === false) return prepared;
      await store.put(input.merchantId, ruleSet, input.document);
      await this.#audit(input.merchantId, input.author, "rule_set.push", ruleSet);
      if (prepared !== undefined) {
        await this.#audit(input.merchantId, input.author, "rule_set.activate", ruleSet);
        await this.#swap(input.merchantId, ruleSet, input.author, prepared.value);
      }
      return succeed({ ruleSet, compilation });
    });
  }

  activate(input: ActivateInput): Promise<Managed<Activated>> {
    return this.#deps.queue.run(input.merchantId, () => this.#activate(input, "rule_set.activate"));
  }

  /** Makes the version active that was active before the one that is. */
  rollback(input: Omit<ActivateInput, "version">): Promise<Managed<Activated>> {
    return this.#deps.queue.run(input.merchantId, async () => {
      const version = this.#versionBefore(input.merchantId);
      if (version === undefined) {
        return fail({
          kind: "precondition",
          faults: [
            {
              field: "merchant_id",
              rule: "nothing-to-roll-back",
              message: "no version was active before this one",
            },
          ],
        });
      }
      return this.#activate({ ...input, version }, "rule_set.rollback");
    });
  }

  list(merchantId: string): readonly StoredRuleSet[] {
    return this.#deps.store.list(merchantId);
  }

  activeVersion(merchantId: string): number {
    return this.#deps.active.current(merchantId)?.snapshot.version ?? 0;
  }

  /** A version, the active one for 0, with its document. */
  get(merchantId: string, version: number): Managed<{ readonly ruleSet: StoredRuleSet } & DocumentInput> {
    const wanted = version === 0 ? this.activeVersion(merchantId) : version;
    const ruleSet = this.#deps.store.get(merchantId, wanted);
    const document = this.#deps.store.document(merchantId, wanted);
    if (ruleSet === undefined || document === undefined) {
      return fail({ kind: "missing", what: "rule_set", id: version === 0 ? "active" : String(version) });
    }
    return succeed({ ruleSet, document, format: ruleSet.format });
  }

  /** Compares a version (0: the active one) with another (0: the newest) or with a document. */
  async diff(merchantId: string, fromVersion: number, target: DiffTarget): Promise<Managed<Diffed>> {
    const from = this.get(merchantId, fromVersion);
    if (!from.ok) return from;
    const before = this.#stored(merchantId, from.value.ruleSet, from.value.document);
    let after: CompileInput;
    if ("version" in target) {
      const newest = this.#deps.store.newestVersion(merchantId);
      const to = this.get(merchantId, target.version === 0 ? newest : target.version);
      if (!to.ok) return to;
      after = this.#stored(merchantId, to.value.ruleSet, to.value.document);
    } else after = this.#draft(merchantId, target);
    const compared = await this.#deps.compiler.diff(before, after);
    if (!compared.ok) return failDocument(compared.compilation);
    const { changes } = compared;
    return succeed({ changes, fromVersion: before.version, toVersion: after.version });
  }

  /** Compiles a version or a document to decide by without activating it, with the overrides of now held against it. */
  async draft(merchantId: string, target: DiffTarget): Promise<Managed<ActiveRuleSet>> {
    let input: CompileInput;
    if ("version" in target) {
      const stored = this.get(merchantId, target.version);
      if (!stored.ok) return stored;
      input = this.#stored(merchantId, stored.value.ruleSet, stored.value.document);
    } else input = this.#draft(merchantId, target);
    const result = await this.#deps.compiler.compile(input);
    if (!result.ok) return failDocument(result.compilation);
    return succeed(this.#withOverrides(merchantId, result.snapshot, this.#deps.clock.nowMs()));
  }

  /** Brings back what was active when the service stopped. False where the merchant has no activation. */
  async restore(merchantId: string): Promise<Managed<boolean>> {
    const last = this.#deps.store.activations(merchantId).at(-1);
    if (last === undefined) return succeed(false);
    const stored = this.get(merchantId, last.version);
    if (!stored.ok) return stored;
    const result = await this.#deps.compiler.compile(
      this.#stored(merchantId, stored.value.ruleSet, stored.value.document),
    );
    if (!result.ok) return failDocument(result.compilation);
    this.#deps.active.set(merchantId, this.#withOverrides(merchantId, result.snapshot, last.atMs));
    return succeed(true);
  }

  async #activate(input: ActivateInput, action: string): Promise<Managed<Activated>> {
    const current = this.activeVersion(input.merchantId);
    if (input.expectedActiveVersion !== undefined && input.expectedActiveVersion !== current) {
      return fail({ kind: "version_conflict", expected: input.expectedActiveVersion, current });
    }
    if (input.version < 1) return failInvalid("version", "required", "version is required");
    const stored = this.get(input.merchantId, input.version);
    if (!stored.ok) return stored;
    const { ruleSet, document } = stored.value;
    const prepared = await this.#prepare(this.#stored(input.merchantId, ruleSet, document), input);
    if (!prepared.ok) return prepared;
    await this.#audit(input.merchantId, input.author, action, ruleSet);
    await this.#swap(input.merchantId, ruleSet, input.author, prepared.value);
    return succeed({
      ruleSet,
      previousVersion: current,
      orphanedOverrides: [...prepared.value.orphans.keys()].sort(),
    });
  }

  /** Compiles what is to become active, once, beside what is. */
  async #prepare(input: CompileInput, permissions: Permissions): Promise<Managed<ActiveRuleSet>> {
    const before = this.#comparand({ merchantId: input.merchantId, ...permissions });
    if (!before.ok) return before;
    const compiled = await this.#deps.compiler.compile(input, before.value);
    if (!compiled.ok) return failDocument(compiled.compilation);
    return this.#admit(input.merchantId, compiled.snapshot, compiled.changes, permissions);
  }

  /** What was compiled before it was this push's turn; compared anew where another rule set became active meanwhile. */
  async #admitPushed(
    input: PushInput,
    { version }: StoredRuleSet,
    {
      draft,
      before,
      compiled,
    }: {
      readonly draft: CompileInput;
      readonly before: CompileInput | undefined;
      readonly compiled: Extract<CompileResult, { readonly ok: true }>;
    },
  ): Promise<Managed<ActiveRuleSet>> {
    const now = this.#comparand(input);
    if (!now.ok) return now;
    let { changes } = compiled;
    if (now.value !== undefined && now.value.version !== before?.version) {
      const compared = await this.#deps.compiler.diff(now.value, draft);
      if (!compared.ok) return failDocument(compared.compilation);
      changes = compared.changes;
    }
    return this.#admit(input.merchantId, { ...compiled.snapshot, version }, changes, input);
  }

  /** Refuses what needs a word first: a loosened law, orphaned overrides. */
  #admit(
    merchantId: string,
    snapshot: RuleSnapshot,
    changes: readonly RuleSetChange[],
    { confirmLoosening, allowOrphans }: Permissions,
  ): Managed<ActiveRuleSet> {
    const loosening = changes.filter(({ loosens }) => loosens);
    if (loosening.length > 0 && !confirmLoosening) {
      const named = loosening.map(
        ({ kind, section, id }) =>
          `${[section, id, kindWords[kind]].filter((part) => part !== "").join(" ")}, which may loosen the law`,
      );
      return failPrecondition("confirm_loosening", "loosening", named);
    }
    const next = this.#withOverrides(merchantId, snapshot, this.#deps.clock.nowMs());
    if (next.orphans.size > 0 && !allowOrphans) {
      const named = [...next.orphans].map(([id, missing]) => `override ${id}: ${missing.join(", ")}`);
      return failPrecondition("allow_orphans", "orphaned-overrides", named.sort());
    }
    return succeed(next);
  }

  /** The active rule set, which must not be loosened; undefined where there is none, or where it may be. */
  #comparand({
    merchantId,
    confirmLoosening,
  }: {
    readonly merchantId: string;
    readonly confirmLoosening: boolean;
  }): Managed<CompileInput | undefined> {
    const version = this.activeVersion(merchantId);
    if (confirmLoosening || version === 0) return succeed(undefined);
    const active = this.get(merchantId, version);
    return active.ok
      ? succeed(this.#stored(merchantId, active.value.ruleSet, active.value.document))
      : active;
  }

  async #swap(
    merchantId: string,
    ruleSet: StoredRuleSet,
    author: string,
    next: ActiveRuleSet,
  ): Promise<void> {
    const activation: Activation = { version: ruleSet.version, author, atMs: next.activeSinceMs };
    await this.#deps.store.activate(merchantId, activation);
    // Overrides may have been put while the activation was written.
    const fresh = this.#withOverrides(merchantId, next.snapshot, next.activeSinceMs);
    this.#deps.active.set(merchantId, fresh);
  }

  #withOverrides(merchantId: string, snapshot: RuleSnapshot, activeSinceMs: number): ActiveRuleSet {
    const { set, orphans } = this.#deps.overrides.compileFor(merchantId, snapshot);
    return { snapshot, overrides: set, orphans, activeSinceMs };
  }

  #versionBefore(merchantId: string): number | undefined {
    const activations = this.#deps.store.activations(merchantId);
    const current = activations.at(-1)?.version;
    return activations.findLast(({ version }) => version !== current)?.version;
  }

  #checkBase({ merchantId, baseVersion }: PushInput): ReturnType<typeof fail> | undefined {
    const current = this.#deps.store.newestVersion(merchantId);
    if (baseVersion === undefined || baseVersion === current) return undefined;
    return fail({ kind: "version_conflict", expected: baseVersion, current });
  }

  #draft(merchantId: string, { document, format }: DocumentInput): CompileInput {
    return { merchantId, document, format, version: 0, nowMs: this.#deps.clock.nowMs() };
  }

  /** A stored version is judged as of its push: an `until` that has passed since does not make it wrong. */
  #stored(
    merchantId: string,
    { version, format, pushedAtMs }: StoredRuleSet,
    document: Uint8Array,
  ): CompileInput {
    return { merchantId, document, format, version, nowMs: pushedAtMs };
  }

  #audit(merchantId: string, actor: string, action: string, { version, hash }: StoredRuleSet): Promise<void> {
    return this.#deps.audit.append({
      atMs: this.#deps.clock.nowMs(),
      merchantId,
      actor,
      action,
      subject: `rule_set/${version}`,
      detail: { version, hash },
    });
  }
}

const kindWords = { ADDED: "is new", REMOVED: "goes", CHANGED: "changes" } as const;

function failDocument({ faults, faultsOmitted }: Compilation): ReturnType<typeof fail> {
  return fail({ kind: "invalid_document", faults, faultsOmitted });
}

function failPrecondition(field: string, rule: string, messages: readonly string[]): ReturnType<typeof fail> {
  const listed = messages.slice(0, 32);
  return fail({ kind: "precondition", faults: listed.map((message) => ({ field, rule, message })) });
}
