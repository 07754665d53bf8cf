/** Files of connections: certificates, which anybody may read, and secrets, which only their owner may. */
import { open } from "node:fs/promises";
import { CasslError } from "../core/errors.js";

/** FILE_NOT_FOUND if it cannot be read. @param what it is, such as `The certificate`. */
export function readPublicFile(file: string, what: string): Promise<Buffer> {
  return read(file, what, false);
}

/** FILE_NOT_FOUND if it cannot be read; CONFIG_INVALID if others than its owner can read it. */
export function readSecretFile(file: string, what: string): Promise<Buffer> {
  return read(file, what, true);
}

async function read(file: string, what: string, isSecret: boolean): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { mode } = await handle.stat();
      if (isSecret && (mode & 0o077) !== 0) throw tooOpen(file, what, mode);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CasslError) throw error;
    const message = `${what} ${file} cannot be read: ${(error as Error).message}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Correct the path.", { cause: error });
  }
}

function tooOpen(file: string, what: string, mode: number): CasslError {
  return new CasslError(
    "CONFIG_INVALID",
    `${what} ${file} can be read by others than its owner: its mode is ${(mode & 0o777).toString(8)}.`,
    `Run \`chmod 600 ${file}\`; if others may have read it, make a new one.`,
  );
}
