import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseCount, parsePositive } from "../arguments.ts";
import { findGateway, formatGateway, type GatewayAddress } from "../client.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { decodeText, readBytes } from "../files.ts";
import type { Context } from "../session.ts";
import { type ColumnMap, type Path, readColumnMap } from "./column-map.ts";
import { generatedRowsDefault, generatedRowsMax, generateExport } from "./corpus.ts";
import { startTemporaryService, type TemporaryService } from "./temporary-service.ts";

const mapBytesMax = 1_000_000;
const compressedBytesMax = 512 * 1024 * 1024;
/** A text of V8 holds at most about 512 million characters. */
const textBytesMax = 500_000_000;
const probeTimeoutMs = 2_000;

/** The options of commands that read an export by a column map. */
export type SourceOptions = {
  readonly map?: string;
  readonly merchant?: string;
  readonly generate?: string;
  readonly seed: string;
};

export type LoadedMap = { readonly map: ColumnMap; readonly locate: (path: Path) => string };

/** The sample map where rows are generated and nobody names another. */
const sampleMapFile = fileURLToPath(new URL("../../../samples/replay/sports-payments.yaml", import.meta.url));

export async function loadMap(
  { io }: Context,
  options: Pick<SourceOptions, "map" | "merchant" | "generate">,
): Promise<LoadedMap> {
  const file = options.map ?? (options.generate === undefined ? undefined : sampleMapFile);
  if (file === undefined)
    throw usageFailure("--map FILE is needed: it says which column is what (docs/replay.md)");
  const read = readColumnMap(decodeText(file, await readBytes(file, io, mapBytesMax)), file);
  if (!read.ok) throw new CliFailure("usage", read.faults);
  const { map, locate } = read;
  return { map: options.merchant === undefined ? map : { ...map, merchant: options.merchant }, locate };
}

/** `name` for people, `file` for faults. */
export type Source = { readonly name: string; readonly file: string; readonly text: string };

/** The text of an export, unpacked; a generated one where that is asked for, or where the file is not on this machine and the map names a shape. */
export async function loadSource(
  context: Context,
  options: SourceOptions,
  path: string | undefined,
  map: Pick<ColumnMap, "generated">,
): Promise<Source> {
  if (options.generate !== undefined) {
    if (path !== undefined) throw usageFailure("say either a FILE or --generate N");
    return generate(map, parsePositive("--generate", options.generate, generatedRowsMax), options);
  }
  if (path === undefined) throw usageFailure("say which FILE to read, or --generate N");
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(bytes instanceof Error)) return { name: path, file: path, text: await decodeExport(path, bytes) };
  if (bytes.code !== "ENOENT") throw usageFailure(`${path}: ${bytes.message}`);
  if (map.generated === undefined) throw usageFailure(`${path}: there is no such file`);
  context.note(
    `${path} is not on this machine: taking ${generatedRowsDefault} generated payments of the same shape instead (--generate N for another number)`,
  );
  return generate(map, generatedRowsDefault, options);
}

function generate(map: Pick<ColumnMap, "generated">, rows: number, options: SourceOptions): Source {
  if (map.generated === undefined) {
    throw usageFailure("the map names no `generated` shape, so nothing can be generated for it");
  }
  const seed = parseCount("--seed", options.seed);
  const name = `${rows} generated payments (${map.generated}, seed ${seed})`;
  return { name, file: "(generated)", text: generateExport({ rows, seed }) };
}

/** Unpacks what begins like gzip, whatever it is called. */
async function decodeExport(path: string, bytes: Uint8Array): Promise<string> {
  if (bytes.length > compressedBytesMax)
    throw usageFailure(`${path}: has more than ${compressedBytesMax} bytes`);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = isPacked
    ? await promisify(gunzip)(bytes, { maxOutputLength: textBytesMax }).catch((error: Error) => {
        throw usageFailure(`${path}: can't be unpacked: ${error.message}`);
      })
    : bytes;
  if (unpacked.length > textBytesMax) throw usageFailure(`${path}: has more than ${textBytesMax} bytes`);
  return decodeText(path, unpacked);
}

/** The running service; or one of its own, where that is asked for or nothing listens where nobody said that something would. */
export async function findService(
  context: Context,
  options: { readonly gateway?: string; readonly serve?: boolean },
): Promise<Pick<TemporaryService, "gateway" | "stop">> {
  const address = findGateway(options.gateway, context.io.env);
  const gateway = formatGateway(address);
  if (!options.serve) {
    if (await isListening(address)) return { gateway, stop: async () => {} };
    if (!address.isDefault) throw new CliFailure("unreachable", [`nothing listens on ${gateway}`]);
    context.note(`nothing listens on ${gateway}: starting a service for this replay, which keeps nothing`);
  }
  const service = await startTemporaryService(context.io.env);
  context.note(`the service for this replay listens on ${service.gateway}`);
  return service;
}

export function isListening({ host, port }: GatewayAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeTimeoutMs });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}
