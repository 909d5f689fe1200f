import { startApp } from "../app.ts";
import { loadConfig } from "../platform/config.ts";
import { tuneHeap } from "../platform/heap.ts";
import { openLog } from "../platform/log.ts";

/**
 * Serves until SIGTERM or SIGINT: environment, configuration, service, signals, ordered stop. A second signal ends it at once.
 *
 * Gives the exit code of the process: 0 after a stop, 1 where it can't start (with every fault on stderr), met a bug that it can't survive, or
 * was not let finish its stop.
 */
export async function serve(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  tuneHeap();
  const loaded = loadConfig(env);
  if (!loaded.ok) return refuse(loaded.faults);
  const { config } = loaded;
  const log = openLog(config.logLevel);
  const started = await startApp(config, log);
  if (!started.ok) return refuse(started.faults);
  const { app } = started;
  const { gateway, admin } = app;
  const { promise, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) {
      log.warn({ component: "main", signal }, "stopping at once: calls in flight are cut");
      resolve(1);
      return;
    }
    stopping = true;
    log.info({ component: "main", signal }, "stopping");
    app.stop().then(() => resolve(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // A rejection that nobody handles comes here, too.
  process.on("uncaughtException", (cause) => {
    log.fatal({ component: "main", err: cause }, "uncaught exception");
    stopping = true;
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
