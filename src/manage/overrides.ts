import type { FieldFault } from "../core/field-fault.ts";
import { createOverrideCompiler } from "../core/rules/compile-override.ts";
import { buildOverrideSet, type CompiledOverride, type OverrideSet } from "../core/rules/override-set.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock } from "../ports/clock.ts";
import type { OverrideStore, StoredOverride } from "../ports/override-store.ts";
import type { ActiveRules } from "./active-rules.ts";
import { fail, type Managed, succeed } from "./failure.ts";
import type { ChangeQueue } from "./queue.ts";

/** Overrides of one merchant that have not ended. Each is looked at when rule sets are swapped, on the serving loop. */
const overridesMax = 1_000;
const lifetimeMsMax = 90 * 86_400_000;

export type { StoredOverride };

export type OverrideDeps = {
  readonly store: OverrideStore;
  readonly active: ActiveRules;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: ChangeQueue;
};

export type OverrideState = "ACTIVE" | "SCHEDULED" | "EXPIRED" | "ORPHANED";

export type OverrideStatus = {
  readonly override: StoredOverride;
  readonly state: OverrideState;
  /** Why it is inert under the active rule set, such as a PSP that is gone; sorted. */
  readonly missing: readonly string[];
};

export type PutOverrideInput = {
  readonly merchantId: string;
  /** `fromMs` undefined: from now. */
  readonly override: Omit<StoredOverride, "fromMs"> & { readonly fromMs: number | undefined };
  readonly expectedRevision: number | undefined;
};

export type OverrideChange = { readonly status: OverrideStatus; readonly revision: number };

/** Manual rules, read live: what is put or ended acts from the next decision on. */
export class Overrides {
  readonly #deps: OverrideDeps;

  constructor(deps: OverrideDeps) {
    this.#deps = deps;
  }

  put(input: PutOverrideInput): Promise<Managed<OverrideChange>> {
    return this.#deps.queue.run(input.merchantId, async () => {
      const { store, clock } = this.#deps;
      const current = store.revision(input.merchantId);
      if (input.expectedRevision !== undefined && input.expectedRevision !== current) {
        return fail({ kind: "version_conflict", expected: input.expectedRevision, current });
      }
      const nowMs = clock.nowMs();
      const override: StoredOverride = { ...input.override, fromMs: input.override.fromMs ?? nowMs };
      const faults = this.#check(input.merchantId, override, nowMs);
      if (faults.length > 0) return fail({ kind: "invalid", faults });
      return succeed(await this.#keep(input.merchantId, override, override.author, "override.put"));
    });
  }

  /** Ends an override now; one that has ended stays as it is. */
  expire(merchantId: string, id: string, author: string): Promise<Managed<OverrideChange>> {
    return this.#deps.queue.run(merchantId, async () => {
      const override = this.#deps.store.list(merchantId).find((each) => each.id === id);
      if (override === undefined) return fail({ kind: "missing", what: "override", id });
      const nowMs = this.#deps.clock.nowMs();
      if (override.untilMs <= nowMs) {
        return succeed({ status: this.#statusOf(merchantId, override), revision: this.revision(merchantId) });
      }
      // One that has not begun ends before it begins.
      const ended = { ...override, fromMs: Math.min(override.fromMs, nowMs), untilMs: nowMs };
      return succeed(await this.#keep(merchantId, ended, author, "override.expire"));
    });
  }

  list(merchantId: string, includeExpired: boolean): readonly OverrideStatus[] {
    const all = this.#deps.store.list(merchantId).map((override) => this.#statusOf(merchantId, override));
    return includeExpired ? all : all.filter(({ state }) => state !== "EXPIRED");
  }

  revision(merchantId: string): number {
    return this.#deps.store.revision(merchantId);
  }

  /** Holds the overrides that have not ended against a rule set; those that name what it does not have are orphans, and inert. */
  compileFor(
    merchantId: string,
    snapshot: RuleSnapshot,
  ): { readonly set: OverrideSet; readonly orphans: ReadonlyMap<string, readonly string[]> } {
    const nowMs = this.#deps.clock.nowMs();
    const compiler = createOverrideCompiler(snapshot);
    const overrides: CompiledOverride[] = [];
    const orphans = new Map<string, readonly string[]>();
    for (const stored of this.#deps.store.list(merchantId)) {
      if (stored.untilMs <= nowMs) continue;
      const result = compiler.compile(stored);
      if (result.ok) overrides.push(result.override);
      else orphans.set(stored.id, result.faults.map(({ message }) => message).sort());
    }
    const revision = this.#deps.store.revision(merchantId);
    return { set: buildOverrideSet({ revision, slots: compiler.slots, overrides }), orphans };
  }

  #check(merchantId: string, override: StoredOverride, nowMs: number): readonly FieldFault[] {
    const faults: FieldFault[] = [];
    const note = (field: string, rule: string, message: string): void => {
      faults.push({ field: `override.${field}`, rule, message });
    };
    if (override.untilMs <= override.fromMs) note("until", "after-from", "until must be after from");
    if (override.untilMs <= nowMs) note("until", "in-the-future", "until must be in the future");
    if (override.untilMs - override.fromMs > lifetimeMsMax)
      note("until", "at-most-90-days", "an override lives at most 90 days");
    const living = this.#deps.store
      .list(merchantId)
      .filter(({ id, untilMs }) => untilMs > nowMs && id !== override.id);
    if (living.length >= overridesMax)
      note("id", "too-many", `a merchant has at most ${overridesMax} overrides at a time`);
    const active = this.#deps.active.current(merchantId);
    if (active === undefined) {
      note(
        "effects",
        "no-active-rule-set",
        "the merchant has no active rule set that an override could be held against",
      );
      return faults;
    }
    const result = createOverrideCompiler(active.snapshot).compile(override);
    if (!result.ok) {
      faults.push(...result.faults.map((fault) => ({ ...fault, field: `override.${fault.field}` })));
    }
    return faults;
  }

  async #keep(
    merchantId: string,
    override: StoredOverride,
    actor: string,
    action: string,
  ): Promise<OverrideChange> {
    const { store, audit, clock, active } = this.#deps;
    const revision = store.revision(merchantId) + 1;
    await store.put(merchantId, override, revision);
    await audit.append({
      atMs: clock.nowMs(),
      merchantId,
      actor,
      action,
      subject: `override/${override.id}`,
      detail: { revision, until_ms: override.untilMs, reason: override.reason },
    });
    const current = active.current(merchantId);
    if (current !== undefined) {
      const { set, orphans } = this.compileFor(merchantId, current.snapshot);
      active.set(merchantId, { ...current, overrides: set, orphans });
    }
    return { status: this.#statusOf(merchantId, override), revision };
  }

  #statusOf(merchantId: string, override: StoredOverride): OverrideStatus {
    const nowMs = this.#deps.clock.nowMs();
    const missing = this.#deps.active.current(merchantId)?.orphans.get(override.id) ?? [];
    const state = (): OverrideState => {
      if (override.untilMs <= nowMs) return "EXPIRED";
      if (missing.length > 0) return "ORPHANED";
      return override.fromMs > nowMs ? "SCHEDULED" : "ACTIVE";
    };
    return { override, state: state(), missing };
  }
}
