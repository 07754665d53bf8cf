/** A user's project in a temporary folder: generated images, COCO files, a small cassl.yaml, and the compiled CLI to run on it. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import sharp, { type Sharp } from "sharp";
import { stringify } from "yaml";
import { packageRoot } from "../../ts/core/package.js";
import { seededRandom } from "../../ts/core/random.js";
import type { RunResult } from "../../ts/pipeline/pipeline.js";

export interface Project {
  readonly folder: string;
  readonly configFile: string;
  readonly workspace: string;
  config: ProjectConfig;
  writeConfig(): Promise<void>;
  remove(): Promise<void>;
}

/** What tests change; the rest of cassl.yaml is left to its defaults. */
export interface ProjectConfig {
  [key: string]: unknown;
  arms: string[];
  data: Record<string, Record<string, unknown>>;
  detector: Record<string, unknown>;
  stages: Record<"pseudo_label" | "warmup" | "finetune", Record<string, unknown>>;
}

const SIDE_PX = 64;
const SPOTS = 8;
const COLORS = ["#d03030", "#3050d0"] as const;

export async function makeProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "cassl-project-"));
  const random = seededRandom(7);
  await writeSet(folder, "train", 6, random);
  await writeSet(folder, "val", 4, random);
  await writeSet(folder, "unlabeled", 10, random);
  const project: Project = {
    folder,
    configFile: join(folder, "cassl.yaml"),
    workspace: join(folder, ".cassl"),
    config: smallConfig(),
    writeConfig: () => writeFile(project.configFile, stringify(project.config)),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
  await project.writeConfig();
  return project;
}

function smallConfig(): ProjectConfig {
  return {
    name: "small",
    arms: ["supervised", "class_agnostic"],
    data: {
      labeled: { annotations: "train.json", images: "train" },
      unlabeled: { images: ["unlabeled"] },
      validation: { annotations: "val.json", images: "val" },
    },
    // The backbone is the least there is, without weights: exporting the one of the defaults takes three times as long.
    detector: {
      backbone: "test_resnet",
      backbone_weights: "none",
      input_width_px: SIDE_PX,
      input_height_px: SIDE_PX,
      fpn_channels: 16,
      head_convolutions: 1,
      strides_px: [8, 16],
    },
    solver: { images_per_batch: 4, lr_ramp_iterations: 1, checkpoint_every_iterations: 2, precision: "float32" },
    stages: {
      pseudo_label: {
        solver: { iterations: 4 },
        predict: { score_threshold: 0, shard_size: 4 },
        // After a few iterations no score is sound: the lowest is taken.
        select: { score_threshold: { policy: "precision", precision: 0 }, max_per_image: 4 },
      },
      warmup: { solver: { iterations: 4 } },
      finetune: { solver: { iterations: 4 } },
    },
    // Nor is anything else.
    gates: {
      override: [
        "min_precision",
        "min_recall",
        "min_average_recall",
        "max_box_ratio",
        "max_kept_share",
        "max_full_share",
        "max_collapse",
        "max_calibration_error",
        "max_empty_share",
      ],
    },
  };
}

/** A ground of gray spots, by which pictures differ as photos do. */
function spots(random: () => number): Sharp {
  const values = Uint8Array.from({ length: SPOTS * SPOTS }, () => 110 + 90 * random());
  return sharp(values, { raw: { width: SPOTS, height: SPOTS, channels: 1 } })
    .resize(SIDE_PX, SIDE_PX)
    .toColourspace("srgb");
}

/** Images with one coloured rectangle each; the colour is the class. */
async function writeSet(folder: string, name: string, count: number, random: () => number): Promise<void> {
  await mkdir(join(folder, name));
  const images = [];
  const annotations = [];
  for (let id = 1; id <= count; id++) {
    const label = id % COLORS.length;
    const [width, height] = [12 + Math.floor(random() * 20), 12 + Math.floor(random() * 20)];
    const [x, y] = [Math.floor(random() * (SIDE_PX - width)), Math.floor(random() * (SIDE_PX - height))];
    const rectangle = `<svg width="${SIDE_PX}" height="${SIDE_PX}">
      <rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${COLORS[label]}"/></svg>`;
    await spots(random)
      .composite([{ input: Buffer.from(rectangle) }])
      .jpeg()
      .toFile(join(folder, name, `${id}.jpg`));
    images.push({ id, file_name: `${id}.jpg`, width: SIDE_PX, height: SIDE_PX });
    annotations.push({
      id,
      image_id: id,
      category_id: label + 1,
      bbox: [x, y, width, height],
      area: width * height,
      iscrowd: 0,
      segmentation: [[x, y, x + width, y, x + width, y + height, x, y + height]],
    });
  }
  const categories = [
    { id: 1, name: "red" },
    { id: 2, name: "blue" },
  ];
  await writeFile(join(folder, `${name}.json`), JSON.stringify({ images, annotations, categories }));
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves with the first line of standard output for which `matches` holds; rejects if the process ends first. */
  line(matches: (line: string) => boolean): Promise<string>;
}

export function cassl(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [join(packageRoot, "dist/ts/cli/main.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  return follow(child);
}

/** Keeps what a process writes. */
export function follow(child: ChildProcessByStdio<null, Readable, Readable>): Running {
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const line = (matches: (line: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = stdout.split("\n").slice(0, -1).find(matches);
        if (found !== undefined) resolve(found);
      };
      child.stdout.on("data", look);
      look();
      void finished.then(
        (end) => reject(new Error(`ended without the line, code ${end.code}:\n${end.stdout}\n${end.stderr}`)),
        reject,
      );
    });
  return { child, finished, line };
}

/** Of a `cassl serve`, which names it first. */
export async function addressOf(server: Running): Promise<string> {
  return /127\.0\.0\.1:\d+/.exec(await server.line((line) => /127\.0\.0\.1:\d+/.test(line)))?.[0] ?? "";
}

/** result.json, which the last line of `cassl run` names. */
export async function resultOf({ code, stdout, stderr }: Finished): Promise<RunResult> {
  if (code !== 0) throw new Error(`cassl ended with ${code}:\n${stdout}\n${stderr}`);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const path = last.startsWith("{") ? (JSON.parse(last) as { result: string }).result : last;
  return JSON.parse(await readFile(path, "utf8")) as RunResult;
}

/** The events of `cassl run --json`. */
export function eventsOf(stdout: string): Record<string, never>[] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, never>);
}
