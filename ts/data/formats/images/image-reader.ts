/** Reads plain images: a set without categories and objects. */
import { FILES_AT_ONCE, mapConcurrently } from "../../../core/concurrency.js";
import { createFaultList } from "../fault-list.js";
import { relativeName } from "../folders.js";
import { readImageHeader } from "../image-size.js";
import { toObjectTable } from "../object-table.js";
import type { AnnotationSource, SourceSet } from "../source-set.js";
import { readImageList } from "./image-list.js";

/** Images are numbered from 1 in the order of their names. */
export async function readPlainImages({ annotations, images }: AnnotationSource): Promise<SourceSet> {
  const { folder, paths } = await readImageList(annotations);
  const faults = createFaultList();
  const imageFolder = images ?? folder;
  const read = await mapConcurrently(paths, FILES_AT_ONCE, async (path) => {
    const header = await readImageHeader(path).catch((error: Error) => {
      faults.add("unreadable_image", `${path} cannot be read: ${error.message}`);
      return { width_px: 0, height_px: 0 };
    });
    return { file_name: relativeName(imageFolder, path), width_px: header.width_px, height_px: header.height_px };
  });
  return {
    format: "images",
    name: annotations,
    imageFolder,
    categories: [],
    images: read.map((image, index) => ({ id: index + 1, ...image })),
    objects: toObjectTable(
      read.map(() => []),
      false,
    ),
    maskCount: 0,
    faults,
    objectName: () => "",
  };
}
