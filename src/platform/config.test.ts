import { describe, expect, test } from "vitest";
import { loadConfig, settings } from "./config.ts";

describe("loadConfig", () => {
  test("gives the defaults for an empty environment", () => {
    expect(loadConfig({})).toEqual({
      ok: true,
      config: {
        gateway: { host: "127.0.0.1", port: 50051 },
        admin: { host: "127.0.0.1", port: 8080 },
        dataDirectory: "./data",
        merchantsFile: "samples/merchants.yaml",
        binFile: "samples/bin-ranges.csv",
        logLevel: "info",
        stopGraceMs: 10_000,
      },
    });
    expect(Object.keys(settings)).toHaveLength(7);
  });

  test("reads IPv6 addresses in brackets", () => {
    const result = loadConfig({ SWITCHYARD_ADMIN_ADDRESS: "[::1]:0" });
    expect(result.ok && result.config.admin).toEqual({ host: "::1", port: 0 });
  });

  test("lists every fault at once", () => {
    const result = loadConfig({
      SWITCHYARD_GATEWAY_ADDRESS: "nowhere",
      SWITCHYARD_ADMIN_ADDRESS: "0.0.0.0:8080",
      SWITCHYARD_LOG_LEVEL: "loud",
      SWITCHYARD_STOP_GRACE_MS: "-1",
      SWITCHYARD_GATEWAY_ADRESS: "127.0.0.1:1",
    });
    expect(result.ok ? [] : result.faults.map((fault) => fault.split(":")[0])).toEqual([
      "SWITCHYARD_ADMIN_ADDRESS",
      "SWITCHYARD_GATEWAY_ADDRESS",
      "SWITCHYARD_GATEWAY_ADRESS",
      "SWITCHYARD_LOG_LEVEL",
      "SWITCHYARD_STOP_GRACE_MS",
    ]);
  });

  test.each(["0.0.0.0:8080", "10.0.0.7:8080", "[::]:8080"])(
    "refuses the admin address %s, which is not loopback",
    (text) => {
      const result = loadConfig({ SWITCHYARD_ADMIN_ADDRESS: text });
      expect(result.ok ? [] : result.faults).toEqual([expect.stringContaining("must be a loopback address")]);
    },
  );

  test("lets the gateway listen anywhere", () => {
    expect(loadConfig({ SWITCHYARD_GATEWAY_ADDRESS: "0.0.0.0:50051" }).ok).toBe(true);
  });

  test("goes without a BIN table where told so", () => {
    const result = loadConfig({ SWITCHYARD_BIN_FILE: "none" });
    expect(result.ok && result.config.binFile).toBeUndefined();
  });

  test("leaves variables of the tools alone", () => {
    expect(loadConfig({ SWITCHYARD_TEST_CASES: "20" }).ok).toBe(true);
  });
});
