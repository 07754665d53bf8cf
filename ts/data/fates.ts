/** What becomes of each image: used, or dropped for a reason. Pure decisions on what inspection found. */
import { failOnFaults } from "./faults.js";
import type { ImageInfo } from "./images.js";
import type { Candidate } from "./sources.js";

/** A candidate that was looked into: either its `info`, or the `fault` for which it could not be decoded. */
export interface InspectedImage {
  readonly candidate: Candidate;
  readonly info?: ImageInfo;
  readonly fault?: string;
}

export interface UsedImage {
  readonly candidate: Candidate;
  readonly info: ImageInfo;
}

export interface DroppedImage {
  readonly candidate: Candidate;
  readonly reason: string;
}

/**
 * Decides on every image, so that used and dropped ones together are all of them.
 * IMAGE_INVALID for images that cannot be decoded, unless they are to be dropped.
 * ANNOTATIONS_INVALID for images of another size than annotated, and for labeled images that are validation images too.
 */
export function decideFates(
  images: readonly InspectedImage[],
  badImages: "error" | "drop",
): { used: UsedImage[]; dropped: DroppedImage[] } {
  const sound = images.filter((image): image is UsedImage => image.info !== undefined);
  const bad = images.flatMap(({ candidate, fault }) => (fault === undefined ? [] : [{ candidate, fault }]));
  if (badImages === "error") refuseBad(bad);
  refuseWrongSizes(sound);
  refuseLeaks(sound);
  const { used, dropped } = dropDuplicates(sound);
  return {
    used,
    dropped: [...bad.map(({ candidate, fault }) => ({ candidate, reason: `cannot be decoded: ${fault}` })), ...dropped],
  };
}

function refuseBad(bad: readonly { candidate: Candidate; fault: string }[]): void {
  const faults = bad.map(({ candidate, fault }) => `${candidate.path}: ${fault}`);
  failOnFaults(
    "IMAGE_INVALID",
    "Images that cannot be decoded",
    faults,
    "Replace or remove them, or set `data.bad_images: drop`.",
  );
}

function refuseWrongSizes(images: readonly UsedImage[]): void {
  const faults = images.flatMap(({ candidate: { path, listed }, info }) => {
    if (listed === undefined || (listed.width_px === info.width_px && listed.height_px === info.height_px)) return [];
    const isTurned = info.turned && listed.width_px === info.height_px && listed.height_px === info.width_px;
    const hint = isTurned ? "; it is annotated as its EXIF orientation turns it, which is not applied" : "";
    return [
      `${path} is ${info.width_px} x ${info.height_px} px, annotated as ${listed.width_px} x ${listed.height_px}${hint}`,
    ];
  });
  const remedy = "Correct width and height in the annotation file, or store the images as they were annotated.";
  failOnFaults("ANNOTATIONS_INVALID", "Images of another size than annotated", faults, remedy);
}

function refuseLeaks(images: readonly UsedImage[]): void {
  const validation = firstByHash(images.filter(({ candidate }) => candidate.split === "validation"));
  const faults = images.flatMap(({ candidate, info }) => {
    const twin = candidate.split === "labeled" ? validation.get(info.sha256) : undefined;
    return twin === undefined ? [] : [`${candidate.path} has the same content as ${twin.path}`];
  });
  const remedy = "Remove the image from one of the two annotation files.";
  failOnFaults("ANNOTATIONS_INVALID", "Labeled images that are validation images too", faults, remedy);
}

/** Drops an unlabeled image if a labeled, a validation or an earlier unlabeled image has the same content. */
function dropDuplicates(images: readonly UsedImage[]): { used: UsedImage[]; dropped: DroppedImage[] } {
  const first = firstByHash([...images].sort((a, b) => Number(isUnlabeled(a)) - Number(isUnlabeled(b))));
  const twinOf = ({ candidate, info }: UsedImage): Candidate | undefined => {
    const twin = first.get(info.sha256);
    return candidate.split === "unlabeled" && twin !== candidate ? twin : undefined;
  };
  return {
    used: images.filter((image) => twinOf(image) === undefined),
    dropped: images.flatMap((image) => {
      const twin = twinOf(image);
      return twin === undefined
        ? []
        : [{ candidate: image.candidate, reason: `same content as ${twin.split} ${twin.file_name}` }];
    }),
  };
}

function isUnlabeled({ candidate }: UsedImage): boolean {
  return candidate.split === "unlabeled";
}

function firstByHash(images: readonly UsedImage[]): Map<string, Candidate> {
  return new Map([...images].reverse().map(({ candidate, info }) => [info.sha256, candidate]));
}
