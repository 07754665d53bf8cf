/** JSON Lines that may be larger than the longest string: written and read piece by piece. Equal values give equal bytes. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { ArtifactStore } from "../core/artifacts.js";
import { canonicalJson } from "../core/hash.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";

const LINES_AT_ONCE = 2000;
const NEWLINE = 10;

export function* encodeLines(values: Iterable<unknown>): Generator<Uint8Array> {
  let lines: string[] = [];
  for (const value of values) {
    if (lines.push(canonicalJson(value)) < LINES_AT_ONCE) continue;
    yield Buffer.from(`${lines.join("\n")}\n`);
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(`${lines.join("\n")}\n`);
}

/** Throws the SyntaxError of the first line that is not JSON. */
export function* decodeLines(bytes: Uint8Array): Generator<unknown> {
  const text = new TextDecoder();
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    yield JSON.parse(text.decode(bytes.subarray(start, end)));
    start = end + 1;
  }
}

/**
 * Stores the values without holding all of their text at once.
 * @param values called twice, for the hash and for the text; must give the same each time.
 */
export async function storeLines(artifacts: ArtifactStore, values: () => Iterable<unknown>): Promise<ArtifactRef> {
  const hash = createHash("sha256");
  let size_bytes = 0;
  for (const chunk of encodeLines(values())) {
    hash.update(chunk);
    size_bytes += chunk.length;
    // Millions of lines take a while, in which others want to go on.
    await setImmediate();
  }
  const ref = { sha256: hash.digest("hex"), size_bytes };
  if ((await artifacts.stat(ref.sha256)) === undefined) await artifacts.putStream(ref, stream(encodeLines(values())));
  return ref;
}

async function* stream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
