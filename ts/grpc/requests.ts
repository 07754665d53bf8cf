/** What every request must be, before any handler sees it: decodable, and whole in time. */
import {
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { REQUEST_SILENCE_MS } from "./limits.js";
import { toStatus } from "./status.js";

/** Stands for a message that cannot be decoded. */
class Undecodable {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** The service, with messages that cannot be decoded left to the interceptor; the library would call them INTERNAL. */
export function withCheckedRequests<Service extends ServiceDefinition<UntypedServiceImplementation>>(
  service: Service,
): Service {
  const methods = Object.entries(service).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: (bytes: Buffer) => decoded(() => method.requestDeserialize(bytes)) },
  ]);
  return Object.fromEntries(methods) as Service;
}

function decoded(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    return new Undecodable(error);
  }
}

/** REQUEST_INVALID for what cannot be decoded; LIMIT_EXCEEDED where a request stops coming before it is whole. */
export function checkRequests(silenceMs = REQUEST_SILENCE_MS): ServerInterceptor {
  return ({ path, requestStream, responseStream }, call) => {
    const isConversation = requestStream && responseStream;
    let silence: NodeJS.Timeout | undefined;
    const refuse = (error: CasslError): void => {
      clearTimeout(silence);
      call.sendStatus(toStatus(error));
    };
    const expectMore = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => refuse(silent(path, silenceMs)), silenceMs).unref();
    };
    return new ServerInterceptingCall(call, {
      start(next) {
        expectMore();
        next({
          onReceiveMessage(message, next) {
            if (message instanceof Undecodable) return refuse(undecodable(path, message.cause));
            // Whoever converses is silent for as long as there is nothing to say.
            if (isConversation) clearTimeout(silence);
            else expectMore();
            next(message);
          },
          onReceiveHalfClose(next) {
            clearTimeout(silence);
            next();
          },
          onCancel: () => clearTimeout(silence),
        });
      },
    });
  };
}

function undecodable(path: string, cause: unknown): CasslError {
  return new CasslError(
    "REQUEST_INVALID",
    `A request of ${path} cannot be decoded: ${(cause as Error).message}.`,
    "Send the message that the proto declares, from the same version of cassl.",
    { cause },
  );
}

function silent(path: string, silenceMs: number): CasslError {
  return new CasslError(
    "LIMIT_EXCEEDED",
    `A request of ${path} is given up: nothing more of it came for ${silenceMs / 1000} s.`,
    "Send it again, and end it.",
  );
}
