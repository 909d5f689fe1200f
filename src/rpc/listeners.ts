import type { DescService } from "@bufbuild/protobuf";
import type { Address } from "../platform/config.ts";
import type { Metrics } from "../platform/metrics.ts";
import { startAdminServer } from "../wire/admin-server.ts";
import { startGrpcJsGateway } from "../wire/grpc-js-gateway.ts";
import type { PlainAnswer } from "../wire/plain-http.ts";
import type {
  Door,
  ErrorHook,
  GatewayTransport,
  Listener,
  ServiceImplementation,
} from "../wire/transport.ts";
import { createHealth, type HealthReporter } from "./health-service.ts";
import { createReflection } from "./reflection.ts";

/** What one call of the admin listener may ask of us. */
export const adminLimits = {
  /** A pushed rule set has at most 32 MiB, and a third more as base64 in JSON. */
  readBytesMax: 48 * 1024 * 1024,
  /** A simulation of 1,000 payments answers with 2,000 decisions. */
  writeBytesMax: 64 * 1024 * 1024,
  /** Compiling 10,000 rules takes seconds. */
  unaryTimeoutMsMax: 60_000,
} as const;

/** The transport of the gateway listener; a faster one takes its place here. */
const startGateway: GatewayTransport = startGrpcJsGateway;

export type DoorOptions = {
  readonly gateway: Address;
  readonly admin: Address;
  readonly gatewayServices: readonly ServiceImplementation[];
  readonly adminServices: readonly ServiceImplementation[];
  readonly metrics: Metrics;
  /** Why the process can't serve; empty where it can. */
  readonly findObstacles: () => readonly string[];
  readonly onError: ErrorHook;
};

/** Both listeners, with the one health that they tell. */
export type Doors = {
  readonly gateway: Listener;
  readonly admin: Listener;
  readonly health: HealthReporter;
};

/** Opens the gateway and the admin listener, each with health and reflection. Rejects where an address can't be bound. */
export async function openDoors(options: DoorOptions): Promise<Doors> {
  const { gatewayServices, adminServices, onError } = options;
  const health = createHealth([
    ...new Set([...gatewayServices, ...adminServices].map(({ service }) => service.typeName)),
  ]);
  const gateway = await nameAddress("gateway", options.gateway, () =>
    startGateway({
      ...options.gateway,
      services: addStandardServices(gatewayServices, health),
      onError,
    }),
  );
  try {
    const admin = await nameAddress("admin", options.admin, () =>
      startAdminServer({
        ...options.admin,
        services: addStandardServices(adminServices, health),
        routes: makeRoutes(options, health),
        onError,
        limits: adminLimits,
      }),
    );
    return { gateway, admin, health };
  } catch (cause) {
    await gateway.stop(0);
    throw cause;
  }
}

/** Says which listener it was, and where, that couldn't be opened. */
async function nameAddress(
  door: Door,
  { host, port }: Address,
  start: () => Promise<Listener>,
): Promise<Listener> {
  try {
    return await start();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the ${door} listener can't be opened on ${host}:${port}: ${why}`, { cause });
  }
}

function addStandardServices(
  services: readonly ServiceImplementation[],
  health: HealthReporter,
): readonly ServiceImplementation[] {
  const described: readonly DescService[] = [
    ...services.map(({ service }) => service),
    health.service.service,
  ];
  return [...services, health.service, ...createReflection(described)];
}

function makeRoutes(
  { metrics, findObstacles }: DoorOptions,
  health: HealthReporter,
): Record<string, () => PlainAnswer | Promise<PlainAnswer>> {
  return {
    // The process lives, whatever it can do.
    "/healthz": () => ({ status: 200, contentType: "text/plain; charset=utf-8", body: "ok\n" }),
    "/readyz": () => {
      const found = findObstacles();
      const obstacles = found.length > 0 || health.isServing() ? found : ["starting or stopping"];
      return {
        status: obstacles.length === 0 ? 200 : 503,
        contentType: "text/plain; charset=utf-8",
        body: obstacles.length === 0 ? "ready\n" : `${obstacles.join("\n")}\n`,
      };
    },
    "/metrics": async () => ({
      status: 200,
      contentType: metrics.registry.contentType,
      body: await metrics.render(),
    }),
  };
}
