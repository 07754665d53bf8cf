/** The images of a run, for its pages. */
import { join } from "node:path";
import type { ControllerParts } from "../controller/controller.js";
import { stepOutputs } from "../controller/step-outputs.js";
import { CasslError } from "../core/errors.js";
import type { CuratedData } from "../data/curate.js";
import { findImages } from "../data/image-table.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { openImageCache } from "../images/image-cache.js";
import { createImageStore } from "../images/image-store.js";
import { isUri, placeIn } from "../images/places.js";
import { readThumbnail } from "../images/thumbnail.js";
import { createRecent } from "./recent.js";

/** A JPEG file. */
export type ReadPicture = (run: Run, fileName: string, side_px: number) => Promise<Buffer>;

const SIDES_PX = new Set([240, 1280]);
const KEPT_BYTES = 48 * 2 ** 20;
const KEPT_NAMES = 20_000;
/** The same file may be listed for several sets. */
const MOST_LINES = 8;

type PictureParts = Pick<ControllerParts, "state" | "artifacts" | "roots" | "imageCache">;

/** FILE_NOT_FOUND if the run has no such image; PATH_NOT_ALLOWED; IMAGE_INVALID if it cannot be read any more. */
export function createPictures({ state, artifacts, roots, imageCache }: PictureParts): ReadPicture {
  const pictures = createRecent<Buffer>(KEPT_BYTES, (jpeg) => jpeg.length);
  const hashes = createRecent<string | undefined>(KEPT_NAMES, () => 1);

  /** SHA-256 of an image that the run has looked at, whether it uses it or not; undefined if there is no such image. */
  async function hashOf({ image_table }: CuratedData, file_name: string): Promise<string | undefined> {
    return hashes.get(`${image_table.sha256} ${file_name}`, async () => {
      const table = await artifacts.path(image_table.sha256);
      const { lines } = await findImages(table, { where: { file_name }, limit: MOST_LINES });
      return lines.find(({ sha256 }) => sha256 !== undefined)?.sha256;
    });
  }

  async function read({ config }: Run, place: string, sha256: string, side_px: number): Promise<Buffer> {
    const remote = config?.data?.remote;
    if (remote === undefined) throw new Error("A run has a configuration.");
    if (!isUri(place)) roots.check(place);
    const store = createImageStore(remote, openImageCache(imageCache, remote.cache_gb * 1e9));
    const path = await store.pathOf(place, sha256);
    return readThumbnail(path, side_px).catch((error: unknown) => {
      const message = `${place} cannot be shown: ${(error as Error).message}.`;
      throw new CasslError("IMAGE_INVALID", message, "Look whether the file is still there.", { cause: error });
    });
  }

  return async (run, fileName, side_px) => {
    if (!SIDES_PX.has(side_px)) {
      const remedy = `Give one of ${[...SIDES_PX].join(", ")}.`;
      throw new CasslError("REQUEST_INVALID", `\`side\` is ${side_px}.`, remedy);
    }
    const outputs = stepOutputs(run.run_id, state);
    const curated = outputs.get("curate") as CuratedData | undefined;
    const sha256 = curated && (await hashOf(curated, fileName));
    if (curated === undefined || sha256 === undefined) {
      const shown = JSON.stringify(fileName.slice(0, 200));
      throw new CasslError("FILE_NOT_FOUND", `The run has no image ${shown}.`, "Name one of its data sets.");
    }
    const place = isUri(fileName) ? fileName : placeIn(curated.image_root, join(fileName));
    return pictures.get(`${sha256} ${side_px}`, () => read(run, place, sha256, side_px));
  };
}
