/** Images that were dropped because another one shows the same, each beside that one. */
import type { ArtifactStore } from "../../core/artifacts.js";
import type { CuratedData } from "../../data/curate.js";
import type { LeakEvidence } from "../../data/evidence.js";
import type { DropReason } from "../../data/fates.js";
import { findImages } from "../../data/image-table.js";
import { decodeLines } from "../../data/json-lines.js";
import type { LedgerLine } from "../../data/ledger.js";
import type { ImagePair, PairPage, SplitName } from "../wire/data.js";

const COPY: DropReason = "same content as another image";

/** Copies of validation images: exact ones first, then by distance. */
export async function leakPairs(
  { leaks }: CuratedData,
  offset: number,
  limit: number,
  artifacts: ArtifactStore,
): Promise<PairPage> {
  const lines = [...decodeLines(await artifacts.read(leaks.sha256))] as LeakEvidence[];
  return { total: lines.length, pairs: lines.slice(offset, offset + limit).map(leakPair) };
}

function leakPair({ file_name, split, validation, kind, distance, mirrored }: LeakEvidence): ImagePair {
  const pair = { dropped: { name: file_name, split }, kept: { name: validation, split: "validation" } } as const;
  return kind === "exact" ? { ...pair, isExact: true } : { ...pair, isExact: false, distance, mirrored };
}

/** Unlabeled images with the content of a labeled or an earlier unlabeled one. */
export async function copyPairs(
  { image_table }: CuratedData,
  offset: number,
  limit: number,
  artifacts: ArtifactStore,
): Promise<PairPage> {
  const file = await artifacts.path(image_table.sha256);
  const { total, lines } = await findImages(file, { where: { reason: COPY }, offset, limit });
  return { total, pairs: lines.map(copyPair) };
}

/** The ledger names the other image by its set and its name. */
function copyPair({ file_name, split, detail = "" }: LedgerLine): ImagePair {
  const end = detail.indexOf(" ");
  const kept = { split: detail.slice(0, end) as SplitName, name: detail.slice(end + 1) };
  return { dropped: { name: file_name, split }, kept, isExact: true };
}
