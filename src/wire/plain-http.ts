import type { IncomingMessage, ServerResponse } from "node:http";
import type { ErrorHook } from "./transport.ts";

/** What a plain HTTP route answers. */
export interface PlainAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers GET and HEAD of one path. */
export type PlainRoute = () => PlainAnswer | Promise<PlainAnswer>;

/** Answers a request that is no call: from the route of its path, or as not found. Never rejects. */
export async function answerPlain(
  routes: ReadonlyMap<string, PlainRoute>,
  req: IncomingMessage,
  res: ServerResponse,
  onError: ErrorHook,
): Promise<void> {
  const path = readPath(req);
  const route = routes.get(path);
  if (route === undefined) {
    sendPlain(res, makeText(404, "not found"));
  } else if (req.method !== "GET" && req.method !== "HEAD") {
    sendPlain(res, makeText(405, "method not allowed"));
  } else {
    sendPlain(res, await runRoute(route, path, onError));
  }
}

async function runRoute(route: PlainRoute, path: string, onError: ErrorHook): Promise<PlainAnswer> {
  try {
    return await route();
  } catch (thrown) {
    onError(thrown, path);
    return makeText(500, "internal error");
  }
}

/** The path of a request without its query. */
export function readPath(req: IncomingMessage): string {
  return (req.url ?? "").split("?", 1)[0] ?? "";
}

/** A short answer in plain text. */
export function makeText(status: number, text: string): PlainAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}

/** Sends an answer, unless the client is gone. */
export function sendPlain(res: ServerResponse, { status, contentType, body }: PlainAnswer): void {
  if (res.destroyed || res.headersSent) return;
  res.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
  res.end(body);
}

/** Lets an answer of HTTP/1.1 whose head is not out yet tell its client that the connection ends with it. */
export function askToClose(res: ServerResponse): void {
  // HTTP/2 has GOAWAY for this, and no such header.
  if (!("stream" in res) && !res.headersSent) res.setHeader("connection", "close");
}
