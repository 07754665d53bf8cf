/**
 * Artifacts that nothing needs. One is needed if the state names it, as the output of a finished step, a result, a data set,
 * a checkpoint or a shard, or if a needed one that is JSON names it. Whatever looks like a name counts: too much is kept
 * rather than too little.
 */
import { createReadStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FILES_AT_ONCE, mapConcurrently } from "../core/concurrency.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { artifactFile } from "./artifacts.js";
import type { StateStore } from "./state.js";
import { toStorageError } from "./storage.js";

export interface Garbage {
  readonly needed: { readonly artifacts: number; readonly bytes: number };
  /** Largest first. */
  readonly unneeded: readonly ArtifactRef[];
}

const NAME = /[0-9a-f]{64}/g;

/** To be called by who has the workspace: a run under way names its artifacts later. @param folder of the artifacts. */
export async function findGarbage(folder: string, state: Pick<StateStore, "mentions">): Promise<Garbage> {
  const sizes = await stored(folder, () => artifactSizes(folder));
  const needed = new Set<string>();
  let found = namesIn(state.mentions(), sizes);
  while (found.length > 0) {
    for (const name of found) needed.add(name);
    const named = await mapConcurrently(found, FILES_AT_ONCE, (name) =>
      stored(name, () => namedBy(folder, name, sizes)),
    );
    found = [...new Set(named.flat())].filter((name) => !needed.has(name));
  }
  const refs = [...sizes].map(([sha256, size_bytes]) => ({ sha256, size_bytes }));
  const kept = refs.filter(({ sha256 }) => needed.has(sha256));
  return {
    needed: { artifacts: kept.length, bytes: bytesOf(kept) },
    unneeded: refs.filter(({ sha256 }) => !needed.has(sha256)).sort((a, b) => b.size_bytes - a.size_bytes),
  };
}

export async function removeArtifacts(folder: string, refs: readonly ArtifactRef[]): Promise<void> {
  await mapConcurrently(refs, FILES_AT_ONCE, ({ sha256 }) =>
    stored(sha256, () => rm(artifactFile(folder, sha256), { force: true })),
  );
}

export function bytesOf(refs: readonly ArtifactRef[]): number {
  return refs.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
}

async function artifactSizes(folder: string): Promise<Map<string, number>> {
  const folders = (await readdir(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  const files = await Promise.all(folders.map((name) => readdir(join(folder, name))));
  const names = files.flat().filter((name) => /^[0-9a-f]{64}$/.test(name));
  const sizes = await mapConcurrently(
    names,
    FILES_AT_ONCE,
    async (name) => (await stat(artifactFile(folder, name))).size,
  );
  return new Map(names.map((name, index) => [name, sizes[index] as number]));
}

/** The artifacts that an artifact names, if it is JSON or JSON Lines of objects. */
async function namedBy(folder: string, name: string, known: ReadonlyMap<string, number>): Promise<string[]> {
  const found = new Set<string>();
  let tail = "";
  let isFirst = true;
  for await (const chunk of createReadStream(artifactFile(folder, name), { encoding: "latin1" })) {
    const text = tail + (chunk as string);
    if (isFirst && !text.startsWith("{")) return [];
    for (const other of namesIn([text], known)) found.add(other);
    tail = text.slice(-63);
    isFirst = false;
  }
  return [...found];
}

function namesIn(texts: Iterable<string>, known: ReadonlyMap<string, number>): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    for (const [name] of text.matchAll(NAME)) if (known.has(name)) found.add(name);
  }
  return [...found];
}

async function stored<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error, `The artifacts cannot be looked through, at ${what}`);
  }
}
