import { rename, rm, writeFile } from "node:fs/promises";

/** Writes a file that appears when it is whole. */
export function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  return appearWhole(file, (temporary) => writeFile(temporary, content));
}

/** The same with a file that `write` makes at the path that it is given. */
export async function appearWhole(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
