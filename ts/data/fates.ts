/** What becomes of each image: used, or dropped for a reason. Pure decisions on what inspection and the firewall found. */

import { failOnFaults } from "./faults.js";
import type { Leak } from "./firewall.js";
import type { ImageInfo } from "./inspect-image.js";
import { firstByContent, type InspectedImage, isOf, type SoundImage } from "./inspected-image.js";
import type { Candidate } from "./sources.js";

export type DropReason =
  | "cannot be decoded"
  | "cannot be fetched"
  | "of another size than annotated"
  | "exact copy of a validation image"
  | "near-duplicate of a validation image"
  | "same content as another image"
  | "left out of the labeled set";

export interface DroppedImage {
  readonly candidate: Candidate;
  readonly reason: DropReason;
  /** What is so only of this image, such as the name of the other one. */
  readonly detail?: string;
  /** Unless it could not be decoded. */
  readonly info?: ImageInfo;
}

export interface Decision {
  readonly kept: readonly SoundImage[];
  readonly dropped: readonly DroppedImage[];
}

/**
 * Drops what cannot be decoded, or is not the image that was annotated.
 * IMAGE_INVALID or ANNOTATIONS_INVALID for these, unless they are to be dropped.
 */
export function dropUnsound(images: readonly InspectedImage[], badImages: "error" | "drop"): Decision {
  const kept: SoundImage[] = [];
  const undecodable: DroppedImage[] = [];
  const misfits: DroppedImage[] = [];
  for (const [position, { candidate, info, fault, isMissing }] of images.entries()) {
    if (info === undefined) {
      const reason = isMissing ? "cannot be fetched" : "cannot be decoded";
      undecodable.push({ candidate, reason, detail: fault ?? "" });
      continue;
    }
    const misfit = sizeFault(candidate, info);
    if (misfit === undefined) kept.push({ candidate, info, position });
    else misfits.push({ candidate, reason: "of another size than annotated", detail: misfit, info });
  }
  if (badImages === "error") refuseBad(undecodable, misfits);
  return { kept, dropped: [...undecodable, ...misfits] };
}

/**
 * Drops what shows the same as a validation image.
 * ANNOTATIONS_INVALID for labeled images that do, unless they are to be dropped.
 */
export function dropLeaks(images: readonly SoundImage[], leaks: readonly Leak[], labeled: "error" | "drop"): Decision {
  if (labeled === "error") refuseLabeled(leaks.filter(({ suspect }) => suspect.candidate.split === "labeled"));
  const leaking = new Set(leaks.map(({ suspect }) => suspect));
  return {
    kept: images.filter((image) => !leaking.has(image)),
    dropped: leaks.map(({ suspect: { candidate, info }, original, kind, distance }) => {
      const other = original.candidate.file_name;
      return kind === "exact"
        ? { candidate, info, reason: "exact copy of a validation image", detail: other }
        : {
            candidate,
            info,
            reason: "near-duplicate of a validation image",
            detail: `${other}, distance ${distance.toFixed(3)}`,
          };
    }),
  };
}

/** Drops an unlabeled image if a labeled or an earlier unlabeled image has the same content. */
export function dropCopies(images: readonly SoundImage[]): Decision {
  const first = firstByContent([...images.filter(isOf("labeled")), ...images.filter(isOf("unlabeled"))]);
  const kept: SoundImage[] = [];
  const dropped: DroppedImage[] = [];
  for (const image of images) {
    const twin = isOf("unlabeled")(image) ? first.get(image.info.sha256) : image;
    if (twin === image || twin === undefined) kept.push(image);
    else dropped.push({ ...factsOf(image), reason: "same content as another image", detail: nameOf(twin) });
  }
  return { kept, dropped };
}

function sizeFault({ listed }: Candidate, { width_px, height_px, turned }: ImageInfo): string | undefined {
  if (listed === undefined || (listed.width_px === width_px && listed.height_px === height_px)) return undefined;
  const isTurned = turned && listed.width_px === height_px && listed.height_px === width_px;
  const hint = isTurned ? "; it is annotated as its EXIF orientation turns it, which is not applied" : "";
  return `is ${width_px} x ${height_px} px, annotated as ${listed.width_px} x ${listed.height_px}${hint}`;
}

function refuseBad(undecodable: readonly DroppedImage[], misfits: readonly DroppedImage[]): void {
  const describe = ({ candidate, detail }: DroppedImage, joint: string): string => `${candidate.path}${joint}${detail}`;
  failOnFaults(
    "IMAGE_INVALID",
    "Images that cannot be used",
    undecodable.map((image) => describe(image, ": ")),
    "Replace or remove them, or set `data.bad_images: drop`.",
  );
  failOnFaults(
    "ANNOTATIONS_INVALID",
    "Images of another size than annotated",
    misfits.map((image) => describe(image, " ")),
    "Correct width and height in the annotation file, store the images as they were annotated, or set `data.bad_images: drop`.",
  );
}

function refuseLabeled(leaks: readonly Leak[]): void {
  const faults = leaks.map(({ suspect, original, kind, distance }) =>
    kind === "exact"
      ? `${suspect.candidate.path} has the same content as ${original.candidate.path}`
      : `${suspect.candidate.path} shows the same as ${original.candidate.path} (distance ${distance.toFixed(3)})`,
  );
  const remedy =
    "Remove the image from one of the two annotation files, or set `data.leak_firewall.labeled: drop` to train without it.";
  failOnFaults("ANNOTATIONS_INVALID", "Labeled images that are validation images too", faults, remedy);
}

function factsOf({ candidate, info }: SoundImage): Pick<DroppedImage, "candidate" | "info"> {
  return { candidate, info };
}

function nameOf({ candidate: { split, file_name } }: SoundImage): string {
  return `${split} ${file_name}`;
}
