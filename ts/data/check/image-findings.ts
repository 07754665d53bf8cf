/** Whether the image files are there and what their annotations say of them. Headers are read, no pixels. */
import { join } from "node:path";
import { FILES_AT_ONCE, mapConcurrently } from "../../core/concurrency.js";
import { isFile, relativeName } from "../formats/folders.js";
import { readImageHeader } from "../formats/image-size.js";
import type { SourceImage, SourceSet } from "../formats/source-set.js";
import { findImages } from "../images.js";
import type { Example, FindingKind, FindingList } from "./findings.js";

/** Nothing if it is not known where the images are. */
export async function findImageFiles(set: SourceSet, findings: FindingList, signal: AbortSignal): Promise<void> {
  const { imageFolder, images } = set;
  if (imageFolder === undefined) return;
  const found = await mapConcurrently(images, FILES_AT_ONCE, (image) => look(imageFolder, image), signal);
  found.forEach((finding, image) => {
    if (finding !== undefined) findings.add(finding.kind, { ...finding.example, image });
  });
  await findUnlisted(set, imageFolder, findings);
}

interface Found {
  readonly kind: FindingKind;
  readonly example: Example;
}

/** An image without a size has been found unreadable before. */
async function look(folder: string, { file_name, width_px, height_px }: SourceImage): Promise<Found | undefined> {
  if (width_px === 0) return undefined;
  const path = join(folder, file_name);
  if (!(await isFile(path))) return { kind: "missing_image", example: { text: path } };
  try {
    const header = await readImageHeader(path);
    if (header.width_px === width_px && header.height_px === height_px) return undefined;
    const text = `${path} is ${header.width_px} x ${header.height_px} px, annotated as ${width_px} x ${height_px}`;
    return { kind: "wrong_image_size", example: { text } };
  } catch (error) {
    return { kind: "unreadable_image", example: { text: `${path} cannot be read: ${(error as Error).message}` } };
  }
}

async function findUnlisted({ images }: SourceSet, folder: string, findings: FindingList): Promise<void> {
  const listed = new Set(images.map(({ file_name }) => file_name));
  const names = (await findImages(folder)).map((path) => relativeName(folder, path));
  for (const name of names) if (!listed.has(name)) findings.add("unlisted_image", { text: name });
}
