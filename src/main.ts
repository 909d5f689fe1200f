import { startApp } from "./app.ts";
import { loadConfig } from "./platform/config.ts";
import { openLog } from "./platform/log.ts";

/** Front step: environment, configuration, service, signals, ordered stop. Exits 1 where it can't start, with every fault on stderr. */
async function main(): Promise<void> {
  const loaded = loadConfig(process.env);
  if (!loaded.ok) {
    for (const fault of loaded.faults) process.stderr.write(`${fault}\n`);
    process.exit(1);
  }
  const { config } = loaded;
  const log = openLog(config.logLevel);
  const started = await startApp(config, log);
  if (!started.ok) {
    for (const fault of started.faults) process.stderr.write(`${fault}\n`);
    process.exit(1);
  }
  const { app } = started;
  const stop = (signal: string): void => {
    log.info({ component: "main", signal }, "stopping");
    app.stop().then(() => process.exit(0));
  };
  process.once("SIGTERM", () => stop("SIGTERM"));
  process.once("SIGINT", () => stop("SIGINT"));
  process.on("uncaughtException", (cause) => {
    log.fatal({ component: "main", err: cause }, "uncaught exception");
    app.stop().then(() => process.exit(1));
  });
  const { gateway, admin } = app;
  log.info(
    { component: "main", gateway: `${gateway.host}:${gateway.port}`, admin: `${admin.host}:${admin.port}` },
    "serving",
  );
}

await main();
