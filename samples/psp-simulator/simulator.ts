/**
 * Several PSPs on loopback ports, each on its own so that it can refuse connections, and one port for whoever directs the simulation:
 *
 * | Control port | What |
 * |---|---|
 * | `GET /psps` | every PSP with its address and the outage that is on |
 * | `POST /outages` `{psp, kind, share, seconds}` | an outage from now on |
 * | `DELETE /outages/<psp>` | ends it |
 * | `GET /ledger` | authorisations and charges in numbers, and payments that were charged twice |
 * | `GET /ledger/<payment>` | every authorisation of a payment |
 * | `POST /stop` | ends the simulation |
 *
 * | Port of a PSP | What |
 * |---|---|
 * | `POST /authorisations`, header `idempotency-key` | authorise; `issuer.ts` has body and answer |
 * | `GET /authorisations/<key>` | what became of it; 404 where it is not known |
 * | `POST /authorisations/<key>/void` | void, also before it comes in where the PSP can |
 * | `POST /authorisations/<key>/refund` `{amountMinor}` | refund, the whole by default |
 * | `GET /settled` | every charge that stands |
 */
import { z } from "zod";
import { type Dice, makeDice } from "./dice.ts";
import { type Call, closeServer, listen, makeServer } from "./http.ts";
import { authorisationSchema } from "./issuer.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { openPsp, type Psp, type Reply } from "./psp.ts";
import type { Script } from "./script.ts";

export type Simulator = {
  /** Of the control port. */
  readonly url: string;
  readonly ledger: Ledger;
  readonly stop: () => Promise<void>;
};

/** How often a PSP looks whether it is to refuse connections. */
const outageTickMs = 20;
/** So that whoever asked for the end still hears. */
const stopAfterMs = 50;

const outageSchema = z.strictObject({
  psp: z.string(),
  kind: z.enum(["refuse", "unavailable", "code_96", "timeouts", "brown_out"]),
  share: z.number().min(0).max(1).default(1),
  seconds: z.number().positive().default(86_400),
});
const refundSchema = z.strictObject({ amountMinor: z.int().positive().optional() });

/** Starts the PSPs of the script. `port` is the control port, PSPs follow in order; 0 takes free ones. */
export async function startSimulator(script: Script, port = 0): Promise<Simulator> {
  const dice: Dice = makeDice(script.seed);
  const nowMs = Date.now;
  const ledger = openLedger(nowMs);
  const deps = { script, ledger, dice, nowMs, startMs: nowMs() };
  const doors = await Promise.all(
    script.psps.map((psp, at) => openDoor(openPsp(psp, deps), port === 0 ? 0 : port + 1 + at)),
  );
  const control = makeServer((call) => {
    if (call.path[0] !== "stop" || call.method !== "POST") return direct(call, doors, ledger);
    setTimeout(stop, stopAfterMs);
    return { status: 200, body: summarise(ledger) };
  });
  const controlPort = await listen(control, port);
  const stop = async (): Promise<void> => {
    await Promise.all([closeServer(control), ...doors.map(({ close }) => close())]);
  };
  return { url: `http://127.0.0.1:${controlPort}`, ledger, stop };
}

type Door = { readonly psp: Psp; readonly url: string; readonly close: () => Promise<void> };

/** The listener of one PSP, closed while it refuses connections. */
async function openDoor(psp: Psp, wantedPort: number): Promise<Door> {
  const server = makeServer((call) => serve(call, psp));
  server.keepAliveTimeout = 60_000;
  const refuses = () => psp.findOutage()?.kind === "refuse";
  const port = await listen(server, wantedPort);
  let isOpen = true;
  let turning: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    if (refuses() !== isOpen) return;
    isOpen = !isOpen;
    const turn = isOpen;
    turning = turning.then(async () => {
      if (turn) await listen(server, port);
      else await closeServer(server);
    });
  }, outageTickMs);
  return {
    psp,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      clearInterval(timer);
      await turning;
      if (isOpen) await closeServer(server);
    },
  };
}

function serve({ method, path, key, body }: Call, psp: Psp): Promise<Reply> | Reply {
  const [noun, id, verb] = path;
  if (noun === "settled" && method === "GET") return psp.listSettled();
  if (noun !== "authorisations") return notFound;
  if (id === undefined && method === "POST") {
    if (key === "") return { status: 400, body: { status: "key_missing" } };
    return psp.authorise(key, authorisationSchema.parse(body));
  }
  if (id === undefined) return notFound;
  if (verb === undefined && method === "GET") return psp.getStatus(id);
  if (verb === "void" && method === "POST") return psp.void(id);
  if (verb === "refund" && method === "POST") {
    return psp.refund(id, refundSchema.parse(body ?? {}).amountMinor);
  }
  return notFound;
}

function direct({ method, path, body }: Call, doors: readonly Door[], ledger: Ledger): Reply {
  const [noun, id] = path;
  if (noun === "psps" && method === "GET") return { status: 200, body: doors.map(describeDoor) };
  if (noun === "outages") {
    const outage = method === "POST" ? outageSchema.parse(body) : undefined;
    const door = doors.find(({ psp }) => psp.id === (outage?.psp ?? id));
    if (door === undefined) return notFound;
    if (outage !== undefined) door.psp.setOutage(outage);
    else door.psp.endOutage();
    return { status: 200, body: describeDoor(door) };
  }
  if (noun !== "ledger" || method !== "GET") return notFound;
  if (id !== undefined) return { status: 200, body: ledger.entries.filter(({ payment }) => payment === id) };
  return { status: 200, body: summarise(ledger) };
}

function describeDoor({ psp, url }: Door) {
  return { id: psp.id, url, outage: psp.findOutage()?.kind ?? null };
}

function summarise({ entries, findDoubles }: Ledger) {
  const charges = entries.filter(({ chargedMinor }) => chargedMinor > 0);
  return {
    authorisations: entries.length,
    charges: charges.length,
    voided: charges.filter(({ voided }) => voided).length,
    chargedTwice: findDoubles(),
  };
}

const notFound: Reply = { status: 404, body: { status: "no_such_thing" } };
