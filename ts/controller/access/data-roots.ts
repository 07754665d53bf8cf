/** Which files of the controller's machine a run may name. */
import { realpathSync } from "node:fs";
import { isAbsolute, sep } from "node:path";
import { CasslError } from "../../core/errors.js";
import type { InspectionCache } from "../../data/inspect-image.js";
import type { DataSources } from "../../data/sources.js";
import { isLocalFolder, isUri } from "../../images/places.js";

export interface DataRoots {
  /** CONFIG_INVALID if it is no absolute path; PATH_NOT_ALLOWED if it leads out of the roots, be it by a symbolic link. */
  check(path: string): void;
  /** PATH_NOT_ALLOWED if one of the hosts may not be asked for images. */
  checkHosts(hosts: readonly string[]): void;
}

/** As in lists of unlabeled images. */
const GLOB = /[*?]/;

/**
 * @param roots folders, which must be there; undefined: any file may be named, and any host.
 * @param imageHosts hosts that may be asked all the same, as in `data.remote.hosts`.
 */
export function createDataRoots(roots: readonly string[] | undefined, imageHosts: readonly string[] = []): DataRoots {
  const places = roots?.map(realRoot);
  return {
    check(path) {
      if (path.includes("\0")) throw invalid(path, "has a zero byte");
      // The controller may have another working folder than whoever wrote the configuration.
      if (!isAbsolute(path)) throw invalid(path, "is relative");
      if (places === undefined) return;
      const names = path.split(sep);
      if (names.includes("..")) throw notAllowed(path, "it has `..`");
      const place = realPlace(withoutGlob(names));
      if (place === undefined || !places.some((root) => place === root || place.startsWith(root + sep)))
        throw notAllowed(path, "no data root of the controller has it");
    },
    checkHosts(hosts) {
      const host = hosts.find((name) => !imageHosts.includes(name));
      if (places === undefined || host === undefined) return;
      const message = `\`data.remote.hosts\` names ${shown(host)}, from which this controller fetches no images.`;
      const remedy =
        "Have it started with that --image-host, or use images inside of a folder that is a --data-root of it.";
      throw new CasslError("PATH_NOT_ALLOWED", message, remedy);
    },
  };
}

export function checkData(roots: DataRoots, { labeled, unlabeled, validation, remote }: DataSources): void {
  const folders = [labeled.images, validation.images].filter(isLocalFolder);
  const paths = [labeled.annotations, ...unlabeled.images, validation.annotations, ...folders];
  if (labeled.split_file !== undefined) paths.push(labeled.split_file);
  paths.forEach(roots.check);
  roots.checkHosts(remote.hosts);
}

/** Of a whole configuration. */
export function checkFiles(
  roots: DataRoots,
  { data, pretrained }: { data: DataSources; pretrained?: string | undefined },
) {
  checkData(roots, data);
  if (pretrained !== undefined) roots.check(pretrained);
}

/** The cache is asked for every image before it is read: so no link inside of a folder leads out of the roots. */
export function withinRoots(cache: InspectionCache, roots: DataRoots): InspectionCache {
  return {
    find(path, file) {
      if (!isUri(path)) roots.check(path);
      return cache.find(path, file);
    },
    save: cache.save,
  };
}

function realRoot(root: string): string {
  const place = realPlace(root);
  if (place !== undefined) return place === sep ? "" : place;
  throw new CasslError("FILE_NOT_FOUND", `The data root ${root} is not there.`, "Correct --data-root.");
}

function realPlace(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The folders before the first one that a glob stands for. */
function withoutGlob(names: readonly string[]): string {
  const first = names.findIndex((name) => GLOB.test(name));
  return (first < 0 ? names : names.slice(0, first)).join(sep) || sep;
}

function invalid(path: string, fault: string): CasslError {
  return new CasslError("CONFIG_INVALID", `The path ${shown(path)} ${fault}.`, "Give absolute paths to a controller.");
}

function notAllowed(path: string, fault: string): CasslError {
  return new CasslError(
    "PATH_NOT_ALLOWED",
    `The path ${shown(path)} cannot be used: ${fault}.`,
    "Give one inside of a folder that the controller was started with as --data-root.",
  );
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
