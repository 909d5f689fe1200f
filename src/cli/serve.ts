import { startApp } from "../app.ts";
import { loadConfig } from "../platform/config.ts";
import { openLog } from "../platform/log.ts";

/**
 * Serves until SIGTERM or SIGINT: environment, configuration, service, signals, ordered stop.
 *
 * Gives the exit code of the process: 0 after a stop, 1 where it can't start (with every fault on stderr) or met a bug that it can't survive.
 */
export async function serve(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const loaded = loadConfig(env);
  if (!loaded.ok) return refuse(loaded.faults);
  const { config } = loaded;
  const log = openLog(config.logLevel);
  const started = await startApp(config, log);
  if (!started.ok) return refuse(started.faults);
  const { app } = started;
  const { gateway, admin } = app;
  const { promise, resolve } = Promise.withResolvers<number>();
  const stop = (signal: string): void => {
    log.info({ component: "main", signal }, "stopping");
    app.stop().then(() => resolve(0));
  };
  process.once("SIGTERM", () => stop("SIGTERM"));
  process.once("SIGINT", () => stop("SIGINT"));
  process.on("uncaughtException", (cause) => {
    log.fatal({ component: "main", err: cause }, "uncaught exception");
    app.stop().then(() => resolve(1));
  });
  log.info(
    { component: "main", gateway: `${gateway.host}:${gateway.port}`, admin: `${admin.host}:${admin.port}` },
    "serving",
  );
  return promise;
}

function refuse(faults: readonly string[]): number {
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return 1;
}
