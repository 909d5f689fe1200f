import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AnalyticsService } from "../gen/switchyard/v1/analytics_pb.js";
import { DecisionService } from "../gen/switchyard/v1/decision_pb.js";
import { EventService } from "../gen/switchyard/v1/event_pb.js";
import { OverrideService } from "../gen/switchyard/v1/override_pb.js";
import { PlayerService } from "../gen/switchyard/v1/player_pb.js";
import { PspService } from "../gen/switchyard/v1/psp_pb.js";
import { RuleSetService } from "../gen/switchyard/v1/rule_set_service_pb.js";
import { usageFailure } from "./failure.ts";
import type { Io } from "./io.ts";

const adminDefault = "http://127.0.0.1:8080";
const gatewayDefault = "127.0.0.1:50051";
/** The longest that the admin listener accepts. */
const callTimeoutMs = 60_000;

/** Clients of the services of the admin listener. */
export type Admin = {
  readonly decisions: Client<typeof DecisionService>;
  readonly ruleSets: Client<typeof RuleSetService>;
  readonly overrides: Client<typeof OverrideService>;
  readonly psps: Client<typeof PspService>;
  readonly players: Client<typeof PlayerService>;
  readonly events: Client<typeof EventService>;
  readonly analytics: Client<typeof AnalyticsService>;
};

/** Opens clients of the admin listener; nothing is sent until the first call. */
export function openAdmin(url: string): Admin {
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    useBinaryFormat: true,
    defaultTimeoutMs: callTimeoutMs,
  });
  return {
    decisions: createClient(DecisionService, transport),
    ruleSets: createClient(RuleSetService, transport),
    overrides: createClient(OverrideService, transport),
    psps: createClient(PspService, transport),
    players: createClient(PlayerService, transport),
    events: createClient(EventService, transport),
    analytics: createClient(AnalyticsService, transport),
  };
}

/** Where the admin listener is: the option, else SWITCHYARD_CLI_ADMIN, else http://127.0.0.1:8080. */
export function findAdminUrl(option: string | undefined, env: Io["env"]): string {
  const text = option ?? (env.SWITCHYARD_CLI_ADMIN || adminDefault);
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageFailure(
      `the admin listener must be a URL such as ${adminDefault}, not ${JSON.stringify(text)}`,
    );
  }
  return url.href.replace(/\/$/, "");
}

/** Where the gateway listener is, and whether anybody said so. */
export type GatewayAddress = { readonly host: string; readonly port: number; readonly isDefault: boolean };

/** The option, else SWITCHYARD_CLI_GATEWAY, else 127.0.0.1:50051. */
export function findGateway(option: string | undefined, env: Io["env"]): GatewayAddress {
  const given = option ?? (env.SWITCHYARD_CLI_GATEWAY || undefined);
  const text = given ?? gatewayDefault;
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port === 0 || port > 65_535) {
    throw usageFailure(
      `the gateway listener must be HOST:PORT such as ${gatewayDefault}, not ${JSON.stringify(text)}`,
    );
  }
  return { host: match[1] ?? match[2]!, port, isDefault: given === undefined };
}

export function formatGateway({ host, port }: Pick<GatewayAddress, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
