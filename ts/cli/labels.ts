import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { toStorageError } from "../controller/storage.js";
import {
  findStoredLabels,
  openWorkspaceOf,
  predictedImages,
  reviewClasses,
  type StoredLabels,
} from "../controller/stored-labels.js";
import { CasslError } from "../core/errors.js";
import { importReviews } from "./import-labels.js";
import { jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { REVIEW_FORMATS, type ReviewFormat, writeForReview } from "./write-labels.js";

interface LabelsOptions {
  readonly arm?: string;
  readonly workspace?: string;
  readonly json?: true;
}

interface ExportOptions extends LabelsOptions {
  readonly to: ReviewFormat;
  readonly labels?: string;
}

export function addLabels(program: Command): void {
  const labels = program.command("labels").description("Have pseudo labels reviewed in other tools.");
  labels
    .command("export")
    .description("Write the pseudo labels of a run with their scores, for review. Writes a whole folder or nothing.")
    .argument("<run>", "id of the run, or `latest`")
    .argument("<out>", "folder to write, which is not there yet or is empty")
    .addOption(new Option("--to <format>", "format to write").choices(REVIEW_FORMATS).makeOptionMandatory())
    .option("--labels <file>", "pseudo labels that `cassl select --out` has written (default: the run's)")
    .option("--arm <name>", "arm, or round such as class_agnostic/round_2 (default: the last one)")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption())
    .action(exportLabels);
  labels
    .command("import")
    .description(
      "Read reviewed labels back as ground truth: writes a COCO data set of the run's labeled images and the reviewed ones.",
    )
    .argument("<run>", "id of the run whose pseudo labels were reviewed, or `latest`")
    .argument("<file>", "JSON export of Label Studio, or COCO JSON of the reviewed images")
    .argument("<out>", "folder to write, which is not there yet or is empty")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption())
    .action(importLabels);
}

async function exportLabels(run: string, out: string, options: ExportOptions): Promise<void> {
  const folder = resolve(out);
  const { state, artifacts, close } = await openWorkspaceOf(workspaceHere(options.workspace));
  try {
    const stored = findStoredLabels(state, run, options.arm);
    const images = await predictedImages(stored, artifacts);
    const labels = options.labels === undefined ? await artifacts.path(selectedOf(stored)) : resolve(options.labels);
    const source = {
      labels,
      images,
      ...(await reviewClasses(stored, artifacts)),
      model: `${stored.run} ${stored.scope}`,
    };
    const written = await writeForReview(source, options.to, folder).catch((error: unknown) => {
      throw toStorageError(error, `${folder} cannot be written`);
    });
    const boxes = written.reduce((sum, { annotations }) => sum + annotations.length, 0);
    const summary = {
      out: folder,
      to: options.to,
      images: written.length,
      boxes,
      image_root: stored.curated.image_root,
    };
    if (options.json) console.log(JSON.stringify(summary));
    else
      console.log(
        `Wrote ${folder}: ${boxes} boxes on ${written.length} images, whose files are in ${summary.image_root}.`,
      );
  } finally {
    close();
  }
}

async function importLabels(run: string, file: string, out: string, options: LabelsOptions): Promise<void> {
  const folder = resolve(out);
  const { state, artifacts, close } = await openWorkspaceOf(workspaceHere(options.workspace));
  try {
    const stored = findStoredLabels(state, run, undefined);
    const summary = await importReviews(stored.curated, resolve(file), folder, artifacts).catch((error: unknown) => {
      throw toStorageError(error, `${folder} cannot be written`);
    });
    if (options.json) return console.log(JSON.stringify(summary));
    console.log(
      [
        `Wrote ${summary.annotations}: ${summary.labeled} labeled images and ${summary.reviewed} reviewed ones with ${summary.boxes} boxes.`,
        "To train on them, set in cassl.yaml:",
        "  data:",
        "    labeled:",
        `      annotations: ${summary.annotations}`,
        `      images: ${summary.images}`,
      ].join("\n"),
    );
  } finally {
    close();
  }
}

/** The pseudo labels of a run that has come so far. */
function selectedOf({ run, selected }: StoredLabels): string {
  if (selected !== undefined) return selected.labels.sha256;
  const remedy = "Select some with `cassl select --out FILE`, and give them with --labels.";
  throw new CasslError("RUN_NOT_FOUND", `The run \`${run}\` stopped before it selected pseudo labels.`, remedy);
}
