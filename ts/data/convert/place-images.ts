/** Puts the images of a data set beside its new annotations. */
import { constants, copyFile, link, mkdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FILES_AT_ONCE, mapConcurrently } from "../../core/concurrency.js";
import { failOnFaults } from "../faults.js";
import { isFile } from "../formats/folders.js";
import type { AnnotatedSet } from "../formats/source-set.js";

/** `link`: as hard links, which take no space; as copies where links cannot be made. `none`: not at all. */
export const IMAGE_FILES = ["link", "copy", "none"] as const;
export type ImageFiles = (typeof IMAGE_FILES)[number];

/** FILE_NOT_FOUND if an image is missing; nothing is placed then. */
export async function placeImages(
  { images }: AnnotatedSet,
  from: string,
  to: string,
  how: "link" | "copy",
  signal: AbortSignal,
): Promise<void> {
  const names = images.map(({ file_name }) => file_name);
  const there = await mapConcurrently(names, FILES_AT_ONCE, (name) => isFile(join(from, name)), signal);
  const missing = names.filter((_, index) => !there[index]);
  const remedy = "Give the folder of the images with --images, or convert without them: --image-files none.";
  failOnFaults("FILE_NOT_FOUND", `Images that are not in ${from}`, missing, remedy);
  for (const folder of new Set(names.map((name) => dirname(join(to, name))))) await mkdir(folder, { recursive: true });
  await mapConcurrently(names, FILES_AT_ONCE, (name) => place(join(from, name), join(to, name), how), signal);
}

async function place(from: string, to: string, how: "link" | "copy"): Promise<void> {
  const file = await realpath(from);
  const isLinked = how === "link" && (await link(file, to).then(succeeded, failed));
  if (!isLinked) await copyFile(file, to, constants.COPYFILE_FICLONE);
}

function succeeded(): boolean {
  return true;
}

function failed(): boolean {
  return false;
}
