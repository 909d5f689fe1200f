import type { Decider } from "../decide/decided.ts";
import type { ActiveRules } from "../manage/active-rules.ts";
import type { Merchants } from "../manage/merchants.ts";
import type { Overrides } from "../manage/overrides.ts";
import type { Players } from "../manage/players.ts";
import type { PspStates } from "../manage/psp-states.ts";
import type { RuleSets } from "../manage/rule-sets.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { ServiceImplementation } from "../wire/transport.ts";
import { makeDecisionService } from "./decision-service.ts";
import { guardService } from "./guard.ts";
import { makeOverrideService } from "./override-service.ts";
import { makePlayerService } from "./player-service.ts";
import { makePspService } from "./psp-service.ts";
import { makeRuleSetService } from "./rule-set-service.ts";
import { makeSimulate } from "./simulate.ts";

export type ServiceDeps = {
  readonly merchants: Merchants;
  readonly active: ActiveRules;
  readonly overrides: Overrides;
  readonly ruleSets: RuleSets;
  readonly pspStates: PspStates;
  readonly players: Players;
  readonly decider: Decider;
  readonly metrics: Metrics;
};

/** Which services each door has. */
export type Services = {
  readonly gatewayServices: readonly ServiceImplementation[];
  readonly adminServices: readonly ServiceImplementation[];
};

/** Makes the services: payments for both doors, the rest for admins alone. */
export function makeServices(deps: ServiceDeps): Services {
  const { merchants, active, decider, metrics } = deps;
  const simulate = makeSimulate(merchants, (draft, payment) => decider.simulate(draft, payment));
  const guard = (service: ServiceImplementation): ServiceImplementation =>
    guardService(service, (method, code) => metrics.countFailure(method, code));
  const decisions = guard(makeDecisionService(deps));
  const forAdmins = [
    makeRuleSetService({ ...deps, simulate }),
    makeOverrideService(deps),
    makePspService(deps),
    makePlayerService({
      ...deps,
      segmentsOf: (merchantId, player) => decider.segmentsOf(merchantId, player),
      isTimestamp: (merchantId, name) => isTimestamp(active, merchantId, name),
    }),
  ];
  return { gatewayServices: [decisions], adminServices: [decisions, ...forAdmins.map(guard)] };
}

function isTimestamp(active: ActiveRules, merchantId: string, name: string): boolean {
  if (name === "registered_at" || name === "birth_date") return true;
  return active.current(merchantId)?.snapshot.playerAttributes.get(name)?.type === "TIMESTAMP";
}
