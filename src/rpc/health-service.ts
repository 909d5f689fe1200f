import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
} from "../gen/grpc/health/v1/health_pb.js";
import { type CallInfo, implementService, type ServiceImplementation } from "../wire/transport.ts";

/** Whether we serve, and the standard service that tells it. */
export interface HealthReporter {
  readonly service: ServiceImplementation;
  isServing(): boolean;
  /** Tells every watcher at once. */
  setServing(serving: boolean): void;
}

/**
 * The standard health service (grpc.health.v1) for the whole server and for each named service: all of them serve, or
 * none does.
 *
 * Fails: Check of an unknown service is NotFound; Watch of one answers SERVICE_UNKNOWN and stays open, as the protocol
 * says.
 * Source: proto/grpc/health/v1/health.proto
 */
export function createHealth(serviceNames: readonly string[]): HealthReporter {
  const known = new Set(["", ...serviceNames]);
  const watchers = new Set<() => void>();
  let serving = false;

  function report(service: string): HealthCheckResponse {
    const { SERVICE_UNKNOWN, SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
    const status = known.has(service) ? (serving ? SERVING : NOT_SERVING) : SERVICE_UNKNOWN;
    return create(HealthCheckResponseSchema, { status });
  }

  async function* watch(service: string, call: CallInfo): AsyncGenerator<HealthCheckResponse> {
    const signal = call.signal();
    let sent: HealthCheckResponse | undefined;
    while (!signal.aborted) {
      const now = report(service);
      if (now.status !== sent?.status) {
        sent = now;
        yield now;
        // The status may have changed while the caller took this one.
        continue;
      }
      await waitForChange(signal);
    }
  }

  function waitForChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        watchers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      watchers.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  const service = implementService(Health, {
    check({ service }) {
      if (!known.has(service)) throw new ConnectError("unknown service", Code.NotFound);
      return report(service);
    },
    list() {
      const statuses = Object.fromEntries([...known].map((name) => [name, report(name)]));
      return create(HealthListResponseSchema, { statuses });
    },
    watch: ({ service }, call) => watch(service, call),
  });

  return {
    service,
    isServing: () => serving,
    setServing(next) {
      serving = next;
      for (const wake of [...watchers]) wake();
    },
  };
}
