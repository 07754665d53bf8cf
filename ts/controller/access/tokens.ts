/** Tokens: what a caller shows to have a role. The controller keeps their hashes only. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { CasslError } from "../../core/errors.js";
import { readSecretFile } from "../../grpc/secret-files.js";
import { ROLES, type Role } from "./rules.js";

/** As the controller knows a token. */
export interface TokenRecord {
  readonly role: Role;
  /** For its operator. */
  readonly name: string;
  readonly sha256: Buffer;
}

/** 256 random bits: nobody guesses them, and a plain hash of them tells nothing. */
const TOKEN_BYTES = 32;
const LINE = /^(\S+) (\S+) ([0-9a-f]{64})$/;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

export function createToken(role: Role, name: string): { token: string; record: TokenRecord } {
  if (!NAME.test(name)) {
    const remedy = "Use 1 to 64 letters, digits, `-`, `_` and `.`.";
    throw new CasslError("CONFIG_INVALID", `The token's name is ${JSON.stringify(name)}.`, remedy);
  }
  const token = `cassl-${role}-${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  return { token, record: { role, name, sha256: hashOf(token) } };
}

/** Adds the token to the file that `cassl serve --tokens` reads; makes the file if it is missing. */
export async function addToken(file: string, { role, name, sha256 }: TokenRecord): Promise<void> {
  await appendFile(file, `${role} ${name} ${sha256.toString("hex")}\n`, { mode: 0o600 });
}

/** CONFIG_INVALID names the line that is wrong, but does not show it. */
export async function readTokens(file: string): Promise<TokenRecord[]> {
  const text = (await readSecretFile(file, "The file of tokens")).toString();
  const lines = text.split("\n").map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const records = lines
    .filter(({ line }) => line !== "" && !line.startsWith("#"))
    .map(({ line, number }) => {
      const [, role = "", name = "", sha256 = ""] = LINE.exec(line) ?? [];
      if (!isRole(role)) throw badLine(file, number);
      return { role, name, sha256: Buffer.from(sha256, "hex") };
    });
  if (records.length === 0) throw noTokens(file);
  return records;
}

/** The record of a token; takes as long for a wrong one as for a right one. */
export function findToken(records: readonly TokenRecord[], token: string): TokenRecord | undefined {
  const sha256 = hashOf(token);
  let found: TokenRecord | undefined;
  for (const record of records) if (timingSafeEqual(record.sha256, sha256)) found = record;
  return found;
}

function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function badLine(file: string, line: number): CasslError {
  return new CasslError(
    "CONFIG_INVALID",
    `Line ${line} of ${file} is no token.`,
    "Remove the line; `cassl token create` adds one that is right.",
  );
}

function noTokens(file: string): CasslError {
  return new CasslError(
    "CONFIG_INVALID",
    `${file} has no tokens, so nobody could call the controller.`,
    "Add one with `cassl token create --role client`.",
  );
}
