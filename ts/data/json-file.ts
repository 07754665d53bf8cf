/** Reads JSON files, and says where they stop being JSON: the messages of JSON.parse differ between versions of Node.js. */
import { constants } from "node:buffer";
import { readFile } from "node:fs/promises";
import { CasslError } from "../core/errors.js";

/**
 * FILE_NOT_FOUND if the file cannot be read.
 * ANNOTATIONS_INVALID with byte and line if it is not JSON, or is cut off.
 */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = decodeUtf8(await readBytes(file), file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(file, describeJsonFault(text), { cause: error });
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const message = `The annotation file ${file} cannot be read: ${(error as Error).message}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Correct the path in the configuration.", { cause: error });
  }
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  if (bytes.byteLength > constants.MAX_STRING_LENGTH) {
    throw invalid(file, `has ${bytes.byteLength} bytes; ${constants.MAX_STRING_LENGTH} can be read at most`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(file, "is not UTF-8 text", { cause: error });
  }
}

function invalid(file: string, fault: string, options?: ErrorOptions): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", `${file} ${fault}.`, "Write the file anew, as COCO JSON.", options);
}

function describeJsonFault(text: string): string {
  const index = jsonFaultIndex(text);
  const before = text.slice(0, index);
  const place = `byte ${Buffer.byteLength(before)} (line ${before.split("\n").length})`;
  if (index === text.length) return `is not JSON: it is cut off at ${place}`;
  return `is not JSON at ${place}: found ${JSON.stringify(text.slice(index, index + 20))}`;
}

/** A bracket, comma or colon, a string, which may lack its end, or a word. */
const TOKEN = /[ \t\n\r]*([{}[\],:]|"[^"\\]*(?:\\.?[^"\\]*)*"?|[^ \t\n\r{}[\],:"]+)/sy;

const PUNCTUATION = /^[{}[\],:]$/;
const CLOSING = /^[}\],:]$/;

type Due = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end";

/**
 * Where a text stops being JSON.
 * @param text what JSON.parse does not take.
 * @returns index of the first token that JSON does not allow there; the length of the text if it only lacks its end.
 */
export function jsonFaultIndex(text: string): number {
  const open: string[] = [];
  let due: Due = "value";
  for (let index = 0; ; index = TOKEN.lastIndex) {
    TOKEN.lastIndex = index;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) return text.length;
    const start = TOKEN.lastIndex - token.length;
    if (due === ", or end" && open.length === 0) return start;
    if (!isSound(token)) return start > 0 && TOKEN.lastIndex === text.length ? text.length : start;
    const next = after(token, due, open);
    if (next === undefined) return start;
    due = next;
  }
}

/** Whether the token is punctuation, or a whole value of its own. */
function isSound(token: string): boolean {
  if (PUNCTUATION.test(token)) return true;
  try {
    JSON.parse(token);
    return true;
  } catch {
    return false;
  }
}

/** What is due after a token; undefined if the token was not. Keeps account of the `open` brackets. */
function after(token: string, due: Due, open: string[]): Due | undefined {
  const closes = (token === "}" && due === "key or }") || (token === "]" && due === "value or ]");
  if (closes || (due === ", or end" && token === (open.at(-1) === "{" ? "}" : "]"))) {
    open.pop();
    return ", or end";
  }
  if (due === ", or end") return token === "," ? (open.at(-1) === "{" ? "key" : "value") : undefined;
  if (due === ":") return token === ":" ? "value" : undefined;
  if (due === "key" || due === "key or }") return token.startsWith('"') ? ":" : undefined;
  if (CLOSING.test(token)) return undefined;
  if (token !== "{" && token !== "[") return ", or end";
  open.push(token);
  return token === "{" ? "key or }" : "value or ]";
}
