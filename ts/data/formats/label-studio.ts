/**
 * Tasks of Label Studio (https://labelstud.io/guide/export): written with boxes as predictions to be reviewed, read with the
 * boxes that reviewers accepted, corrected or drew. There boxes are in per cent of the image.
 */
import { z } from "zod";
import type { Category } from "../../core/dataset.js";
import { CasslError } from "../../core/errors.js";
import { fitBox } from "../box-policy.js";
import { failOnFaults } from "../faults.js";
import type { ListedImage, ListedObject } from "./source-set.js";

/** JSON, in pieces. @param model what reviewers see as the maker of the boxes. */
export function* labelStudioText(
  images: readonly ListedImage[],
  categories: readonly Category[],
  model: string,
): Generator<string> {
  yield "[";
  for (const [index, image] of images.entries())
    yield `${index === 0 ? "\n" : ",\n"}${taskText(image, categories, model)}`;
  yield "\n]\n";
}

function taskText(image: ListedImage, categories: readonly Category[], model: string): string {
  const { file_name, annotations } = image;
  const scores = annotations.map(({ score = 1 }) => score);
  const score = scores.length === 0 ? 0 : scores.reduce((sum, value) => sum + value, 0) / scores.length;
  const result = annotations.map((object, index) => regionOf(object, index, image, categories));
  return JSON.stringify({
    data: { image: `/data/local-files/?d=${encodeURIComponent(file_name)}`, file_name },
    predictions: [{ model_version: model, score, result }],
  });
}

function regionOf(object: ListedObject, index: number, image: ListedImage, categories: readonly Category[]): object {
  const { width_px, height_px } = image;
  const [x, y, width, height] = object.box_xywh;
  return {
    id: `${image.id}-${index}`,
    type: "rectanglelabels",
    from_name: "label",
    to_name: "image",
    original_width: width_px,
    original_height: height_px,
    image_rotation: 0,
    ...(object.score === undefined ? {} : { score: object.score }),
    value: {
      x: (100 * x) / width_px,
      y: (100 * y) / height_px,
      width: (100 * width) / width_px,
      height: (100 * height) / height_px,
      rotation: 0,
      rectanglelabels: [categories[object.class_index]?.name ?? ""],
    },
  };
}

const regionSchema = z.looseObject({
  type: z.string(),
  original_width: z.number(),
  original_height: z.number(),
  value: z.looseObject({
    x: z.number().optional(),
    y: z.number().optional(),
    width: z.number().optional(),
    height: z.number().optional(),
    rotation: z.number().default(0),
    rectanglelabels: z.array(z.string()).optional(),
  }),
});
const tasksSchema = z.array(
  z.looseObject({
    data: z.record(z.string(), z.unknown()),
    annotations: z.array(z.looseObject({ was_cancelled: z.boolean().default(false), result: z.array(regionSchema) })),
  }),
);
type Region = z.output<typeof regionSchema>;

/**
 * The images that were reviewed, with the boxes that reviewers left: of several reviews of an image the last counts, skipped
 * ones do not.
 * @param known the images that there are, and the classes.
 * ANNOTATIONS_INVALID with the first faults: an unknown image or class, another size, a box that is rotated, is none, or leaves
 * its image.
 */
export function readLabelStudio(
  text: string,
  name: string,
  known: { readonly images: readonly Omit<ListedImage, "annotations">[]; readonly categories: readonly Category[] },
): ListedImage[] {
  const byName = new Map(known.images.map((image) => [image.file_name, image]));
  const faults: string[] = [];
  const reviewed = parseTasks(text, name).flatMap(({ data, annotations }, index) => {
    const review = annotations.filter(({ was_cancelled }) => !was_cancelled).at(-1);
    if (review === undefined) return [];
    const file = fileNameOf(data, byName);
    const image = byName.get(file);
    if (image === undefined) {
      faults.push(`task ${index + 1} is of the image ${file}, which was not predicted`);
      return [];
    }
    const objects = review.result.map((region) => objectOf(region, image, known.categories));
    faults.push(...objects.flatMap((object) => (typeof object === "string" ? [`${file}: ${object}`] : [])));
    return [{ ...image, annotations: objects.filter((object) => typeof object !== "string") }];
  });
  failOnFaults(
    "ANNOTATIONS_INVALID",
    `Reviews in ${name} that cannot be used`,
    faults,
    "Correct them in Label Studio, and export again.",
  );
  return reviewed;
}

function parseTasks(text: string, name: string): z.output<typeof tasksSchema> {
  const refuse = (fault: string, cause?: unknown): CasslError =>
    new CasslError(
      "ANNOTATIONS_INVALID",
      `${name} is no JSON export of Label Studio: ${fault}.`,
      "Export as JSON, not as JSON-MIN.",
      { cause },
    );
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
  const tasks = tasksSchema.safeParse(parsed);
  if (tasks.success) return tasks.data;
  const [issue] = tasks.error.issues;
  throw refuse(`${issue?.path.join(".")}: ${issue?.message}`);
}

/** As `labelStudioText` has written it; else what the address of the image ends with. */
function fileNameOf({ file_name, image }: Record<string, unknown>, known: ReadonlyMap<string, unknown>): string {
  if (typeof file_name === "string") return file_name;
  const address = decoded(String(image).replace(/^.*[?&]d=/, ""));
  const parts = address.split("/");
  const tails = parts.map((_, from) => parts.slice(from).join("/"));
  return tails.find((tail) => known.has(tail)) ?? address;
}

/** Addresses that a person has typed may hold a `%` that is meant as such. */
function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}

/** The object, or what is wrong with it. */
function objectOf(
  { type, original_width, original_height, value }: Region,
  { width_px, height_px }: Omit<ListedImage, "annotations">,
  categories: readonly Category[],
): ListedObject | string {
  const { x, y, width, height, rotation, rectanglelabels: [label, ...others] = [] } = value;
  if (type !== "rectanglelabels" || x === undefined || y === undefined || width === undefined || height === undefined)
    return `a region is of the type ${type}, not a rectangle with a label`;
  if (rotation !== 0) return `a box is rotated by ${rotation} degrees`;
  if (original_width !== width_px || original_height !== height_px)
    return `it is ${original_width} x ${original_height} px there, and ${width_px} x ${height_px} here`;
  const class_index = categories.findIndex((category) => category.name === label);
  if (class_index < 0 || others.length > 0)
    return `a box has the label ${[label, ...others].join(", ")}, not one of ${categories.map((category) => category.name).join(", ")}`;
  const px = (share: number, whole: number): number => (share / 100) * whole;
  const box = [px(x, width_px), px(y, height_px), px(width, width_px), px(height, height_px)] as const;
  const fitted = fitBox(box, width_px, height_px, "error");
  if (!("box" in fitted)) return `the box [${box.join(", ")}] px ${"fault" in fitted ? fitted.fault : "is empty"}`;
  return { box_xywh: fitted.box, class_index, area: fitted.box[2] * fitted.box[3], iscrowd: false };
}
