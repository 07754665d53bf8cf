/** Images of formats that leave their size to the image file. */
import type { FaultList } from "./fault-list.js";
import { type ImageHeader, readImageHeader } from "./image-size.js";
import type { ObjectRow } from "./object-table.js";
import type { SourceImage } from "./source-set.js";

export type SizedImage = Omit<SourceImage, "id">;

/** An image with what its annotations say. */
export interface ReadImage {
  readonly size: SizedImage;
  readonly rows: readonly ObjectRow[];
}

const NO_SIZE: ImageHeader = { width_px: 0, height_px: 0, orientation: 1 };

/**
 * The size by the header of the file. If it cannot be read, or is turned by an EXIF orientation that leaves open what
 * shares of the image mean, that is a fault of the image, whose size is 0 then.
 */
export async function readSize(path: string, fileName: string, faults: FaultList): Promise<SizedImage> {
  const header = await readImageHeader(path).catch((error: Error) => {
    faults.add("unreadable_image", `${path} cannot be read: ${error.message}`);
    return NO_SIZE;
  });
  const { width_px, height_px, orientation } = header;
  if (orientation === 1) return { file_name: fileName, width_px, height_px };
  const fault = `${path} has the EXIF orientation ${orientation}, which its labels may mean or not; store it turned`;
  faults.add("turned_image", fault);
  return { file_name: fileName, width_px: 0, height_px: 0 };
}
