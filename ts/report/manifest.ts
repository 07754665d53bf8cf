/** All that it takes to make a run again, and to know that it is the same: programs, files by their content, configuration. */
import { stringify } from "yaml";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { RunResult } from "../pipeline/pipeline.js";
import { armName } from "./arm-name.js";
import { formatBytes } from "./format.js";
import type { Environment, ReportedRun } from "./report-input.js";
import type { Table } from "./tables.js";

export const ENVIRONMENT_CAPTION = "Programs and machines; workers are those that were attached when the run ended";
export const ARTIFACT_CAPTION = "Files by their content; the workspace keeps each under its SHA-256";
export const REPRODUCTION =
  "Save the configuration as cassl.yaml, with paths that are right where you are, and run npx cassl run cassl.yaml. The same data give the same SHA-256 of labeled, unlabeled and validation set; trainings on the same device with the same versions give weights that are equal or nearly so.";

/** @returns YAML that `cassl run` takes. */
export function configurationText({ config }: ReportedRun): string {
  return stringify(config).trimEnd();
}

export function environmentTable({ cassl, node, platform, host, workers }: Environment): Table {
  return {
    header: ["", "machine", "devices", "versions"],
    rows: [
      ["controller", host, platform, `cassl ${cassl}, Node.js ${node}`],
      ...workers.map(({ name, host, devices, gpus, versions }) => [
        `worker ${name}`,
        host,
        [...devices, ...gpus].join(", "),
        Object.entries(versions)
          .map((entry) => entry.join(" "))
          .sort()
          .join(", "),
      ]),
    ],
  };
}

export interface NamedArtifact extends ArtifactRef {
  readonly name: string;
}

/** What the run was made of and what it has made, in that order. */
function artifactsOf({ data, arms }: RunResult): NamedArtifact[] {
  const own = arms.flatMap((result) => {
    const name = armName(result, arms);
    const { detections, weights, onnx, certificate, rounds } = result;
    return [
      ...rounds.map(({ pseudo_labels }, round) => ({
        name: `${name}, pseudo labels${rounds.length > 1 ? ` of round ${round + 1}` : ""}`,
        ...pseudo_labels,
      })),
      { name: `${name}, weights`, ...weights },
      { name: `${name}, ONNX`, ...onnx },
      { name: `${name}, certificate`, ...certificate },
      { name: `${name}, detections`, ...detections },
    ];
  });
  return [
    { name: "labeled set", ...data.labeled },
    { name: "unlabeled set", ...data.unlabeled },
    { name: "validation set", ...data.validation },
    ...own,
  ];
}

export function artifactTable(result: RunResult): Table {
  return {
    header: ["file", "size", "SHA-256"],
    rows: artifactsOf(result).map(({ name, size_bytes, sha256 }) => [name, formatBytes(size_bytes), sha256]),
  };
}
