/** The folders of finished runs, `<folder>/<run id>`, each of which appears whole or not at all. */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { toStorageError } from "./storage.js";

export interface RunFolders {
  /** Fills a run's folder, in place of what an earlier controller may have left. */
  write(runId: string, fill: (directory: string) => Promise<void>): Promise<void>;
}

/** Removes what a killed process left half-written. */
export async function openRunFolders(folder: string): Promise<RunFolders> {
  // Run ids do not start with a dot, so that these names are free.
  const temporary = (runId: string): string => join(folder, `.${runId}`);
  await stored(folder, async () => {
    await mkdir(folder, { recursive: true });
    const leftovers = (await readdir(folder)).filter((name) => name.startsWith("."));
    await Promise.all(leftovers.map((name) => rm(join(folder, name), { recursive: true })));
  });

  return {
    async write(runId, fill) {
      const directory = temporary(runId);
      try {
        await stored(directory, async () => {
          await mkdir(directory);
          await fill(directory);
          await rm(join(folder, runId), { recursive: true, force: true });
          await rename(directory, join(folder, runId));
        });
      } catch (error) {
        // What cannot be removed now is swept at the next start.
        await rm(directory, { recursive: true, force: true }).catch(() => {});
        throw error;
      }
    },
  };
}

async function stored<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error, `The results in ${folder} cannot be written`);
  }
}
