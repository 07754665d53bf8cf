/** A file seen through a window that only moves forward, so that its size does not matter. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CasslError } from "../../../core/errors.js";

/** Windows start small, so that V8 sees early what happens at their ends, and grow to about a processor's second cache. */
const FIRST_BYTES = 2 ** 10;
const MOST_BYTES = 2 ** 18;

/** Readers take tokens from `bytes` at `position`, and refill when one runs into `end`. */
export interface ByteWindow {
  readonly source: ByteSource;
  /** bytes[end] is 0, which ends every token. */
  bytes: Uint8Array;
  /** Of the same bytes. */
  view: DataView;
  position: number;
  end: number;
  /** Of bytes[0] in the source. */
  offset: number;
  /** Whether the source ends at `end`. */
  isLast: boolean;
  /** Takes what is passed over, from `keptFrom` on; see `keepValue`. */
  keep: ((bytes: Uint8Array) => void) | undefined;
  keptFrom: number;
  /** What is being read, for messages, such as ", in the result at position 3". */
  place: () => string;
}

export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  /** In bytes; an estimate does. */
  readonly size: number;
  /** Fills an array from its start. Returns how many bytes it read, 0 only at the end. */
  readonly read: (into: Uint8Array) => number;
}

/** @param size of the window at first, in bytes. */
export function openWindow(source: ByteSource, size = FIRST_BYTES): ByteWindow {
  const start = { position: 0, end: 0, offset: 0, isLast: false, keep: undefined, keptFrom: 0, place: () => "" };
  return { source, ...newBytes(size), ...start };
}

/** After what a window holds, so that four bytes can be read at each of its positions. */
const PADDING = 4;

function newBytes(size: number): Pick<ByteWindow, "bytes" | "view"> {
  const bytes = new Uint8Array(size + PADDING);
  return { bytes, view: new DataView(bytes.buffer) };
}

/**
 * Does `work` on a file. FILE_NOT_FOUND if it cannot be read.
 * @param isWhole whether all of the file is in the window from the start, so that positions in it stay.
 */
export function withFile<T>(path: string, work: (window: ByteWindow) => T, isWhole = false): T {
  const file = attempt(path, () => openSync(path, "r"));
  try {
    const { size } = attempt(path, () => fstatSync(file));
    const source = { name: path, size, read: (into: Uint8Array) => attempt(path, () => readSync(file, into)) };
    // Whatever fills half of a window is moved to a longer one. What is not used of it costs nothing.
    const window = attempt(path, () => openWindow(source, isWhole ? 2 * size + 2 : FIRST_BYTES));
    while (isWhole && !window.isLast) refill(window);
    return work(window);
  } finally {
    closeSync(file);
  }
}

function attempt<T>(path: string, access: () => T): T {
  try {
    return access();
  } catch (error) {
    const message = `${path} cannot be read: ${(error as Error).message}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Correct the path.", { cause: error });
  }
}

/** Reads on, keeping everything from `position` on, which moves to the start of the window. */
export function refill(window: ByteWindow): void {
  handOut(window);
  const { bytes, position, end } = window;
  const capacity = bytes.length - PADDING;
  const held = end - position;
  if (held > capacity / 2 || capacity < MOST_BYTES) Object.assign(window, newBytes(2 * capacity));
  window.bytes.set(bytes.subarray(position, end));
  const count = window.source.read(window.bytes.subarray(held, window.bytes.length - PADDING));
  window.offset += position;
  window.position = 0;
  window.keptFrom = 0;
  window.end = held + count;
  window.bytes[window.end] = 0;
  window.isLast = count === 0;
}

/** Gives the bytes passed over since to whom they are kept for. */
export function handOut({ keep, bytes, keptFrom, position }: ByteWindow): void {
  keep?.(bytes.subarray(keptFrom, position));
}

/** ANNOTATIONS_INVALID at a position of the window. */
export function faultAt({ source, bytes, end, offset, place }: ByteWindow, position: number): CasslError {
  const byte = `byte ${offset + position}${place()}`;
  const found = Buffer.from(bytes.subarray(position, Math.min(position + 20, end))).toString();
  const fault = position >= end ? `is cut off at ${byte}` : `is not JSON at ${byte}: found ${JSON.stringify(found)}`;
  return new CasslError("ANNOTATIONS_INVALID", `${source.name} ${fault}.`, "Write the file anew, as COCO JSON.");
}
