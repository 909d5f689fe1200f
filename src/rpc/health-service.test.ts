import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.js";
import { startAdminServer } from "../wire/admin-server.ts";
import { startGrpcJsGateway } from "../wire/grpc-js-gateway.ts";
import type { Listener } from "../wire/transport.ts";
import { createHealth } from "./health-service.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
const NAME = "switchyard.v1.DecisionService";

const listeners: Listener[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((listener) => listener.stop(0))));

describe.each([
  { door: "gateway", start: startGrpcJsGateway },
  { door: "admin", start: startAdminServer },
])("health at the $door door", ({ start }) => {
  async function open() {
    const health = createHealth([NAME]);
    const listener = await start({
      port: 0,
      services: [health.service],
      onError: () => expect.unreachable(),
    });
    listeners.push(listener);
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${listener.port}` });
    return { health, listener, client: createClient(Health, transport) };
  }

  test("says no until told otherwise, for the server and for each service", async () => {
    const { health, client } = await open();
    expect(health.isServing()).toBe(false);
    expect((await client.check({})).status).toBe(NOT_SERVING);
    health.setServing(true);
    expect((await client.check({})).status).toBe(SERVING);
    expect((await client.check({ service: NAME })).status).toBe(SERVING);
    health.setServing(false);
    expect((await client.check({ service: NAME })).status).toBe(NOT_SERVING);
  });

  test("does not know other services", async () => {
    const { client } = await open();
    const failure = await client.check({ service: "nobody" }).then(
      () => expect.unreachable(),
      (thrown) => ConnectError.from(thrown),
    );
    expect(failure.code).toBe(Code.NotFound);
  });

  test("lists the server and its services", async () => {
    const { health, client } = await open();
    health.setServing(true);
    const { statuses } = await client.list({});
    expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).toEqual([
      ["", SERVING],
      [NAME, SERVING],
    ]);
  });

  test("tells a watcher the present and each change, once", async () => {
    const { health, client } = await open();
    const answers = client.watch({ service: NAME })[Symbol.asyncIterator]();
    const next = async () => (await answers.next()).value?.status;
    expect(await next()).toBe(NOT_SERVING);
    health.setServing(false);
    health.setServing(true);
    expect(await next()).toBe(SERVING);
    health.setServing(false);
    expect(await next()).toBe(NOT_SERVING);
  });

  test("keeps the watch of an unknown service open until the server stops", async () => {
    const { health, client, listener } = await open();
    const answers = client.watch({ service: "nobody" })[Symbol.asyncIterator]();
    expect((await answers.next()).value?.status).toBe(SERVICE_UNKNOWN);
    health.setServing(true);
    const later = answers.next();
    const ended = expect(later).rejects.toThrow(/server is stopping/);
    // An answer to a later call shows that the watch had its chance to end.
    expect((await client.check({})).status).toBe(SERVING);
    await listener.stop(1000);
    await ended;
  });
});
