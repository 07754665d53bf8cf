import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CasslError } from "../core/errors.js";
import { findImages } from "../data/images.js";
import { type ModelMetadata, parseModelMetadata, readModelMetadata } from "../evaluation/onnx/model-metadata.js";
import { detectInImages } from "../evaluation/onnx/session.js";
import { MAX_IMAGE_PIXELS } from "../images/decoding.js";
import { interruptSignal } from "./interrupt.js";
import { countParser, jsonOption, parseNames, parseShare } from "./options.js";
import { cocoDocument, drawAll, writeDocument } from "./predict-output.js";

interface PredictOptions {
  readonly out: string;
  readonly draw?: string;
  readonly score?: number;
  readonly maxDetections?: number;
  readonly maxPixels: number;
  readonly classes?: readonly string[];
  readonly input?: readonly [width: number, height: number];
  readonly json?: true;
}

export function addPredict(program: Command): void {
  program
    .command("predict")
    .description("Run an exported model on images. Needs no Python.")
    .argument("<model>", "ONNX file that cassl exported")
    .argument("<images...>", "image files, or folders to search for them")
    .requiredOption(
      "--out <file>",
      "where to write the detections: COCO JSON, each annotation with a score, and its mask if the model gives masks",
    )
    .option("--draw <folder>", "write each image with its boxes and masks, as JPEG")
    .addOption(new Option("--score <s>", "least score of a detection (default: the model's)").argParser(parseShare))
    .addOption(
      new Option("--max-detections <n>", "most detections of an image (default: the model's)").argParser(
        countParser(10),
      ),
    )
    .addOption(
      new Option("--max-pixels <n>", "refuse images with more pixels")
        .default(MAX_IMAGE_PIXELS)
        .argParser(countParser(10)),
    )
    .addOption(new Option("--classes <names>", "classes of a model without our metadata").argParser(parseNames))
    .addOption(
      new Option("--input <WxH>", "input size of a model without our metadata, such as 640x480").argParser(parseSize),
    )
    .addOption(jsonOption("print what was done as JSON"))
    .action(predict);
}

async function predict(model: string, images: readonly string[], options: PredictOptions): Promise<void> {
  const metadata = await metadataOf(model, options);
  const imagePaths = await findAll(images);
  const detected = await detectInImages({
    model,
    metadata,
    imagePaths: imagePaths.map((path) => async () => path),
    maxPixels: options.maxPixels,
    signal: interruptSignal(),
  });
  await writeDocument(resolve(options.out), cocoDocument(imagePaths, detected, metadata));
  if (options.draw !== undefined) await drawAll(imagePaths, detected, metadata, resolve(options.draw));
  const detections = detected.reduce((sum, { detections: { score } }) => sum + score.length, 0);
  const summary = { images: imagePaths.length, detections, out: resolve(options.out) };
  if (options.json) return console.log(JSON.stringify(summary));
  const drawn = options.draw === undefined ? "" : `\nDrawn in ${resolve(options.draw)}.`;
  console.log(`${summary.detections} detections in ${summary.images} images: ${summary.out}${drawn}`);
}

/** The file's, with what the options change; without any in the file, what the options say. */
async function metadataOf(model: string, options: PredictOptions): Promise<ModelMetadata> {
  const { classes, input, score, maxDetections } = options;
  const own = classes === undefined && input === undefined ? await readModelMetadata(model) : described(classes, input);
  return {
    ...own,
    predict: {
      ...own.predict,
      ...(score === undefined ? {} : { score_threshold: score }),
      ...(maxDetections === undefined ? {} : { max_detections: maxDetections }),
    },
  };
}

/** Of a model that has our inputs and outputs, but no metadata. */
function described(classes: PredictOptions["classes"], input: PredictOptions["input"]): ModelMetadata {
  if (classes === undefined || input === undefined) {
    const missing = classes === undefined ? "--classes" : "--input";
    const message = `${missing} is missing: a model without our metadata needs both --classes and --input.`;
    throw new CasslError("CONFIG_INVALID", message, "Give both, or neither for a model that cassl exported.");
  }
  return parseModelMetadata({
    version: 1,
    family: "unknown",
    input: {
      width_px: input[0],
      height_px: input[1],
      resize: "pil-bilinear",
      fit: "letterbox-top-left",
      pad_value: 127,
    },
    categories: classes.map((name, index) => ({ id: index + 1, name })),
    predict: { score_threshold: 0.05, nms_iou: 0.6, max_candidates: 1000, max_detections: 100 },
  });
}

/** DATASET_EMPTY if there is no image; FILE_NOT_FOUND if one of the paths leads nowhere. */
async function findAll(given: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of given.map((part) => resolve(part))) {
    const stats = await stat(path).catch((error: unknown) => {
      throw new CasslError("FILE_NOT_FOUND", `There is no ${path}.`, "Correct the path.", { cause: error });
    });
    found.push(...(stats.isDirectory() ? await findImages(path) : [path]));
  }
  const paths = [...new Set(found)];
  if (paths.length > 0) return paths;
  throw new CasslError(
    "DATASET_EMPTY",
    `There is no image in ${given.join(", ")}.`,
    "Name image files or their folder.",
  );
}

function parseSize(text: string): readonly [number, number] {
  const [, width, height] = /^([1-9]\d{0,3})x([1-9]\d{0,3})$/.exec(text) ?? [];
  if (width === undefined || height === undefined) throw new InvalidArgumentError("It must be like 640x480.");
  return [Number(width), Number(height)];
}
