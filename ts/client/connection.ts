/** How a client reaches its controller: in plain text or by TLS, and with which token. */
import { type ChannelCredentials, type ClientOptions, InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { CONNECTION_OPTIONS } from "../grpc/limits.js";
import { type ClientTls, clientCredentials } from "../grpc/tls.js";

export interface ConnectionOptions {
  /** What `cassl token create` made. Goes to other machines by TLS only. */
  readonly token?: string | undefined;
  /** Absent: plain text, as a controller without TLS speaks it. */
  readonly tls?: ClientTls | undefined;
}

export interface Connection {
  readonly credentials: ChannelCredentials;
  readonly options: ClientOptions;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]):\d+$/;
/** A header's letters. */
const TOKEN = /^[\x21-\x7e]+$/;

/** CONFIG_INVALID if the token cannot be one, or would go to another machine in plain text. */
export function connection(address: string, { token, tls }: ConnectionOptions): Connection {
  const credentials = clientCredentials(tls);
  if (token === undefined) return { credentials, options: CONNECTION_OPTIONS };
  if (!TOKEN.test(token))
    throw new CasslError("CONFIG_INVALID", "The token is none.", "Give one of `cassl token create`.");
  if (tls === undefined && !LOOPBACK.test(address)) throw plainToken(address);
  return { credentials, options: { ...CONNECTION_OPTIONS, interceptors: [bearer(token)] } };
}

function bearer(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set("authorization", `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

function plainToken(address: string): CasslError {
  return new CasslError(
    "CONFIG_INVALID",
    `The token would go to ${address} in plain text.`,
    "Give the authority of the controller's certificate with --tls-ca.",
  );
}
