/** The curate step: from annotation files and folders to three checked datasets, with every image accounted for. */
import type { ArtifactStore } from "../core/artifacts.js";
import { classesWithObjects } from "../core/categories.js";
import type { Annotation, Category, Dataset } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { type ImageStore, localImages } from "../images/image-store.js";
import type { BoxCounts } from "./box-policy.js";
import { gatherEvidence } from "./evidence.js";
import { type DroppedImage, dropCopies, dropLeaks, dropUnsound } from "./fates.js";
import { findLeaks, type Leak } from "./firewall.js";
import { storeImageTable } from "./image-table.js";
import { inspectAll } from "./inspect-all.js";
import type { InspectionCache } from "./inspect-image.js";
import { isOf, positionsOf, type SoundImage } from "./inspected-image.js";
import { storeLines } from "./json-lines.js";
import { countFates, type FateCount, type LedgerLine, ledgerLines } from "./ledger.js";
import { manifestRecords } from "./manifest.js";
import { type SharedPictures, searchSeries } from "./near-duplicates/search.js";
import { type Candidate, type DataSources, readSources, type Sources } from "./sources.js";

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
  /** JSON Lines of LedgerLine, one an image. */
  readonly ledger: ArtifactRef;
  /** The ledger as a Parquet file. */
  readonly image_table: ArtifactRef;
  /** The sums over the ledger. */
  readonly fates: readonly FateCount[];
  /** JSON Lines of LeakEvidence, one for each image that the firewall has kept out. */
  readonly leaks: ArtifactRef;
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
  readonly inspections?: InspectionCache | undefined;
  /** Left out: those on this machine. */
  readonly images?: ImageStore | undefined;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/**
 * Bad input is refused with FILE_NOT_FOUND, CONFIG_INVALID, ANNOTATIONS_INVALID, CATEGORY_MISMATCH, DATASET_EMPTY or
 * IMAGE_INVALID before anything is stored. An empty unlabeled set is not refused: whether it is needed depends on the arms.
 */
export async function curate(data: DataSources, seed: number, context: CurateContext): Promise<CuratedData> {
  const { artifacts, images = localImages, signal } = context;
  const sources = await readSources(data, seed);
  const { categories, candidates } = sources;
  checkAnnotated(listedIn(candidates, "labeled"), listedIn(candidates, "validation"), categories);

  const { used, dropped, leaks, pictures } = await decideFates(sources, data, context);
  const labeled = annotatedSet(used, "labeled", categories);
  const validation = annotatedSet(used, "validation", categories);
  const unlabeled = unlabeledSet(used);
  checkAnnotated(labeled.images, validation.images, categories);

  const names = used.map(({ candidate }) => candidate.file_name);
  const series = await searchSeries(pictures, positionsOf(used), names, signal);
  const lines = (): Iterable<LedgerLine> => ledgerLines({ used, dropped, pictures, series });
  const evidence = await gatherEvidence(leaks, signal, images);
  return {
    labeled: await storeLines(artifacts, () => manifestRecords(labeled)),
    unlabeled: await storeLines(artifacts, () => manifestRecords(unlabeled)),
    validation: await storeLines(artifacts, () => manifestRecords(validation)),
    ledger: await storeLines(artifacts, lines),
    image_table: await storeImageTable(artifacts, lines()),
    leaks: await storeLines(artifacts, () => evidence),
    fates: countFates({ used, dropped }),
    image_root: sources.imageRoot,
    labeled_fraction: labeled.images.length / sources.labeledCount,
    counts: {
      labeled: labeled.images.length,
      unlabeled: unlabeled.images.length,
      validation: validation.images.length,
      dropped: dropped.length,
      boxes: sources.boxes,
    },
  };
}

interface Decided {
  readonly used: readonly SoundImage[];
  readonly dropped: readonly DroppedImage[];
  readonly leaks: readonly Leak[];
  /** Hashes of all candidates. */
  readonly pictures: SharedPictures;
}

/** Looks into all candidates. Used and dropped images together are all that there are. */
async function decideFates(
  { candidates, leftOut }: Sources,
  { bad_images, max_image_pixels, leak_firewall }: DataSources,
  { inspections, images: store, signal, onProgress }: CurateContext,
): Promise<Decided> {
  const inspection = { maxPixels: max_image_pixels, cache: inspections, images: store, signal, onProgress };
  const { images, pictures } = await inspectAll(candidates, inspection);
  const sound = dropUnsound(images, bad_images);
  const { enabled, max_distance, labeled } = leak_firewall;
  const leaks = enabled ? await findLeaks(sound.kept, pictures, max_distance, signal, store) : [];
  const clean = dropLeaks(sound.kept, leaks, labeled);
  const single = dropCopies(clean.kept);
  const dropped = [...sound.dropped, ...clean.dropped, ...single.dropped, ...leftOut.map(notTaken)];
  return { used: single.kept, dropped, leaks, pictures };
}

function notTaken(candidate: Candidate): DroppedImage {
  return { candidate, reason: "left out of the labeled set" };
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

function annotatedSet(
  used: readonly SoundImage[],
  split: Candidate["split"],
  categories: readonly Category[],
): Dataset {
  const images = used.filter(isOf(split)).flatMap(({ candidate: { listed, file_name }, info: { sha256 } }) => {
    return listed === undefined ? [] : [{ ...listed, file_name, sha256 }];
  });
  return { categories, images };
}

function unlabeledSet(used: readonly SoundImage[]): Dataset {
  const images = used.filter(isOf("unlabeled"));
  return {
    categories: [],
    images: images.map(({ candidate: { file_name }, info: { sha256, width_px, height_px } }, index) => {
      return { id: index + 1, file_name, sha256, width_px, height_px, annotations: [] };
    }),
  };
}
