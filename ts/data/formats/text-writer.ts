/** Writes the files of a data set. */
import { mkdir, open, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { FILES_AT_ONCE, mapConcurrently } from "../../core/concurrency.js";

const BATCH_CHARACTERS = 2 ** 20;

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Writes many small files, and the folders that they are in. */
export async function writeFiles<T>(items: readonly T[], toFile: (item: T) => TextFile): Promise<void> {
  const made = new Map<string, Promise<unknown>>();
  await mapConcurrently(items, FILES_AT_ONCE, async (item) => {
    const { path, text } = toFile(item);
    const folder = dirname(path);
    if (!made.has(folder)) made.set(folder, mkdir(folder, { recursive: true }));
    await made.get(folder);
    await writeFile(path, text);
  });
}

/** Writes a file from pieces, so that its text is never held as a whole. */
export async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  const file = await open(path, "w");
  try {
    let batch = "";
    for (const piece of pieces) {
      batch += piece;
      if (batch.length < BATCH_CHARACTERS) continue;
      await file.write(batch);
      batch = "";
    }
    await file.write(batch);
  } finally {
    await file.close();
  }
}
