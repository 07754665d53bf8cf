/** Finds image files. */
import type { Dirent } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { extname, join } from "node:path";
import { CasslError } from "../core/errors.js";
import { isFolder } from "./formats/folders.js";

/** Of what both sharp and Pillow decode to the same pixels. */
const EXTENSIONS = new Set([".jpg", ".jpeg", ".png", ".webp"]);

/**
 * The paths of all image files under a folder, in the order of their names, through symbolic links. Hidden files and
 * folders are passed over, and each folder is searched once however many links lead to it. A folder inside that cannot be
 * searched is among the paths as it is, for the inspection to refuse.
 * FILE_NOT_FOUND if the folder itself cannot be searched.
 */
export async function findImages(folder: string): Promise<string[]> {
  const searched = new Set<string>();
  const found: string[] = [];

  const search = async (inside: string): Promise<void> => {
    const real = await realpath(inside);
    if (searched.has(real)) return;
    searched.add(real);
    const entries = await readdir(inside, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".")) continue;
      const path = join(inside, entry.name);
      if (await leadsToFolder(entry, path)) await search(path).catch(() => found.push(path));
      else if (EXTENSIONS.has(extname(entry.name).toLowerCase())) found.push(path);
    }
  };

  try {
    await search(folder);
    return found;
  } catch (error) {
    const message = `The folder ${folder} cannot be searched for images: ${(error as Error).message}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Correct the path in the configuration.", { cause: error });
  }
}

/** A link that leads nowhere is no folder: it is found as an image if it is named like one, and is missing when looked into. */
async function leadsToFolder(entry: Dirent, path: string): Promise<boolean> {
  return entry.isSymbolicLink() ? isFolder(path) : entry.isDirectory();
}
