import { readFile, stat } from "node:fs/promises";
import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { parse } from "yaml";
import { Document_Format } from "../gen/switchyard/v1/rule_set_service_pb.js";
import { usageFailure } from "./failure.ts";
import type { Io } from "./io.ts";

const documentBytesMax = 32 * 1024 * 1024;
const messageBytesMax = 1024 * 1024;

export type DocumentFile = { readonly content: Uint8Array; readonly format: Document_Format };

/** Reads a rule set; `.json` is JSON, `.binpb` and `.pb` the binary form, anything else YAML. `-` is stdin. */
export async function readDocumentFile(path: string, io: Io): Promise<DocumentFile> {
  return { content: await readBytes(path, io, documentBytesMax), format: formatOf(path) };
}

function formatOf(path: string): Document_Format {
  if (path.endsWith(".json")) return Document_Format.JSON;
  if (/\.(?:binpb|pb)$/.test(path)) return Document_Format.PROTOBUF;
  return Document_Format.YAML;
}

/**
 * Reads a file (or stdin for `-`) of at most `bytesMax` bytes.
 *
 * Fails: as wrong usage, naming the file.
 */
export async function readBytes(path: string, io: Io, bytesMax: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    if (path !== "-" && (await stat(path)).size > bytesMax)
      throw new Error(`has more than ${bytesMax} bytes`);
    bytes = path === "-" ? await io.readStdin() : await readFile(path);
  } catch (error) {
    throw usageFailure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (bytes.length > bytesMax) throw usageFailure(`${path}: has more than ${bytesMax} bytes`);
  return bytes;
}

/** As text; bytes that are no UTF-8 are refused. */
export function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw usageFailure(`${path}: is no UTF-8 text`);
  }
}

/** Reads one message from a file of at most 1 MiB, in YAML or JSON, by the JSON mapping of protobuf. Unknown fields are refused. */
export async function readMessageFile<Desc extends DescMessage>(
  path: string,
  schema: Desc,
  io: Io,
): Promise<MessageShape<Desc>> {
  const text = decodeText(path, await readBytes(path, io, messageBytesMax));
  return parseMessage(path, text, schema);
}

/** `where` is what a fault is named after, such as `payments.jsonl:3`. */
export function parseMessage<Desc extends DescMessage>(
  where: string,
  text: string,
  schema: Desc,
): MessageShape<Desc> {
  try {
    // JSON is YAML; plain timestamps stay text, as protobuf wants them.
    const value: unknown = parse(text, { schema: "core", maxAliasCount: 0, uniqueKeys: true });
    return fromJson(schema, value as JsonValue);
  } catch (error) {
    throw usageFailure(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
