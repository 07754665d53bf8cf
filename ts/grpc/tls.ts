/** TLS of both sides of a connection: from files to credentials, and what is wrong where no connection comes about. */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { type ChannelCredentials, credentials, ServerCredentials } from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { readPublicFile, readSecretFile } from "./secret-files.js";

/** Paths of PEM files. */
export interface ServerTlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Given: a client must show a certificate that one of these has signed. */
  readonly clientCa?: string | undefined;
}

/** Paths of PEM files. */
export interface ClientTlsFiles {
  /** Certificates to trust. `system`: those of the system. */
  readonly ca: string;
  /** The client's own certificate and key, where the controller demands one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The contents of such files. */
export interface ClientTls {
  /** Absent: the certificates of the system. */
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** The contents of such files. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Given: clients must show a certificate. */
  readonly ca: Buffer | undefined;
}

/** FILE_NOT_FOUND; CONFIG_INVALID if the files are no certificate and key that belong together, or it has expired. */
export async function readServerTls({ cert, key, clientCa }: ServerTlsFiles): Promise<ServerTls> {
  const tls = {
    cert: await readPublicFile(cert, "The certificate"),
    key: await readSecretFile(key, "The key"),
    ca: clientCa === undefined ? undefined : await readPublicFile(clientCa, "The file of client authorities"),
  };
  checkContext(cert, tls);
  checkValidity(cert, tls.cert);
  return tls;
}

/** Errors as in `readServerTls`. */
export async function serverCredentials(files: ServerTlsFiles): Promise<ServerCredentials> {
  const { cert, key, ca } = await readServerTls(files);
  return ServerCredentials.createSsl(ca ?? null, [{ cert_chain: cert, private_key: key }], ca !== undefined);
}

/** FILE_NOT_FOUND; CONFIG_INVALID if the files are no certificates, or no key that belongs to one. */
export async function readClientTls({ ca, cert, key }: ClientTlsFiles): Promise<ClientTls> {
  const tls = {
    ca: ca === "system" ? undefined : await readPublicFile(ca, "The file of authorities"),
    cert: cert === undefined ? undefined : await readPublicFile(cert, "The certificate"),
    key: key === undefined ? undefined : await readSecretFile(key, "The key"),
  };
  checkContext([ca, cert].filter(Boolean).join(" or "), tls);
  return tls;
}

export function clientCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  return credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
}

function checkContext(files: string, { ca, cert, key }: ClientTls): void {
  try {
    for (const authority of ca === undefined ? [] : [ca]) new X509Certificate(authority);
    createSecureContext({ ca, cert, key });
  } catch (error) {
    throw new CasslError(
      "CONFIG_INVALID",
      `${files} cannot be used for TLS: ${(error as Error).message}.`,
      "Give PEM files, and the key that belongs to the certificate.",
      { cause: error },
    );
  }
}

function checkValidity(file: string, cert: Buffer): void {
  const { validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) >= Date.now()) return;
  throw new CasslError("CONFIG_INVALID", `The certificate ${file} expired on ${validTo}.`, "Make or get a new one.");
}
