/** The options of commands that call a controller, and the client that they make. */
import { Option } from "commander";
import { CasslClient } from "../client/client.js";
import { CasslError } from "../core/errors.js";
import { readSecretFile } from "../grpc/secret-files.js";
import { readClientTls } from "../grpc/tls.js";
import { DEFAULT_ADDRESS } from "./options.js";

export interface ConnectionFlags {
  readonly controller: string;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export function controllerOption(): Option {
  return new Option("--controller <address>", "host:port of a controller that `cassl serve` started")
    .env("CASSL_CONTROLLER")
    .default(DEFAULT_ADDRESS);
}

/** Of every command that has --controller. */
export function connectionOptions(): Option[] {
  return [
    new Option("--token-file <file>", "file with a token of `cassl token create` (or the token in $CASSL_TOKEN)").env(
      "CASSL_TOKEN_FILE",
    ),
    new Option("--tls-ca <file>", "speak TLS, and trust these certificates (PEM); `system`: those of the system").env(
      "CASSL_TLS_CA",
    ),
    new Option("--tls-cert <file>", "own certificate, where the controller demands one (PEM)").env("CASSL_TLS_CERT"),
    new Option("--tls-key <file>", "its key (PEM)").env("CASSL_TLS_KEY"),
  ];
}

/** Does something with a client, which is closed then. FILE_NOT_FOUND or CONFIG_INVALID as the files are. */
export async function withController<T>(flags: ConnectionFlags, work: (client: CasslClient) => Promise<T>): Promise<T> {
  const how = { token: await readToken(flags.tokenFile), tls: await readTls(flags) };
  const client = new CasslClient(flags.controller, how);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function readToken(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env["CASSL_TOKEN"]?.trim();
  return (await readSecretFile(file, "The token file")).toString().trim();
}

async function readTls({ tlsCa, tlsCert, tlsKey }: ConnectionFlags) {
  if ((tlsCert === undefined) !== (tlsKey === undefined) || (tlsCert !== undefined && tlsCa === undefined))
    throw new CasslError("CONFIG_INVALID", "--tls-cert, --tls-key and --tls-ca belong together.", "Give all three.");
  return tlsCa === undefined ? undefined : readClientTls({ ca: tlsCa, cert: tlsCert, key: tlsKey });
}
