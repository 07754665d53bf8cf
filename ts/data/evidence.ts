/** What the firewall keeps to be judged by people: which images leak, and some of the pairs as pictures. */
import { mapConcurrently } from "../core/concurrency.js";
import type { ImageStore } from "../images/image-store.js";
import type { Leak } from "./firewall.js";
import { IMAGES_AT_ONCE, readPreview } from "./inspect-image.js";
import type { SoundImage } from "./inspected-image.js";
import type { Candidate } from "./sources.js";

/** A line of the artifact `leaks`. */
export interface LeakEvidence {
  readonly file_name: string;
  readonly split: Candidate["split"];
  /** File name of the validation image that shows the same. */
  readonly validation: string;
  /** Whether the files are equal, or only what they show. */
  readonly kind: "exact" | "near";
  /** 0 for the same picture, about 1 for pictures that have nothing to do with each other. */
  readonly distance: number;
  /** Whether one shows the other with left and right exchanged. */
  readonly mirrored: boolean;
  /** Some have both pictures, as small JPEG files in base64. */
  readonly previews?: { readonly image: string; readonly validation: string };
}

const MOST_PREVIEWS = 24;

/** Exact copies first, then by distance. The pairs with pictures are spread over the near-duplicates. */
export async function gatherEvidence(
  leaks: readonly Leak[],
  signal: AbortSignal,
  store: ImageStore,
): Promise<LeakEvidence[]> {
  const sorted = [...leaks].sort((a, b) => Number(a.kind === "near") - Number(b.kind === "near") || compare(a, b));
  const pictured = new Set(spread(sorted.filter(({ kind }) => kind === "near")));
  return mapConcurrently(sorted, IMAGES_AT_ONCE, (leak) => describe(leak, pictured.has(leak), store), signal);
}

function compare(a: Leak, b: Leak): number {
  return a.distance - b.distance || (a.suspect.candidate.file_name < b.suspect.candidate.file_name ? -1 : 1);
}

async function describe(
  { suspect, original, kind, distance, mirrored }: Leak,
  isPictured: boolean,
  store: ImageStore,
): Promise<LeakEvidence> {
  const { file_name, split } = suspect.candidate;
  const facts = { file_name, split, validation: original.candidate.file_name, kind, distance, mirrored };
  if (!isPictured) return facts;
  return { ...facts, previews: { image: await preview(suspect, store), validation: await preview(original, store) } };
}

async function preview({ candidate, info }: SoundImage, store: ImageStore): Promise<string> {
  return Buffer.from(await readPreview(await store.pathOf(candidate.path, info.sha256))).toString("base64");
}

/** Evenly over the items, with the first and the last. */
function spread<T>(items: readonly T[]): T[] {
  if (items.length <= MOST_PREVIEWS) return [...items];
  const step = (items.length - 1) / (MOST_PREVIEWS - 1);
  return Array.from({ length: MOST_PREVIEWS }, (_, index) => items[Math.round(index * step)] as T);
}
