/** What a run has stored of its pseudo labels; needs no controller, and the run need not have finished. */
import { existsSync } from "node:fs";
import type { ArtifactStore } from "../core/artifacts.js";
import { type Category, type Dataset, objectCategory } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import type { CuratedData } from "../data/curate.js";
import { decodeManifest } from "../data/manifest.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { RunConfig } from "../gen/cassl/v1/run.js";
import type { HeldOutImages } from "../pipeline/image-sets.js";
import type { LabelerQuality } from "../pipeline/judge-labeler.js";
import type { JudgedLabels } from "../pipeline/operations.js";
import type { StateStore } from "./state.js";
import { labelingScopes, stepOutputs } from "./step-outputs.js";
import { openWorkspace, type Workspace } from "./workspace.js";

/** One round of labeling of one arm. */
export interface StoredLabels {
  readonly run: string;
  readonly config: RunConfig;
  /** Such as `class_agnostic` or `class_agnostic/round_2`. */
  readonly scope: string;
  /** All that there are. */
  readonly scopes: readonly string[];
  /** A PredictionManifest. */
  readonly predictions: ArtifactRef;
  /** Absent if the run stopped before it selected. */
  readonly selected: JudgedLabels | undefined;
  /** Absent without held-out images. */
  readonly quality: LabelerQuality | undefined;
  /** What it is judged on; without images if none are held out. */
  readonly heldOut: { readonly images: ArtifactRef; readonly predictions: ArtifactRef } | undefined;
  readonly curated: CuratedData;
}

/** Opens a workspace that is there. RUN_NOT_FOUND if it is not. */
export async function openWorkspaceOf(workspace: string): Promise<Workspace> {
  if (!existsSync(workspace)) throw notFound(`There is no workspace ${workspace}.`);
  return openWorkspace(workspace);
}

/**
 * @param run id, or `latest`.
 * @param scope an arm, for its last round, or a round; undefined: the last that has predictions.
 * RUN_NOT_FOUND if there is no such run, or it has no predictions.
 */
export function findStoredLabels(state: StateStore, run: string, scope: string | undefined): StoredLabels {
  const found = run === "latest" ? state.listRuns({ limit: 1 })[0]?.run : state.findRun(run);
  if (found?.config === undefined)
    throw notFound(run === "latest" ? "There is no run." : `There is no run \`${run}\`.`);
  const outputs = stepOutputs(found.run_id, state);
  const scopes = labelingScopes(outputs);
  const chosen = scopes.filter((name) => scope === undefined || name === scope || name.startsWith(`${scope}/`)).at(-1);
  if (chosen === undefined) throw notFound(`The run \`${found.run_id}\` has no predictions${of(scope, scopes)}.`);
  const parts = outputs.get("hold_out") as HeldOutImages | undefined;
  const judged = outputs.get(`${chosen}/predict_held_out`) as ArtifactRef | undefined;
  return {
    run: found.run_id,
    config: found.config,
    scope: chosen,
    scopes,
    predictions: outputs.get(`${chosen}/predict`) as ArtifactRef,
    selected: outputs.get(`${chosen}/select`) as JudgedLabels | undefined,
    quality: outputs.get(`${chosen}/choose_threshold`) as LabelerQuality | undefined,
    heldOut: parts && judged && { images: parts.held_out, predictions: judged },
    curated: outputs.get("curate") as CuratedData,
  };
}

/** The classes of the predictions. */
export async function categoriesOf(stored: StoredLabels, artifacts: ArtifactStore): Promise<readonly Category[]> {
  return isClassAgnostic(stored) ? [objectCategory] : labeledCategories(stored, artifacts);
}

export function isClassAgnostic({ scope }: StoredLabels): boolean {
  return scope.startsWith("class_agnostic");
}

/** The images that were predicted. */
export async function predictedImages({ curated }: StoredLabels, artifacts: ArtifactStore): Promise<Dataset["images"]> {
  return (await load(curated.unlabeled, artifacts)).images;
}

/** Those that people give to objects. */
export async function labeledCategories(
  { curated }: StoredLabels,
  artifacts: ArtifactStore,
): Promise<readonly Category[]> {
  return (await load(curated.labeled, artifacts)).categories;
}

export interface ReviewClasses {
  readonly categories: readonly Category[];
  /** Which of them each class of the predictions is. */
  readonly classIndex: readonly number[];
}

/**
 * The classes of the labeled set, which a reviewer gives to boxes. Boxes without a class are of the class `object` beside them,
 * or of the only one there is.
 */
export async function reviewClasses(stored: StoredLabels, artifacts: ArtifactStore): Promise<ReviewClasses> {
  const categories = await labeledCategories(stored, artifacts);
  if (!isClassAgnostic(stored)) return { categories, classIndex: [...categories.keys()] };
  const own = categories.length === 1 ? 0 : categories.findIndex(({ name }) => name === objectCategory.name);
  if (own >= 0) return { categories, classIndex: [own] };
  const id = Math.max(...categories.map((category) => category.id)) + 1;
  return { categories: [...categories, { ...objectCategory, id }], classIndex: [categories.length] };
}

async function load({ sha256 }: ArtifactRef, artifacts: ArtifactStore): Promise<Dataset> {
  return decodeManifest(await artifacts.read(sha256));
}

function of(scope: string | undefined, scopes: readonly string[]): string {
  if (scope === undefined) return "";
  return scopes.length === 0 ? ` of ${scope}` : ` of ${scope}, but of ${scopes.join(", ")}`;
}

function notFound(message: string): CasslError {
  const remedy = "`cassl runs` lists those there are; --workspace names another folder.";
  return new CasslError("RUN_NOT_FOUND", message, remedy);
}
