import type { Socket } from "node:net";

/** What a client of HTTP/2 in clear text always sends first (RFC 9113, section 3.4). */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export interface SplitTargets {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/**
 * Reads the first bytes of a connection, however they are cut, and hands it over exactly once with those bytes put
 * back: to http2 when they are the whole preface of HTTP/2, to http1 at the first byte that is not of it.
 *
 * A client that has not made itself known within timeoutMs is cut off, as is one that hangs up or fails before.
 * The returned function cuts it off, too; after the hand-over it does nothing.
 */
export function splitProtocol(socket: Socket, timeoutMs: number, targets: SplitTargets): () => void {
  const chunks: Buffer[] = [];
  let matched = 0;
  let released = false;
  const timer = setTimeout(giveUp, timeoutMs);
  socket.on("data", onData);
  socket.once("end", giveUp);
  socket.once("error", giveUp);
  socket.once("close", release);
  return giveUp;

  function onData(chunk: Buffer): void {
    chunks.push(chunk);
    for (const byte of chunk) {
      const target = byte === HTTP2_PREFACE[matched++] ? targets.http2 : targets.http1;
      if (target === targets.http1 || matched === HTTP2_PREFACE.length) {
        handOver(target);
        return;
      }
    }
  }

  function handOver(target: (socket: Socket) => void): void {
    release();
    // Paused while it changes hands, so that nothing is read between the bytes put back and the new owner.
    socket.pause();
    socket.unshift(Buffer.concat(chunks));
    target(socket);
  }

  function giveUp(): void {
    if (!release()) return;
    socket.on("error", ignore);
    socket.destroy();
  }

  function release(): boolean {
    if (released) return false;
    released = true;
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("end", giveUp);
    socket.off("error", giveUp);
    socket.off("close", release);
    return true;
  }
}

function ignore(): void {}
