/** Looks around in folders. */
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, extname, join, relative, sep } from "node:path";
import { CasslError } from "../../core/errors.js";

export async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false;
}

export async function isFile(path: string): Promise<boolean> {
  return (await statOf(path))?.isFile() ?? false;
}

/** The first of the paths that `test` is true of. */
export async function firstOf(
  paths: readonly string[],
  test: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const path of paths) if (await test(path)) return path;
  return undefined;
}

/** Names in a folder, hidden ones left out, in order; none if there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => !name.startsWith(".")).sort();
}

/**
 * The files under a folder whose names have the extension, in the order of their paths; hidden files and folders are
 * passed over, and links to folders are not followed. FILE_NOT_FOUND if the folder cannot be read.
 * @param extension such as `.xml`, in lower case.
 */
export async function filesUnder(folder: string, extension: string): Promise<string[]> {
  const paths = await readdir(folder, { recursive: true }).catch((error: Error) => {
    const message = `The folder ${folder} cannot be searched: ${error.message}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Correct the path.", { cause: error });
  });
  const isHidden = (path: string): boolean => path.split(sep).some((name) => name.startsWith("."));
  const found = paths.filter((path) => extname(path).toLowerCase() === extension && !isHidden(path));
  return found.map((path) => join(folder, path)).sort();
}

/** The path from a folder, with forward slashes. */
export function relativeName(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

/** The deepest folder that holds all of the folders, or is one of them. */
export function commonFolder(folders: readonly string[]): string {
  const holds = (folder: string, other: string): boolean =>
    `${other}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
  let common = folders[0] as string;
  while (!folders.every((folder) => holds(common, folder))) common = dirname(common);
  return common;
}

/** Without the extension of the last name. */
export function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

async function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}
