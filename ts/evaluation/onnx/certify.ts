/**
 * The parity certificate of an exported model: it gives what torch gave when it was exported, through our own decoding, resizing
 * and runtime, one image at a time and several at once.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toXywh } from "../../core/boxes.js";
import { CasslError } from "../../core/errors.js";
import { evaluateCoco } from "../coco/index.js";
import type { DenseOutput } from "./detections.js";
import { differingMaskPixels } from "./mask-parity.js";
import { type ModelMetadata, modelInvalid, readModelMetadata } from "./model-metadata.js";
import { matchRows, type ProbedImage, rowsOf, rowsOfProbe } from "./parity-rows.js";
import { type Probe, readProof } from "./proof.js";
import { type Detected, detectInImages } from "./session.js";

/** What two correct runtimes may differ by: rounding in float32, and what that decides between candidates that score nearly the same. */
export const LIMITS = {
  /** Largest difference of a candidate's corner, in px of the input. */
  box_px: 0.1,
  /** Largest difference of a candidate's score. */
  score: 0.001,
  /** Share of torch's detections without one of the same class, place (IoU 0.9) and score. */
  unmatched: 0.02,
  /** Least AP with torch's detections as the truth. */
  agreement_ap: 0.97,
  /** Of the pixels in masks of detections that both have: the share that is in one of the two masks only. */
  mask_pixels: 0.01,
} as const;

/** What was measured with so many images at a time. */
export interface BatchParity {
  readonly images_per_batch: number;
  readonly box_px: number;
  readonly score: number;
  readonly unmatched: number;
  /** Null where torch detects nothing. */
  readonly agreement_ap: number | null;
  /** Null where there are no masks. */
  readonly mask_pixels: number | null;
  readonly detections: number;
}

export interface Certificate {
  readonly passed: boolean;
  readonly family: string;
  readonly probes: readonly string[];
  readonly limits: typeof LIMITS;
  readonly batches: readonly BatchParity[];
}

