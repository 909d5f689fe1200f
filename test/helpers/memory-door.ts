import type { DescService, Message } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import type { CallInfo, Door, ServiceImplementation } from "../../src/wire/transport.ts";

/** A client of services without a socket: messages go through Connect's in-memory transport. Unary calls only. */
export function connectInMemory<S extends DescService>(
  service: S,
  services: readonly ServiceImplementation[],
  door: Door,
): Client<S> {
  const transport = createRouterTransport((router) => {
    for (const { methods } of services) {
      for (const hosted of methods) {
        if (hosted.kind !== "unary") continue;
        router.rpc(hosted.method, (request: Message, context: HandlerContext) =>
          hosted.handle(request, describeCall(context, door)),
        );
      }
    }
  });
  return createClient(service, transport);
}

function describeCall(context: HandlerContext, door: Door): CallInfo {
  return {
    door,
    deadlineMs: undefined,
    header: (name) => context.requestHeader.get(name) ?? undefined,
    signal: () => context.signal,
    peer: () => "memory",
  };
}
