/** Lets a call in if its token has a role that may make it. */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { CasslError } from "../../core/errors.js";
import { toStatus } from "../../grpc/status.js";
import { createFailedLogins, type FailedLogins } from "./failed-logins.js";
import { ruleOf } from "./rules.js";
import { findToken, type TokenRecord } from "./tokens.js";

const HEADER = "authorization";

/** Errors are those of `checkAccess`, whose first three parameters it has. */
export type Authorize = (path: string, header: string, address: string) => void;

export function authorizer(records: readonly TokenRecord[]): Authorize {
  const failedLogins = createFailedLogins();
  return (path, header, address) => checkAccess(path, header, address, records, failedLogins);
}

export function guard(authorize: Authorize): ServerInterceptor {
  return ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, next) {
            try {
              const address = call.getConnectionInfo().remoteAddress ?? "";
              authorize(path, String(metadata.get(HEADER)[0] ?? ""), address);
            } catch (error) {
              return call.sendStatus(toStatus(error));
            }
            // Whatever the handlers log or answer, the token is not in it.
            metadata.remove(HEADER);
            next(metadata);
          },
        });
      },
    });
}

/**
 * UNAUTHENTICATED without a token of this controller, PERMISSION_DENIED if its role may not call the RPC,
 * LIMIT_EXCEEDED while the address has failed too often.
 * @param header the value of `authorization`, empty if there is none.
 */
export function checkAccess(
  path: string,
  header: string,
  address: string,
  records: readonly TokenRecord[],
  failedLogins: FailedLogins,
): void {
  const allowed = ruleOf(path);
  if (allowed === "anyone") return;
  if (failedLogins.isShutOut(address)) throw shutOut(address);
  const [, token] = /^Bearer (\S+)$/i.exec(header) ?? [];
  const record = token === undefined ? undefined : findToken(records, token);
  if (record === undefined) {
    failedLogins.note(address);
    throw unauthenticated(
      token === undefined ? "The call has no token" : "The call's token is none of this controller's",
    );
  }
  if (!allowed.includes(record.role)) throw denied(path, record, allowed);
}

function unauthenticated(fault: string): CasslError {
  return new CasslError(
    "UNAUTHENTICATED",
    `${fault}.`,
    "Give one that `cassl token create` made, with --token-file or in CASSL_TOKEN.",
  );
}

function denied(path: string, { role, name }: TokenRecord, allowed: readonly string[]): CasslError {
  const remedy = allowed.length === 0 ? "Nobody may." : `Use a token of the role ${allowed.join(" or ")}.`;
  return new CasslError(
    "PERMISSION_DENIED",
    `The token ${name} has the role ${role}, which may not call ${path}.`,
    remedy,
  );
}

function shutOut(address: string): CasslError {
  return new CasslError(
    "LIMIT_EXCEEDED",
    `Too many calls from ${address} had no valid token.`,
    "Correct the token, and wait a minute.",
  );
}
