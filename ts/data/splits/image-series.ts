/** The series that annotated images belong to, going by their pictures and names. */
import { join } from "node:path";
import { MAX_IMAGE_PIXELS } from "../../images/decoding.js";
import { inspectAll } from "../inspect-all.js";
import { searchSeries } from "../near-duplicates/search.js";

export interface ImageSeries {
  /** By file name. An image that cannot be decoded stands alone. */
  readonly series: ReadonlyMap<string, number>;
  /** The file names of those, each with what is wrong. */
  readonly faults: readonly string[];
}

/** @param folder that the file names are relative to. */
export async function findImageSeries(
  fileNames: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<ImageSeries> {
  const candidates = fileNames.map((file_name) => ({
    split: "labeled" as const,
    path: join(folder, file_name),
    file_name,
  }));
  const { images, pictures } = await inspectAll(candidates, {
    maxPixels: MAX_IMAGE_PIXELS,
    signal,
    onProgress: () => {},
  });
  const positions = Uint32Array.from(fileNames.keys());
  const firsts = await searchSeries(pictures, positions, fileNames, signal);
  return {
    series: new Map(fileNames.map((name, position) => [name, firsts[position] as number])),
    faults: images.flatMap(({ candidate, fault }) => (fault === undefined ? [] : [`${candidate.file_name}: ${fault}`])),
  };
}
