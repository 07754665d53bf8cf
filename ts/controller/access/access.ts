/** Who reaches the controller and how. On loopback everything is open by default; anywhere else nothing is. */
import { ServerCredentials, type ServerInterceptor } from "@grpc/grpc-js";
import { CasslError } from "../../core/errors.js";
import { type ServerTlsFiles, serverCredentials } from "../../grpc/tls.js";
import { createDataRoots, type DataRoots } from "./data-roots.js";
import { type Authorize, authorizer, guard } from "./guard.js";
import { createToken, readTokens } from "./tokens.js";

export interface AccessOptions {
  readonly tls?: ServerTlsFiles | undefined;
  /** File of `cassl token create`. Absent: every caller may do everything. */
  readonly tokens?: string | undefined;
  /** Folders that runs may name files of. Absent: all. */
  readonly dataRoots?: readonly string[] | undefined;
  /** Hosts that runs may have images fetched from, where there are data roots. Absent: none. */
  readonly imageHosts?: readonly string[] | undefined;
}

export interface Access {
  readonly credentials: ServerCredentials;
  readonly guards: readonly ServerInterceptor[];
  /** The same for calls that come another way. Undefined if no token is demanded. */
  readonly authorize: Authorize | undefined;
  readonly roots: DataRoots;
  /** For the controller's own workers; undefined if no token is demanded. */
  readonly workerToken: string | undefined;
}

export const PLAIN = ServerCredentials.createInsecure();

/** CONFIG_INVALID if other machines reach the address and something is missing; FILE_NOT_FOUND. */
export async function openAccess(host: string, { tls, tokens, dataRoots, imageHosts }: AccessOptions): Promise<Access> {
  if (!isLoopback(host))
    checkComplete(host, { "--tls-cert and --tls-key": tls, "--tokens": tokens, "--data-root": dataRoots });
  const credentials = tls === undefined ? PLAIN : await serverCredentials(tls);
  const roots = createDataRoots(dataRoots, imageHosts);
  if (tokens === undefined) return { credentials, guards: [], authorize: undefined, roots, workerToken: undefined };
  const own = createToken("worker", "child-worker");
  const authorize = authorizer([...(await readTokens(tokens)), own.record]);
  return { credentials, guards: [guard(authorize)], authorize, roots, workerToken: own.token };
}

function isLoopback(host: string): boolean {
  return ["127.0.0.1", "::1", "localhost"].includes(host);
}

function checkComplete(host: string, given: Readonly<Record<string, unknown>>): void {
  const missing = Object.keys(given).filter((option) => given[option] === undefined);
  if (missing.length === 0) return;
  throw new CasslError(
    "CONFIG_INVALID",
    `Other machines reach the address ${host}, which needs ${missing.join(", ")}.`,
    "See docs/security.md, or listen on 127.0.0.1.",
  );
}
