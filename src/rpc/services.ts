import type { ResponseCode } from "../core/retry/answer.ts";
import { type CodeTable, codeTableOf } from "../core/retry/code-table.ts";
import type { Decider, Reporter } from "../decide/decided.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { MembershipTracker } from "../ingest/membership/tracker.ts";
import type { ActiveRules } from "../manage/active-rules.ts";
import type { Deletions } from "../manage/deletions.ts";
import type { Merchants } from "../manage/merchants.ts";
import type { Overrides } from "../manage/overrides.ts";
import type { OwnLimits } from "../manage/own-limits.ts";
import type { Players } from "../manage/players.ts";
import type { PspStates } from "../manage/psp-states.ts";
import type { RuleSets } from "../manage/rule-sets.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { ServiceImplementation } from "../wire/transport.ts";
import { makeAnalyticsService } from "./analytics-service.ts";
import { makeDecisionService } from "./decision-service.ts";
import { makeEventService } from "./event-service.ts";
import { guardService } from "./guard.ts";
import { type MembershipHandlerDeps, makeMembershipHandlers } from "./memberships.ts";
import { makeOverrideService } from "./override-service.ts";
import { makePlayerService } from "./player-service.ts";
import { makePspService, type PspServiceDeps } from "./psp-service.ts";
import { makeRuleSetService } from "./rule-set-service.ts";
import { makeSimulate } from "./simulate.ts";

export type ServiceDeps = {
  readonly merchants: Merchants;
  readonly active: ActiveRules;
  readonly overrides: Overrides;
  readonly ruleSets: RuleSets;
  readonly pspStates: PspStates;
  readonly breakers: PspServiceDeps["breakers"];
  readonly players: Players;
  readonly ownLimits: OwnLimits;
  readonly deletions: Deletions;
  readonly memberships: MembershipTracker;
  readonly survey: MembershipHandlerDeps["survey"];
  readonly decider: Decider;
  readonly reporter: Reporter;
  readonly ingest: Ingest;
  readonly metrics: Metrics;
};

/** Which services each door has. */
export type Services = {
  readonly gatewayServices: readonly ServiceImplementation[];
  readonly adminServices: readonly ServiceImplementation[];
};

const noResponseCodes: readonly ResponseCode[] = [];

/** Makes the services: payments and events for both doors, the rest for admins alone. */
export function makeServices(deps: ServiceDeps): Services {
  const { merchants, decider, metrics } = deps;
  const simulate = makeSimulate(merchants, (draft, payment) => decider.simulate(draft, payment));
  const guard = (service: ServiceImplementation): ServiceImplementation =>
    guardService(service, (method, code) => metrics.countFailure(method, code));
  const codeTable = (merchantId: string): CodeTable =>
    codeTableOf(deps.active.current(merchantId)?.snapshot.responseCodes ?? noResponseCodes);
  const forBoth = [makeDecisionService({ ...deps, codeTable }), makeEventService(deps)].map(guard);
  const forAdmins = [
    makeRuleSetService({ ...deps, simulate }),
    makeOverrideService(deps),
    makePspService(deps),
    makePlayerService({ ...deps, memberships: makeMembershipHandlers(deps) }),
    makeAnalyticsService(deps),
  ].map(guard);
  return { gatewayServices: forBoth, adminServices: [...forBoth, ...forAdmins] };
}