/** MODEL_INVALID if the file carries no proof of all that it gives, or cannot be run. Whether it passes is in the certificate. */
export async function certify(model: string, signal?: AbortSignal): Promise<Certificate> {
  const [metadata, probes] = [await readModelMetadata(model), await readProof(model)];
  if (metadata.masks !== undefined && probes.some(({ masks }) => masks === undefined)) {
    throw modelInvalid(`${model} gives masks, but its proof has none.`);
  }
  const folder = await mkdtemp(join(tmpdir(), "cassl-certify-"));
  try {
    const imagePaths = await Promise.all(
      probes.map(async ({ png }, index) => {
        const path = join(folder, `${index}.png`);
        await writeFile(path, png);
        return async () => path;
      }),
    );
    const batches: BatchParity[] = [];
    for (const imagesPerBatch of [1, probes.length]) {
      const options = {
        model,
        metadata,
        imagePaths,
        imagesPerBatch,
        dense: true,
        ...(signal === undefined ? {} : { signal }),
      };
      batches.push(await compare(probes, await detectInImages(options), metadata, imagesPerBatch));
    }
    const names = probes.map(({ name }) => name);
    return { passed: batches.every(isWithin), family: metadata.family, probes: names, limits: LIMITS, batches };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param text a certificate that is kept, as JSON. One of before there were masks says nothing of them. */
export function parseCertificate(text: string): Certificate {
  const { limits, batches, ...rest } = JSON.parse(text) as Certificate;
  return {
    ...rest,
    limits: { ...LIMITS, ...limits },
    batches: batches.map((batch) => ({ ...batch, mask_pixels: batch.mask_pixels ?? null })),
  };
}

/** MODEL_INVALID, with what differs, if the model does not give what torch gave. */
export async function requireParity(model: string, signal?: AbortSignal): Promise<Certificate> {
  const certificate = await certify(model, signal);
  if (certificate.passed) return certificate;
  const message = `The exported model does not give what torch gave: ${JSON.stringify(certificate.batches)}, limits ${JSON.stringify(LIMITS)}.`;
  throw new CasslError(
    "MODEL_INVALID",
    message,
    "Please report it, with the versions of torch and onnx of the worker.",
  );
}

function isWithin({ box_px, score, unmatched, agreement_ap, mask_pixels }: BatchParity): boolean {
  return (
    box_px <= LIMITS.box_px &&
    score <= LIMITS.score &&
    unmatched <= LIMITS.unmatched &&
    (agreement_ap ?? 1) >= LIMITS.agreement_ap &&
    (mask_pixels ?? 0) <= LIMITS.mask_pixels
  );
}

async function compare(
  probes: readonly Probe[],
  detected: readonly Detected[],
  metadata: ModelMetadata,
  images_per_batch: number,
): Promise<BatchParity> {
  const classes = metadata.categories.length;
  const pairs = probes.map((probe, n) => ({ probe, ...(detected[n] as Detected) }));
  const differences = pairs.map(({ probe, dense }) => candidateDifference(probe, dense as DenseOutput, classes));
  const matches = pairs.flatMap((pair) => matchRows(pair, LIMITS.score));
  const total = matches.length;
  return {
    images_per_batch,
    box_px: Math.max(...differences.map(({ box }) => box)),
    score: Math.max(...differences.map(({ score }) => score)),
    unmatched: total === 0 ? 0 : matches.filter(({ found }) => found === undefined).length / total,
    agreement_ap: total === 0 ? null : await agreementAp(pairs, metadata),
    mask_pixels: differingMaskPixels(matches),
    detections: total,
  };
}

/**
 * For the worst of torch's candidates, how far the nearest of the model's is. Candidates may come in another order, since those of
 * a two-stage detector are sorted by score.
 */
function candidateDifference({ boxes, scores }: Probe, dense: DenseOutput, classes: number) {
  let worst = { box: 0, score: 0 };
  for (let candidate = 0; candidate < boxes.length / 4; candidate++) {
    let nearest = { box: Number.POSITIVE_INFINITY, score: Number.POSITIVE_INFINITY };
    for (let other = 0; other < dense.boxes.length / 4; other++) {
      const box = largestDifference(boxes, dense.boxes, 4, candidate, other);
      const score = largestDifference(scores, dense.scores, classes, candidate, other);
      if (excess({ box, score }) < excess(nearest)) nearest = { box, score };
    }
    worst = { box: Math.max(worst.box, nearest.box), score: Math.max(worst.score, nearest.score) };
  }
  return worst;
}

/** How large the differences are, in limits. A number that is none is as far as can be. */
function excess({ box, score }: { box: number; score: number }): number {
  const value = Math.max(box / LIMITS.box_px, score / LIMITS.score);
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

function largestDifference(a: Float32Array, b: Float32Array, width: number, row: number, otherRow: number): number {
  let largest = 0;
  for (let i = 0; i < width; i++) {
    largest = Math.max(largest, Math.abs((a[row * width + i] as number) - (b[otherRow * width + i] as number)));
  }
  return largest;
}

/** AP of the model's detections with torch's as ground truth. */
async function agreementAp(pairs: readonly ProbedImage[], { categories }: ModelMetadata): Promise<number> {
  const ids = categories.map(({ name }, index) => ({ id: index + 1, name }));
  const rows = pairs.flatMap((pair, image) => rowsOfProbe(pair.probe, pair.image).map((row) => ({ image, row })));
  const truth = {
    images: pairs.map((_, image) => ({ id: image + 1 })),
    categories: ids,
    annotations: rows.map(({ image, row }, index) => {
      const bbox = toXywh(row.box);
      const common = { image_id: image + 1, category_id: row.classIndex + 1, bbox, area: bbox[2] * bbox[3] };
      return { id: index + 1, ...common, iscrowd: 0 as const };
    }),
  };
  const results = pairs.flatMap((pair, image) =>
    rowsOf(pair.detections, pair.image).map(({ box, score, classIndex }) => {
      const bbox = toXywh(box);
      return { image_id: image + 1, category_id: classIndex + 1, bbox: [...bbox], score };
    }),
  );
  return (await evaluateCoco(truth, results)).summary.ap;
}
