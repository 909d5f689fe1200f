/** The little of HTTP that the simulator needs. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Reply } from "./psp.ts";

/** Greatest body in bytes. */
const bodyMax = 64 * 1024;

export type Call = {
  readonly method: string;
  /** Path in parts, decoded: `/a/b%20c` is `["a", "b c"]`. */
  readonly path: readonly string[];
  readonly key: string;
  /** Parsed JSON; undefined where there is none. */
  readonly body: unknown;
};

/** A server that answers calls with JSON. What the handler throws is answered 400. */
export function makeServer(handle: (call: Call) => Promise<Reply> | Reply): Server {
  return createServer((request, response) => {
    void answer(request, response, handle);
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (call: Call) => Promise<Reply> | Reply,
): Promise<void> {
  try {
    const text = await readBody(request);
    const path = new URL(request.url ?? "/", "http://psp").pathname.split("/").slice(1);
    const reply = await handle({
      method: request.method ?? "GET",
      path: path.map((part) => decodeURIComponent(part)),
      key: String(request.headers["idempotency-key"] ?? ""),
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
    });
    // Whoever is not answered finds out by waiting.
    if (reply !== "silent") send(response, reply.status, reply.body);
  } catch (error) {
    send(response, 400, { status: "bad_request", message: (error as Error).message });
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyMax) throw new Error(`the body has more than ${bodyMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed || response.headersSent) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

/** Listens on a loopback port; 0 takes a free one. Gives the port. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
