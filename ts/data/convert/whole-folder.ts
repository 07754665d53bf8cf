/** Folders that appear only when they are whole. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { CasslError } from "../../core/errors.js";

/**
 * Runs `write` on a new folder beside the place, and moves it there when all is written; nothing is left of a failure.
 * CONFIG_INVALID if there is something in the place, other than an empty folder.
 */
export async function writeWholeFolder(place: string, write: (folder: string) => Promise<void>): Promise<void> {
  await refuseTaken(place);
  const folder = `${place}.tmp-${randomUUID()}`;
  const made = (await mkdir(folder, { recursive: true })) as string;
  try {
    await write(folder);
    await rmdir(place).catch(ignoreMissing);
    await rename(folder, place);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
}

async function refuseTaken(place: string): Promise<void> {
  const names = await readdir(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw taken(place, "is no folder", error);
  });
  if (names.length > 0) throw taken(place, `is not empty: it holds ${names[0]}`);
}

function taken(place: string, fault: string, cause?: Error): CasslError {
  const message = `${place} ${fault}, and is left as it is.`;
  return new CasslError("CONFIG_INVALID", message, "Give a folder that is not there yet.", { cause });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
