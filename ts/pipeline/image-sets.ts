/** The steps before any arm: which images there are, and which of the labeled ones are held out. */
import type { ArtifactStore } from "../core/artifacts.js";
import { objectsOf } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { type CuratedData, curate, fingerprintData } from "../data/curate.js";
import type { InspectionCache } from "../data/inspect-image.js";
import { seriesOf } from "../data/ledger.js";
import { decodeManifest, encodeManifest } from "../data/manifest.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { openImageCache } from "../images/image-cache.js";
import { createImageStore, type ImageStore } from "../images/image-store.js";
import type { Config } from "./config.js";
import { refuseNoUnlabeled } from "./config-checks.js";
import { learnsMasks } from "./detector-schema.js";
import { holdOut } from "./held-out.js";
import type { Steps } from "./step.js";

export interface CurationContext {
  readonly steps: Steps;
  readonly artifacts: ArtifactStore;
  /** What is known of images that an interrupted or earlier run has looked into. */
  readonly inspections?: InspectionCache | undefined;
  /** The folder that remote images are kept in. */
  readonly imageCache: string;
}

/** The labeled set in two. */
export interface HeldOutImages {
  readonly training: ArtifactRef;
  readonly held_out: ArtifactRef;
  /** In the held-out images. Without any nothing is judged. */
  readonly objects: number;
  /** Whether images of one series are in both. */
  readonly is_torn: boolean;
}

/** Finds, checks and splits the images; see ts/data/curate.ts. */
export async function curateData(
  config: Config,
  { steps, artifacts, inspections, imageCache }: CurationContext,
): Promise<CuratedData> {
  const data = learnsMasks(config) ? { ...config.data, masks: true } : config.data;
  const inputs = { data, seed: config.seed, files: await fingerprintData(data) };
  const curated = await steps.run("", "curate", inputs, ({ signal, progress }) =>
    curate(data, config.seed, {
      artifacts,
      inspections,
      images: imageStore(config, imageCache, signal),
      signal,
      onProgress: (done, total) => progress({ $case: "items", value: { done, total } }),
    }),
  );
  if (curated.counts.unlabeled === 0) refuseNoUnlabeled(config.arms, "The unlabeled set has no usable image");
  return curated;
}

/**
 * Splits the labeled set into what the pseudo-labeler trains on and what it is judged on; see held-out.ts.
 * DATASET_EMPTY if that has no object and a score threshold is to be chosen on it.
 */
export async function holdOutImages(
  config: Config,
  data: CuratedData,
  { steps, artifacts }: Pick<CurationContext, "steps" | "artifacts">,
): Promise<HeldOutImages> {
  const { held_out: share, select } = config.stages.pseudo_label;
  const inputs = { labeled: data.labeled.sha256, ledger: data.ledger.sha256, share, seed: config.seed };
  const parts = await steps.run("", "hold_out", inputs, async () => {
    const labeled = decodeManifest(await artifacts.read(data.labeled.sha256));
    const series = seriesOf(await artifacts.read(data.ledger.sha256));
    const { training, heldOut, isTorn } = holdOut(labeled, share, config.seed, (name) => series.get(name) ?? name);
    return {
      training: await artifacts.put(encodeManifest(training)),
      held_out: await artifacts.put(encodeManifest(heldOut)),
      objects: heldOut.images.flatMap(objectsOf).length,
      is_torn: isTorn,
    };
  });
  if (parts.objects === 0) fixedThreshold(select);
  return parts;
}

/** The images of a run, of which remote ones are kept in the folder. */
export function imageStore({ data: { remote } }: Config, folder: string, signal: AbortSignal): ImageStore {
  return createImageStore(remote, openImageCache(folder, remote.cache_gb * 1e9), signal);
}

/** The score of a fixed threshold. DATASET_EMPTY for any other policy: to be called where nothing is held out to choose on. */
export function fixedThreshold({ score_threshold }: Config["stages"]["pseudo_label"]["select"]): number {
  if (score_threshold.policy === "fixed") return score_threshold.score;
  throw new CasslError(
    "DATASET_EMPTY",
    `The score threshold \`${score_threshold.policy}\` is chosen on held-out objects, and no labeled image with an object can be spared.`,
    "Label more images, raise stages.pseudo_label.held_out, or set stages.pseudo_label.select.score_threshold to a number.",
  );
}
