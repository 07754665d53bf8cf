import { CasslError } from "../core/errors.js";

/** A failed system call on files as STORAGE_FAILED; any other error as it is. */
export function toStorageError(error: unknown, what: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return error;
  return storageFailed(`${what}: ${error.message}.`, error);
}

export function storageFailed(message: string, cause: unknown): CasslError {
  return new CasslError(
    "STORAGE_FAILED",
    message,
    "Free space on the disk, or make the workspace writable; then run the same configuration again.",
    { cause },
  );
}
