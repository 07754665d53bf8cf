/** Reviewed labels to a labeled set. */
import { join } from "node:path";
import type { ArtifactStore } from "../core/artifacts.js";
import { withCategories } from "../core/categories.js";
import type { Category, Dataset, DatasetImage } from "../core/dataset.js";
import { readText } from "../core/text-file.js";
import { writeWholeFolder } from "../data/convert/whole-folder.js";
import type { CuratedData } from "../data/curate.js";
import { failOnFaults } from "../data/faults.js";
import { ANNOTATION_FILE, writeCoco } from "../data/formats/coco/coco-writer.js";
import { readLabelStudio } from "../data/formats/label-studio.js";
import { readAnnotations } from "../data/formats/read-annotations.js";
import type { ListedImage } from "../data/formats/source-set.js";
import { decodeManifest } from "../data/manifest.js";

export interface ImportedLabels {
  /** The COCO file that was written, and the folder that its file names are relative to. */
  readonly annotations: string;
  readonly images: string;
  readonly labeled: number;
  readonly reviewed: number;
  /** On reviewed images. */
  readonly boxes: number;
}

/**
 * Writes a COCO data set of the labeled images and, as ground truth as well, the reviewed ones.
 * @param file JSON export of Label Studio, or COCO JSON, where every image that is listed counts as reviewed.
 * @param out folder.
 * FILE_NOT_FOUND; ANNOTATIONS_INVALID if the file is not valid, or of images, sizes or classes that the run does not know.
 */
export async function importReviews(
  { labeled, unlabeled, image_root }: CuratedData,
  file: string,
  out: string,
  artifacts: ArtifactStore,
): Promise<ImportedLabels> {
  const load = async (sha256: string): Promise<Dataset> => decodeManifest(await artifacts.read(sha256));
  const known = await load(labeled.sha256);
  const predicted = (await load(unlabeled.sha256)).images;
  const reviewed = await readReviews(file, predicted, known.categories);
  const firstId = known.images.reduce((most, { id }) => Math.max(most, id), 0) + 1;
  const images = [...known.images, ...reviewed.map((image, index) => ({ ...image, id: firstId + index }))];
  await writeWholeFolder(out, (folder) =>
    writeCoco(
      {
        format: "coco",
        imageFolder: image_root,
        categories: known.categories,
        images,
        boxes: { rounded: 0, clipped: 0, dropped: 0 },
        maskCount: 0,
      },
      folder,
    ),
  );
  return {
    annotations: join(out, ANNOTATION_FILE),
    images: image_root,
    labeled: known.images.length,
    reviewed: reviewed.length,
    boxes: reviewed.reduce((sum, { annotations }) => sum + annotations.length, 0),
  };
}

async function readReviews(
  file: string,
  images: readonly DatasetImage[],
  categories: readonly Category[],
): Promise<ListedImage[]> {
  const text = await readText(file);
  if (/^\s*\[/.test(text)) return readLabelStudio(text, file, { images, categories });
  const set = await readAnnotations({ annotations: file, format: "coco" }, "error", { masks: true });
  const byName = new Map(images.map((image) => [image.file_name, image]));
  const faults = set.images.flatMap(({ file_name, width_px, height_px }) => {
    const image = byName.get(file_name);
    if (image === undefined) return [`${file_name} was not predicted`];
    if (image.width_px === width_px && image.height_px === height_px) return [];
    return [`${file_name} is ${width_px} x ${height_px} px there, and ${image.width_px} x ${image.height_px} here`];
  });
  failOnFaults(
    "ANNOTATIONS_INVALID",
    `Reviews in ${file} that cannot be used`,
    faults,
    "Keep to the images of the export.",
  );
  const unscored = set.images.map((image) => ({
    ...image,
    annotations: image.annotations.map(({ score: _, ...annotation }) => annotation),
  }));
  return withCategories(unscored, set.categories, categories, file);
}
