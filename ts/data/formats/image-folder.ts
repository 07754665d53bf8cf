/** The images of a folder, to find the one that an annotation means. */
import { findImages } from "../images.js";
import { isFolder, relativeName, withoutExtension } from "./folders.js";

const LEADS_OUT = /^\/|(?:^|\/)\.\.(?:\/|$)/;

export interface ImageFolder {
  /** Absolute; undefined if nobody knows it. */
  readonly path: string | undefined;
  /** Relative to the folder, with forward slashes, in order. */
  readonly names: readonly string[];
  /** The first of the names that an image has, with its extension or without. */
  find(...names: readonly string[]): string | undefined;
}

/**
 * The given folder; else the first of the usual ones that has images.
 * FILE_NOT_FOUND if the folder is given and cannot be read.
 */
export async function openImageFolder(given: string | undefined, usual: readonly string[] = []): Promise<ImageFolder> {
  if (given !== undefined) return imageFolderOf(given, await findImages(given));
  for (const folder of usual) {
    const images = (await isFolder(folder)) ? await findImages(folder) : [];
    if (images.length > 0) return imageFolderOf(folder, images);
  }
  return imageFolderOf(undefined, []);
}

/** Whether a file name of an image names no file inside the folder that it is relative to. */
export function leadsOut(fileName: string): boolean {
  return LEADS_OUT.test(fileName);
}

function imageFolderOf(path: string | undefined, images: readonly string[]): ImageFolder {
  const names = path === undefined ? [] : images.map((image) => relativeName(path, image));
  const known = new Map([...names].reverse().map((name) => [withoutExtension(name), name] as const));
  for (const name of names) known.set(name, name);
  return { path, names, find: (...wanted) => wanted.map((name) => known.get(name)).find((name) => name !== undefined) };
}
