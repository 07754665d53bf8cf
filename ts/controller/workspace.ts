/** The folder of a controller: what it knows and keeps, for one process at a time. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { InspectionCache } from "../data/inspect-image.js";
import { openArtifactStore, type ResumableArtifactStore } from "./artifacts.js";
import { openInspections } from "./inspections.js";
import { openRunFolders, type RunFolders } from "./run-folders.js";
import { openState, type StateStore } from "./state.js";
import { toStorageError } from "./storage.js";
import { lockWorkspace } from "./workspace-lock.js";

export interface Workspace {
  readonly state: StateStore;
  readonly artifacts: ResumableArtifactStore;
  /** Where the artifacts are. */
  readonly artifactFolder: string;
  readonly folders: RunFolders;
  readonly inspections: InspectionCache;
  /** The folder that remote images are kept in. */
  readonly imageCache: string;
  /** The folder for files of child workers. Empty at first. */
  readonly scratch: string;
  close(): void;
}

/** Makes what is missing. WORKSPACE_LOCKED, STORAGE_FAILED or VERSION_MISMATCH; nothing is left open then. */
export async function openWorkspace(workspace: string): Promise<Workspace> {
  await makeFolder(workspace);
  const closers = [lockWorkspace(workspace, join(workspace, "lock")).release];
  const close = (): void => {
    for (const closer of closers.splice(0).reverse()) closer();
  };
  try {
    const artifactFolder = join(workspace, "artifacts");
    const artifacts = await openArtifactStore(artifactFolder);
    const folders = await openRunFolders(join(workspace, "runs"));
    const state = openState(join(workspace, "state.db"));
    closers.push(state.close);
    const inspections = openInspections(join(workspace, "inspections.db"));
    closers.push(inspections.close);
    const imageCache = join(workspace, "images");
    const scratch = await emptyFolder(join(workspace, "workers"));
    return { state, artifacts, artifactFolder, folders, inspections, imageCache, scratch, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** What a controller that was killed could not remove, goes now. */
async function emptyFolder(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => {
    throw toStorageError(error, `The folder ${folder} cannot be emptied`);
  });
  await makeFolder(folder);
  return folder;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw toStorageError(error, `The workspace ${folder} cannot be made`);
  }
}
