/** Reads small text files of annotations: labels of one image, lists, class names. */
import { readFile, stat } from "node:fs/promises";
import { CasslError } from "../../core/errors.js";

/** More than any file of labels has; a larger one is no such file. */
const MOST_BYTES = 2 ** 26;

/**
 * The text of a UTF-8 file, without a byte order mark.
 * FILE_NOT_FOUND if it cannot be read; ANNOTATIONS_INVALID if it is no UTF-8 text or has more than 64 MiB.
 */
export async function readTextFile(file: string): Promise<string> {
  const { size } = await attempt(file, () => stat(file));
  if (size > MOST_BYTES) {
    throw invalid(`${file} has ${size} bytes; a file of this kind is read up to ${MOST_BYTES}`, "Give another file.");
  }
  const bytes = await attempt(file, () => readFile(file));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`${file} is not UTF-8 text`, "Save it as UTF-8.", { cause: error });
  }
}

/** The lines that are not blank, trimmed, each with its number, counted from 1. */
export function textLines(text: string): { number: number; line: string }[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ number: index + 1, line: line.trim() }))
    .filter(({ line }) => line !== "");
}

async function attempt<T>(file: string, access: () => Promise<T>): Promise<T> {
  try {
    return await access();
  } catch (error) {
    const message = `The annotation file ${file} cannot be read: ${(error as Error).message}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Correct the path.", { cause: error });
  }
}

function invalid(fault: string, remedy: string, options?: ErrorOptions): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", `${fault}.`, remedy, options);
}
