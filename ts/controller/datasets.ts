/** Data sets that are looked into once and named from then on. */
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson } from "../core/hash.js";
import type { CuratedData } from "../data/curate.js";
import type { InspectionCache } from "../data/inspect-image.js";
import type { RegisterDatasetRequest, RegisteredDataset } from "../gen/cassl/v1/controller_service.js";
import type { RunConfig } from "../gen/cassl/v1/run.js";
import { type Config, parseConfig } from "../pipeline/config.js";
import { curateData } from "../pipeline/image-sets.js";
import { createSteps, type StepStore } from "../pipeline/step.js";
import { checkData, type DataRoots } from "./access/data-roots.js";
import type { DatasetTable } from "./state.js";

export interface Datasets {
  /** As `RegisterDataset` in proto/cassl/v1/controller_service.proto. */
  register(request: RegisterDatasetRequest, signal: AbortSignal): Promise<RegisteredDataset>;
  list(): RegisteredDataset[];
  /** DATASET_NOT_FOUND if there is none. */
  get(name: string): RegisteredDataset;
  /** The configuration with the data of the named data set; as it is without a name. REQUEST_INVALID if both are given. */
  resolve(config: RunConfig | undefined, name: string): RunConfig | undefined;
}

export interface DatasetResources {
  readonly state: DatasetTable & StepStore;
  readonly artifacts: ArtifactStore;
  readonly inspections: InspectionCache;
  /** The folder that remote images are kept in. */
  readonly imageCache: string;
  /** Where the data may be. */
  readonly roots: DataRoots;
}

export function createDatasets({ state, artifacts, inspections, imageCache, roots }: DatasetResources): Datasets {
  function get(name: string): RegisteredDataset {
    const found = state.findDataset(name);
    if (found !== undefined) return found;
    const message = `No data set is registered as ${JSON.stringify(name.slice(0, 100))}.`;
    throw new CasslError("DATASET_NOT_FOUND", message, "ListDatasets says which are; RegisterDataset adds one.");
  }

  return {
    get,
    list: state.listDatasets,
    async register({ name, data, seed }, signal) {
      // The name of a data set is made like that of a run, and checked with the data.
      const config = parseConfig({ name, seed, data, arms: ["supervised"] });
      checkData(roots, config.data);
      const known = state.findDataset(name);
      if (known !== undefined) return sameDataset(known, config);
      const steps = createSteps(state, artifacts, () => {}, signal);
      const dataset = describe(config, await curateData(config, { steps, artifacts, inspections, imageCache }));
      state.saveDataset(dataset);
      return dataset;
    },
    resolve(config, name) {
      if (name === "") return config;
      if (config?.data === undefined) return config && { ...config, data: get(name).data };
      const message = `Both \`config.data\` and the data set ${JSON.stringify(name.slice(0, 100))} are given.`;
      throw new CasslError("REQUEST_INVALID", message, "Leave one of them out.");
    },
  };
}

function describe({ name, data, seed }: Config, curated: CuratedData): RegisteredDataset {
  const { counts, labeled, unlabeled, validation, ledger } = curated;
  return {
    name,
    data,
    seed,
    labeled_images: counts.labeled,
    unlabeled_images: counts.unlabeled,
    validation_images: counts.validation,
    dropped_images: counts.dropped,
    labeled,
    unlabeled,
    validation,
    ledger,
  };
}

function sameDataset(known: RegisteredDataset, { data, seed }: Config): RegisteredDataset {
  if (canonicalJson({ data, seed }) === canonicalJson({ data: known.data, seed: known.seed })) return known;
  const message = `There is a data set \`${known.name}\` of other data.`;
  throw new CasslError("DATASET_EXISTS", message, "Choose another name.");
}
