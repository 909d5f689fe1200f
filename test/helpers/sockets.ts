/** Clients that do what no library would: byte by byte, silent, or broken. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A raw connection that keeps what it hears. */
export interface RawClient {
  readonly socket: Socket;
  heard(): string;
  /** Ends when the other side has closed; a reset counts as closed. */
  readonly closed: Promise<void>;
}

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");
  return { socket, closed, heard: () => Buffer.concat(chunks).toString("latin1") };
}

/** Resolves as soon as what was heard matches. */
export async function hear(client: RawClient, pattern: RegExp): Promise<string> {
  while (!pattern.test(client.heard())) await once(client.socket, "data");
  return client.heard();
}

interface Line {
  readonly port: number;
  close(): void;
}

/** A line to a port on which each byte of the client travels alone; answers travel as they are. */
export function startByteByByteLine(port: number): Promise<Line> {
  return startLine(port, async (chunk, to) => {
    for (const byte of chunk) {
      to.write(Uint8Array.of(byte));
      // One turn of the event loop, so that the kernel sends each byte by itself.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
}

/** A line to a port that, once told to hold, keeps the client's bytes until it is told to let them go. */
export async function startHoldingLine(
  port: number,
): Promise<Line & { hold(): { readonly held: Promise<void>; letGo(): void } }> {
  let holding: { readonly gate: Promise<void>; readonly onHeld: () => void } | undefined;
  const line = await startLine(port, async (chunk, to) => {
    holding?.onHeld();
    await holding?.gate;
    to.write(chunk);
  });
  return {
    ...line,
    hold() {
      const gate = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      holding = { gate: gate.promise, onHeld: held.resolve };
      return { held: held.promise, letGo: gate.resolve };
    },
  };
}

async function startLine(port: number, carry: (chunk: Buffer, to: Socket) => Promise<void>): Promise<Line> {
  const sockets = new Set<Socket>();
  const line = createServer((from) => {
    const to = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        from.destroy();
        to.destroy();
      });
    }
    to.pipe(from);
    void carryAll(from, (chunk) => carry(chunk, to));
  });
  await once(line.listen(0, "127.0.0.1"), "listening");
  return {
    port: (line.address() as AddressInfo).port,
    close() {
      line.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function carryAll(from: Socket, carry: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of from) await carry(chunk as Buffer);
  } catch {
    // The client hung up.
  }
}
