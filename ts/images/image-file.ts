/** Image files on disk. */
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

/** By what one sees that a file has been written to. */
export interface FileStamp {
  readonly size_bytes: number;
  readonly mtime_ms: number;
}

/** A file is read into memory as a whole. */
export const MAX_FILE_BYTES = 2 ** 29;

/** A pipe that nobody writes to is not waited for. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Opens the file for `use`, which may read all of it.
 * Throws an Error that says what is wrong if it is missing, empty, too large or no file.
 */
export async function withImageFile<T>(
  path: string,
  use: (stamp: FileStamp, read: () => Promise<Buffer>) => Promise<T>,
): Promise<T> {
  const file = await open(path, FLAGS).catch((error: NodeJS.ErrnoException) => explain(path, error));
  try {
    const stamp = await stampOf(file);
    return await use(stamp, () => readAll(file, stamp.size_bytes));
  } finally {
    await file.close();
  }
}

export async function readImageFile(path: string): Promise<Buffer> {
  return withImageFile(path, (_, read) => read());
}

async function explain(path: string, error: NodeJS.ErrnoException): Promise<never> {
  const isMisread = error.code === "ENOENT" && path.includes("\uFFFD");
  if (isMisread) throw new Error("its name is not UTF-8 text", { cause: error });
  const stats = await stat(path).catch(() => undefined);
  throw stats?.isDirectory() ? notSearched() : error;
}

async function stampOf(file: FileHandle): Promise<FileStamp> {
  const stats = await file.stat();
  if (stats.isDirectory()) throw notSearched();
  if (!stats.isFile()) throw new Error("it is no regular file");
  if (stats.size === 0) throw new Error("it is empty");
  if (stats.size > MAX_FILE_BYTES) throw new Error(`it has ${stats.size} bytes; ${MAX_FILE_BYTES} can be read at most`);
  return { size_bytes: stats.size, mtime_ms: stats.mtimeMs };
}

async function readAll(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  const { bytesRead } = await file.read(bytes, 0, size, 0);
  if (bytesRead < size) throw new Error("it was cut off while it was read");
  return bytes;
}

/** A folder is among the images where it is named like one, or cannot be searched. */
function notSearched(): Error {
  return new Error("it is a folder that cannot be searched");
}
