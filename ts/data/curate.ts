/** The curate step: from annotation files and folders to three checked datasets, with every image accounted for. */
import type { ArtifactStore } from "../core/artifacts.js";
import { classesWithObjects } from "../core/categories.js";
import { mapConcurrently } from "../core/concurrency.js";
import type { Annotation, Category, Dataset } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson } from "../core/hash.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { BoxCounts } from "./box-policy.js";
import { type DroppedImage, decideFates, type InspectedImage, type UsedImage } from "./fates.js";
import { inspectImage } from "./images.js";
import { encodeManifest } from "./manifest.js";
import { type Candidate, type DataSources, readSources } from "./sources.js";

export { fingerprintData } from "./sources.js";

/** What the curate step leaves. */
export interface CuratedData {
  readonly labeled: ArtifactRef;
  /** Without categories: nothing in it has a class. Image ids are 1..N. */
  readonly unlabeled: ArtifactRef;
  /** With the categories of the labeled set. */
  readonly validation: ArtifactRef;
  /** The folder that all file names are relative to. */
  readonly image_root: string;
  /** Labeled images used over images in the labeled annotation file. */
  readonly labeled_fraction: number;
  readonly counts: CurationCounts;
  /** JSON Lines, one an image: `{ file_name, split, fate: "used" | "dropped", reason? }`. */
  readonly ledger: ArtifactRef;
}

export interface CurationCounts {
  /** Images used. */
  readonly labeled: number;
  readonly unlabeled: number;
  readonly validation: number;
  /** Images dropped, of all sets: with those used, all lines of the ledger. */
  readonly dropped: number;
  /** Of the whole annotation files. */
  readonly boxes: { readonly labeled: BoxCounts; readonly validation: BoxCounts };
}

export interface CurateContext {
  readonly artifacts: ArtifactStore;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/** sharp decodes in the threads of Node.js, of which there are four; more images at once would only take memory. */
const IMAGES_AT_ONCE = 4;
const PROGRESS_REPORTS = 100;

/**
 * Bad input is refused with FILE_NOT_FOUND, CONFIG_INVALID, ANNOTATIONS_INVALID, CATEGORY_MISMATCH, DATASET_EMPTY or
 * IMAGE_INVALID before anything is stored. An empty unlabeled set is not refused: whether it is needed depends on the arms.
 */
export async function curate(data: DataSources, seed: number, context: CurateContext): Promise<CuratedData> {
  const { imageRoot, categories, candidates, leftOut, ...sources } = await readSources(data, seed);
  checkAnnotated(listedIn(candidates, "labeled"), listedIn(candidates, "validation"), categories);

  const { used, dropped } = decideFates(await inspectAll(candidates, context), data.bad_images);
  const labeled = annotatedSet(used, "labeled", categories);
  const validation = annotatedSet(used, "validation", categories);
  const unlabeled = unlabeledSet(used);
  checkAnnotated(labeled.images, validation.images, categories);

  const notTaken = leftOut.map((candidate) => ({ candidate, reason: "left out by data.labeled.take" }));
  const allDropped = [...dropped, ...notTaken];
  const { artifacts } = context;
  return {
    labeled: await artifacts.put(encodeManifest(labeled)),
    unlabeled: await artifacts.put(encodeManifest(unlabeled)),
    validation: await artifacts.put(encodeManifest(validation)),
    ledger: await artifacts.put(encodeLedger(used, allDropped)),
    image_root: imageRoot,
    labeled_fraction: labeled.images.length / sources.labeledCount,
    counts: {
      labeled: labeled.images.length,
      unlabeled: unlabeled.images.length,
      validation: validation.images.length,
      dropped: allDropped.length,
      boxes: sources.boxes,
    },
  };
}

async function inspectAll(
  candidates: readonly Candidate[],
  { signal, onProgress }: CurateContext,
): Promise<InspectedImage[]> {
  const total = candidates.length;
  let done = 0;
  const report = (): void => {
    done++;
    if (done === total || done % Math.ceil(total / PROGRESS_REPORTS) === 0) onProgress(done, total);
  };
  const inspect = async (candidate: Candidate): Promise<InspectedImage> => {
    const inspected = await inspectImage(candidate.path).then(
      (info) => ({ candidate, info }),
      (error: Error) => ({ candidate, fault: error.message }),
    );
    report();
    return inspected;
  };
  return mapConcurrently(candidates, IMAGES_AT_ONCE, inspect, signal);
}

interface Annotated {
  readonly annotations: readonly Annotation[];
}

/** DATASET_EMPTY if either set has no object; CATEGORY_MISMATCH if the labeled set has none of a class that validation asks for. */
function checkAnnotated(
  labeled: readonly Annotated[],
  validation: readonly Annotated[],
  categories: readonly Category[],
): void {
  const known = requireObjects("labeled", labeled, categories);
  const asked = requireObjects("validation", validation, categories);
  const missing = [...asked].filter((name) => !known.has(name));
  if (missing.length === 0) return;
  throw new CasslError(
    "CATEGORY_MISMATCH",
    `The validation set has objects of the classes ${missing.join(", ")}, of which the labeled set has none.`,
    "Label some, raise data.labeled.take, or leave the classes out of the validation set.",
  );
}

function requireObjects(name: string, images: readonly Annotated[], categories: readonly Category[]): Set<string> {
  const classes = classesWithObjects(images, categories);
  if (classes.size > 0) return classes;
  const what = images.length === 0 ? "no images" : `${images.length} images, but no box`;
  throw new CasslError("DATASET_EMPTY", `The ${name} set has ${what}.`, `Add annotated images to data.${name}.`);
}

function listedIn(candidates: readonly Candidate[], split: Candidate["split"]): Annotated[] {
  return candidates.flatMap((candidate) => (candidate.split === split ? (candidate.listed ?? []) : []));
}

function annotatedSet(used: readonly UsedImage[], split: Candidate["split"], categories: readonly Category[]): Dataset {
  const images = used.flatMap(({ candidate: { listed, file_name, split: own }, info }) =>
    own === split && listed !== undefined ? [{ ...listed, file_name, sha256: info.sha256 }] : [],
  );
  return { categories, images };
}

function unlabeledSet(used: readonly UsedImage[]): Dataset {
  const images = used.filter(({ candidate }) => candidate.split === "unlabeled");
  return {
    categories: [],
    images: images.map(({ candidate: { file_name }, info: { sha256, width_px, height_px } }, index) => {
      return { id: index + 1, file_name, sha256, width_px, height_px, annotations: [] };
    }),
  };
}

function encodeLedger(used: readonly UsedImage[], dropped: readonly DroppedImage[]): Uint8Array {
  const lines = [
    ...used.map(({ candidate: { file_name, split } }) => ({ file_name, split, fate: "used" })),
    ...dropped.map(({ candidate: { file_name, split }, reason }) => ({ file_name, split, fate: "dropped", reason })),
  ];
  return Buffer.from(lines.map((line) => `${canonicalJson(line)}\n`).join(""));
}
