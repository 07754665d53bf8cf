/** The door to the bytes of images, wherever they are. */
import { CasslError } from "../core/errors.js";
import { sha256 as hashOf } from "../core/hash.js";
import { download, FetchFault, type RemoteConfig } from "./download.js";
import type { ImageCache } from "./image-cache.js";
import { type FileStamp, withImageFile } from "./image-file.js";
import { isUri } from "./places.js";

export interface ImageStore {
  /**
   * Gives `use` the stamp of the image at a place, and what reads it. Nobody can see that a remote image has changed: its
   * stamp does when the configuration says so.
   * Throws an Error that says what is wrong with the image, or CasslError if it is not the image's fault.
   */
  use<T>(place: string, use: (stamp: FileStamp, read: () => Promise<Buffer>) => Promise<T>): Promise<T>;
  /**
   * A path of the image on this machine. A remote image has the content which it is known by.
   * Errors as of `use`.
   */
  pathOf(place: string, sha256: string): Promise<string>;
}

/** Images on this machine; no others. */
export const localImages: ImageStore = {
  use: async (place, use) => withImageFile(refuseUri(place), use),
  pathOf: async (place) => refuseUri(place),
};

/** Images on this machine, and remote ones by way of the cache; `signal` ends what is under way. */
export function createImageStore(remote: RemoteConfig, cache: ImageCache, signal?: AbortSignal): ImageStore {
  const fetchImage = async (uri: string): Promise<Buffer> => {
    const bytes = await download(uri, remote, signal);
    await cache.add(bytes);
    return bytes;
  };
  return {
    async use(place, use) {
      if (!isUri(place)) return localImages.use(place, use);
      return use({ size_bytes: 0, mtime_ms: remote.version }, () => fetchImage(place));
    },
    async pathOf(place, sha256) {
      if (!isUri(place)) return place;
      const known = await cache.find(sha256);
      if (known !== undefined) return known;
      if (hashOf(await fetchImage(place)) !== sha256) throw changed(place);
      return (await cache.find(sha256)) as string;
    },
  };
}

function refuseUri(place: string): string {
  if (isUri(place)) throw new FetchFault("it is not on this machine");
  return place;
}

function changed(uri: string): CasslError {
  const message = `${uri} is no longer the image that was curated.`;
  return new CasslError("IMAGE_INVALID", message, "Raise `data.remote.version`, so that all are looked at again.");
}
