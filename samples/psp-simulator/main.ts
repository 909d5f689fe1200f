/** `node samples/psp-simulator/main.ts [--psps FILE] [--port PORT] [--seed SEED]`: PSPs to try a gateway against, until Ctrl-C. */
import { parseArgs } from "node:util";
import { readScript } from "./script.ts";
import { startSimulator } from "./simulator.ts";

const { values } = parseArgs({
  options: {
    psps: { type: "string", default: `${import.meta.dirname}/psps.yaml` },
    port: { type: "string", default: "9400" },
    seed: { type: "string" },
  },
});
const script = await readScript(values.psps);
const simulator = await startSimulator(
  values.seed === undefined ? script : { ...script, seed: values.seed },
  Number(values.port),
);
console.log(`${script.psps.length} PSPs; direct them at ${simulator.url}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void simulator.stop());
