import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock } from "../ports/clock.ts";
import type { PspStateKind, PspStateStore, StoredPspState } from "../ports/psp-state-store.ts";
import type { ActiveRules } from "./active-rules.ts";
import { fail, type Managed, succeed } from "./failure.ts";
import type { ChangeQueue } from "./queue.ts";

export type { PspStateKind };

export type PspStateDeps = {
  readonly store: PspStateStore;
  readonly active: ActiveRules;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: ChangeQueue;
};

/** A PSP at run time: what the rule set says and what people set. */
export type PspStatus = {
  readonly psp: string;
  readonly name: string;
  readonly enabledInRuleSet: boolean;
  readonly methods: readonly string[];
  /** `[fromMs, untilMs)`, ascending. */
  readonly maintenance: readonly { readonly fromMs: number; readonly untilMs: number }[];
  /** Undefined where nobody ever set one: ENABLED. */
  readonly set: StoredPspState | undefined;
};

const nothingSet: ReadonlyMap<string, PspStateKind> = new Map();

/** States that people set for PSPs. A state outlives the rule set that it was set under. */
export class PspStates {
  readonly #deps: PspStateDeps;
  /** States other than ENABLED by PSP: what a decision asks. */
  readonly #states = new Map<string, Map<string, PspStateKind>>();

  constructor(deps: PspStateDeps, merchantIds: Iterable<string>) {
    this.#deps = deps;
    for (const merchantId of merchantIds) {
      for (const state of deps.store.list(merchantId)) this.#remember(merchantId, state);
    }
  }

  /** States other than ENABLED, by PSP. */
  of(merchantId: string): ReadonlyMap<string, PspStateKind> {
    return this.#states.get(merchantId) ?? nothingSet;
  }

  list(merchantId: string): readonly PspStatus[] {
    const set = new Map(this.#deps.store.list(merchantId).map((state) => [state.psp, state]));
    const psps = this.#deps.active.current(merchantId)?.snapshot.psps ?? [];
    return psps.map(({ id, name, enabled, methods, maintenance }) => ({
      psp: id,
      name,
      enabledInRuleSet: enabled,
      methods: [...methods].sort(),
      maintenance,
      set: set.get(id),
    }));
  }

  set(merchantId: string, state: Omit<StoredPspState, "sinceMs">): Promise<Managed<PspStatus>> {
    return this.#deps.queue.run(merchantId, async () => {
      const { store, active, audit, clock } = this.#deps;
      if (active.current(merchantId)?.snapshot.pspOrdinals.has(state.psp) !== true) {
        return fail({ kind: "missing", what: "psp", id: state.psp });
      }
      const stored: StoredPspState = { ...state, sinceMs: clock.nowMs() };
      await store.put(merchantId, stored);
      await audit.append({
        atMs: stored.sinceMs,
        merchantId,
        actor: state.author,
        action: "psp.set_state",
        subject: `psp/${state.psp}`,
        detail: { state: state.state, reason: state.reason },
      });
      this.#remember(merchantId, stored);
      return succeed(this.list(merchantId).find(({ psp }) => psp === state.psp)!);
    });
  }

  #remember(merchantId: string, { psp, state }: StoredPspState): void {
    const states = new Map(this.#states.get(merchantId));
    if (state === "ENABLED") states.delete(psp);
    else states.set(psp, state);
    this.#states.set(merchantId, states);
  }
}
