import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { HostedMethod, ServiceImplementation } from "../wire/transport.ts";
import { unavailable } from "./errors.ts";

/** Told of each call that fails: the full name of its method and its gRPC code, such as `RESOURCE_EXHAUSTED`. */
export type CountFailure = (method: string, code: string) => void;

/**
 * The same service, with what every call has in common: a store that can't be read or written is Unavailable with RetryInfo, whichever
 * method met it, and each failure is counted. Handlers that answer at once still do.
 */
export function guardService(
  { service, methods }: ServiceImplementation,
  countFailure: CountFailure,
): ServiceImplementation {
  return { service, methods: methods.map((hosted) => guardMethod(hosted, countFailure)) };
}

function guardMethod(hosted: HostedMethod, countFailure: CountFailure): HostedMethod {
  const name = `${hosted.method.parent.typeName}/${hosted.method.name}`;
  const fail = (thrown: unknown): never => {
    const failure = toCallFailure(thrown);
    countFailure(name, nameCode(failure));
    throw failure;
  };
  switch (hosted.kind) {
    case "unary": {
      const { kind, method, handle, read } = hosted;
      return {
        kind,
        method,
        read,
        handle: (request, call) => {
          try {
            const answer = handle(request, call);
            return answer instanceof Promise ? answer.catch(fail) : answer;
          } catch (thrown) {
            return fail(thrown);
          }
        },
      };
    }
    case "client_streaming": {
      const { kind, method, handle, read } = hosted;
      return { kind, method, read, handle: (requests, call) => handle(requests, call).catch(fail) };
    }
    case "server_streaming": {
      const { kind, method, handle, read } = hosted;
      return {
        kind,
        method,
        read,
        handle: (request, call) => guardAnswers(() => handle(request, call), fail),
      };
    }
    case "bidi_streaming": {
      const { kind, method, handle, read } = hosted;
      return {
        kind,
        method,
        read,
        handle: (requests, call) => guardAnswers(() => handle(requests, call), fail),
      };
    }
  }
}

async function* guardAnswers<T>(
  answer: () => AsyncIterable<T>,
  fail: (thrown: unknown) => never,
): AsyncGenerator<T> {
  try {
    yield* answer();
  } catch (thrown) {
    fail(thrown);
  }
}

/** What the store's adapters throw where they can't keep or give what is asked; told by its code, because adapters are not for this room. */
type StoreUnavailable = { readonly code: "STORE_UNAVAILABLE"; readonly retryAfterMs: number };

/** A bug stays what it is: the door logs it and answers Internal. */
function toCallFailure(thrown: unknown): unknown {
  if (!isStoreUnavailable(thrown)) return thrown;
  const failure = unavailable("the store can't be written", thrown.retryAfterMs);
  failure.cause = thrown;
  return failure;
}

function isStoreUnavailable(thrown: unknown): thrown is StoreUnavailable {
  return thrown instanceof Error && "code" in thrown && thrown.code === "STORE_UNAVAILABLE";
}

function nameCode(failure: unknown): string {
  return codeToString(failure instanceof ConnectError ? failure.code : Code.Internal).toUpperCase();
}
