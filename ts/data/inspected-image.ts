/** Images that somebody has looked into. */
import type { ImageInfo } from "./inspect-image.js";
import type { Candidate } from "./sources.js";

/** Either its `info`, or the `fault` for which it could not be had or decoded. */
export interface InspectedImage {
  readonly candidate: Candidate;
  readonly info?: ImageInfo;
  readonly fault?: string;
  /** Whether it could not be fetched, rather than decoded. */
  readonly isMissing?: boolean;
}

export interface SoundImage {
  readonly candidate: Candidate;
  readonly info: ImageInfo;
  /** Among all candidates, and so among their hashes. */
  readonly position: number;
}

export function isOf(split: Candidate["split"]): (image: SoundImage) => boolean {
  return ({ candidate }) => candidate.split === split;
}

export function positionsOf(images: readonly SoundImage[]): Uint32Array {
  return Uint32Array.from(images, ({ position }) => position);
}

/** The first image of each content. */
export function firstByContent(images: readonly SoundImage[]): Map<string, SoundImage> {
  const first = new Map<string, SoundImage>();
  for (const image of images) if (!first.has(image.info.sha256)) first.set(image.info.sha256, image);
  return first;
}
