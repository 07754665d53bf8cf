/** Where an image is: a path, or the URI of one that is elsewhere. */
import { join } from "node:path";

const URI = /^[a-z][a-z0-9+.-]*:\/\//i;

export function isUri(place: string): boolean {
  return URI.test(place);
}

/** In place of a folder of images: each is where the COCO file says by its member of this name. */
export const COCO_URL = "coco_url";

export function isLocalFolder(folder: string): boolean {
  return folder !== COCO_URL && !isUri(folder);
}

/**
 * Where the image of that name is. A URI is its own name.
 * @param folder absolute, or a URI without a slash at its end.
 */
export function placeIn(folder: string, fileName: string): string {
  if (isUri(fileName)) return fileName;
  if (!isUri(folder)) return join(folder, fileName);
  return `${folder}/${fileName.split("/").map(encodeURIComponent).join("/")}`;
}
