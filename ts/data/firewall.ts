/** The leak firewall: finds images outside the validation set that show what a validation image shows. */
import { mapConcurrently } from "../core/concurrency.js";
import { CasslError } from "../core/errors.js";
import { type ImageStore, localImages } from "../images/image-store.js";
import { IMAGES_AT_ONCE, readPicture } from "./inspect-image.js";
import { firstByContent, isOf, positionsOf, type SoundImage } from "./inspected-image.js";
import { mirror, type Picture, pictureDistance } from "./near-duplicates/alignment.js";
import type { CopyCandidate, SuspectedCopy } from "./near-duplicates/candidates.js";
import { type Margins, WINDOWS } from "./near-duplicates/picture-hash.js";
import { type SharedPictures, searchCopies } from "./near-duplicates/search.js";

/** That a labeled or unlabeled image shows the same as a validation image. */
export interface Leak {
  readonly suspect: SoundImage;
  /** The validation image that is nearest to it. */
  readonly original: SoundImage;
  /** Whether the files are equal, or only what they show. */
  readonly kind: "exact" | "near";
  /** As `pictureDistance` gives it, to three decimals. */
  readonly distance: number;
  /** Whether one shows the other with left and right exchanged. */
  readonly mirrored: boolean;
}

/**
 * One leak for each image that leaks. Exact copies are found by their content. For others, hashes name candidates, which are
 * decoded a second time and laid over each other.
 * @param pictures hashes of all candidates, by `SoundImage.position`.
 * @param maxDistance at which two images still count as near-duplicates, in [0, 1].
 */
export async function findLeaks(
  images: readonly SoundImage[],
  pictures: SharedPictures,
  maxDistance: number,
  signal: AbortSignal,
  store: ImageStore = localImages,
): Promise<Leak[]> {
  const originals = images.filter(isOf("validation"));
  const others = images.filter((image) => !isOf("validation")(image));
  const exact = exactLeaks(others, originals);
  const leaking = new Set(exact.map(({ suspect }) => suspect));
  const suspects = others.filter((image) => !leaking.has(image));
  const suspected = await searchCopies(pictures, positionsOf(suspects), positionsOf(originals), signal);
  return [...exact, ...(await nearLeaks([...suspects, ...originals], suspected, maxDistance, signal, store))];
}

function exactLeaks(suspects: readonly SoundImage[], originals: readonly SoundImage[]): Leak[] {
  const byContent = firstByContent(originals);
  return suspects.flatMap((suspect) => {
    const original = byContent.get(suspect.info.sha256);
    return original === undefined ? [] : [{ suspect, original, kind: "exact", distance: 0, mirrored: false } as const];
  });
}

async function nearLeaks(
  images: readonly SoundImage[],
  suspected: readonly SuspectedCopy[],
  maxDistance: number,
  signal: AbortSignal,
  store: ImageStore,
): Promise<Leak[]> {
  const involved = new Set(suspected.flatMap(({ suspect, candidates }) => [suspect, ...candidates.map(originalOf)]));
  const byPosition = new Map(
    images.filter(({ position }) => involved.has(position)).map((image) => [image.position, image]),
  );
  const imageAt = (position: number): SoundImage => byPosition.get(position) as SoundImage;
  const originalPictureAt = remembered((position) => pictureOf(imageAt(position), store));

  const nearest = async ({ suspect, candidates }: SuspectedCopy): Promise<Leak[]> => {
    const picture = await pictureOf(imageAt(suspect), store);
    const leaks: Leak[] = [];
    for (const candidate of candidates) {
      const exact = distanceOf(candidate, picture, await originalPictureAt(candidate.original));
      const distance = Number(exact.toFixed(3));
      const pair = { suspect: imageAt(suspect), original: imageAt(candidate.original) };
      leaks.push({ ...pair, kind: "near", distance, mirrored: candidate.mirrored });
    }
    leaks.sort((a, b) => a.distance - b.distance);
    return leaks.slice(0, 1).filter(({ distance }) => distance <= maxDistance);
  };
  return (await mapConcurrently(suspected, IMAGES_AT_ONCE, nearest, signal)).flat();
}

/** Lays the one that may lack borders over the other. If their whole pictures are alike, either may. */
function distanceOf({ cropped, window, mirrored }: CopyCandidate, suspect: Picture, original: Picture): number {
  const start = WINDOWS[window] as Margins;
  const sides = window === 0 ? (["suspect", "original"] as const) : [cropped];
  const distances = sides.map((side) => {
    const [whole, part] = side === "suspect" ? [original, suspect] : [suspect, original];
    return pictureDistance(whole, mirrored ? mirror(part) : part, start);
  });
  return Math.min(...distances);
}

function originalOf({ original }: CopyCandidate): number {
  return original;
}

async function pictureOf({ candidate: { path }, info }: SoundImage, store: ImageStore): Promise<Picture> {
  try {
    return await readPicture(await store.pathOf(path, info.sha256));
  } catch (error) {
    if (error instanceof CasslError) throw error;
    const message = `${path} could be decoded at first, and now cannot: ${(error as Error).message}.`;
    throw new CasslError("IMAGE_INVALID", message, "Leave the images alone while they are curated.", { cause: error });
  }
}

function remembered<T>(make: (key: number) => T): (key: number) => T {
  const made = new Map<number, T>();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key) as T;
  };
}
