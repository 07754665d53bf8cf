/** Who may call what. An RPC that is not listed may be called by nobody once tokens are demanded. */

export const ROLES = ["client", "worker", "read-only"] as const;
export type Role = (typeof ROLES)[number];

const CLIENT: readonly Role[] = ["client"];
const WORKER: readonly Role[] = ["worker"];
const READERS: readonly Role[] = ["client", "read-only"];
const ALL: readonly Role[] = ROLES;

/** The roles that may call each RPC, by its path without the leading slash. `anyone`: without a token. */
export const RULES: Readonly<Record<string, readonly Role[] | "anyone">> = {
  "cassl.v1.ControllerService/CreateRun": CLIENT,
  "cassl.v1.ControllerService/CancelRun": CLIENT,
  "cassl.v1.ControllerService/RetryRun": CLIENT,
  "cassl.v1.ControllerService/OverrideGates": CLIENT,
  "cassl.v1.ControllerService/DrainWorker": CLIENT,
  "cassl.v1.ControllerService/PlanRun": CLIENT,
  "cassl.v1.ControllerService/RegisterDataset": CLIENT,
  "cassl.v1.ControllerService/EvaluateDetections": CLIENT,
  "cassl.v1.ControllerService/StreamPseudoLabels": READERS,
  "cassl.v1.ControllerService/ListDatasets": READERS,
  "cassl.v1.ControllerService/GetRun": READERS,
  "cassl.v1.ControllerService/ListRuns": READERS,
  "cassl.v1.ControllerService/WatchRun": READERS,
  "cassl.v1.ControllerService/ListWorkers": READERS,
  "cassl.v1.WorkerService/Attach": WORKER,
  "cassl.v1.ArtifactService/StatArtifact": ALL,
  "cassl.v1.ArtifactService/GetArtifact": ALL,
  "cassl.v1.ArtifactService/PutArtifact": ["client", "worker"],
  "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": ALL,
  // Load balancers and probes have no tokens, and learn nothing but that the controller serves.
  "grpc.health.v1.Health/Check": "anyone",
  "grpc.health.v1.Health/Watch": "anyone",
  "grpc.health.v1.Health/List": "anyone",
};

/** @param path of an RPC, such as `/cassl.v1.ControllerService/GetRun`. */
export function ruleOf(path: string): readonly Role[] | "anyone" {
  const rpc = path.slice(1).replace(/^grpc\.reflection\.v1alpha\./, "grpc.reflection.v1.");
  return (Object.hasOwn(RULES, rpc) && RULES[rpc]) || [];
}
