import { readFile } from "node:fs/promises";
import { CasslError } from "./errors.js";

/**
 * The text of a small UTF-8 file that a user has named. FILE_NOT_FOUND says why it cannot be read.
 * @param what names it at the start of a sentence.
 */
export async function readText(file: string, what = file, remedy = "Correct the path."): Promise<string> {
  return readFile(file, "utf8").catch((cause: Error) => {
    throw new CasslError("FILE_NOT_FOUND", `${what} cannot be read: ${cause.message}.`, remedy, { cause });
  });
}
