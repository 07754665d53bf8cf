/** Certificates for tests, made by openssl in a moment: an authority, and what it signs. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = async (...args: string[]): Promise<void> => void (await promisify(execFile)("openssl", args));
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface Pair {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

/** A self-signed authority. */
export async function makeAuthority(folder: string, name: string): Promise<Pair> {
  const pair = pairOf(folder, name);
  const subject = ["-subj", `/CN=${name}`, "-days", "1"];
  await openssl("req", "-x509", ...KEY, "-keyout", pair.key, "-out", pair.cert, ...subject);
  return pair;
}

/** @param names such as `IP:127.0.0.1`. @param days how long it is valid; negative: it has expired. */
export async function sign(
  folder: string,
  authority: Pair,
  name: string,
  names = "IP:127.0.0.1,DNS:localhost",
  days = 1,
): Promise<Pair> {
  const pair = pairOf(folder, name);
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
  await writeFile(extensions, `subjectAltName=${names}\n`);
  await openssl("req", ...KEY, "-keyout", pair.key, "-out", request, "-subj", `/CN=${name}`);
  const by = ["-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial"];
  const output = ["-out", pair.cert, "-days", String(days), "-extfile", extensions];
  await openssl("x509", "-req", "-in", request, ...by, ...output);
  return pair;
}

function pairOf(folder: string, name: string): Pair {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}
