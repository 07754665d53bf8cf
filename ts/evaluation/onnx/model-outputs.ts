/** What the runtime gives for a batch, checked and taken apart by image. */
import type { DenseOutput } from "./detections.js";
import type { MaskOutput } from "./instance-masks.js";
import { type ModelMetadata, modelInvalid } from "./model-metadata.js";

/** Of the runtime's tensors. */
export interface OutputTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

export type ModelOutputs = Readonly<Record<string, OutputTensor | undefined>>;

/** A size that is not known before, by its letter. */
type Sides = readonly (number | string)[];

/** By the kind of masks: the outputs of a model, for N images. M is 1 or the number of classes. */
function shapesOf({ masks, categories }: ModelMetadata, images: number): Readonly<Record<string, Sides>> {
  const boxes = { boxes: [images, "L", 4], scores: [images, "L", categories.length] };
  if (masks === "prototypes") {
    return { ...boxes, mask_embeddings: [images, "L", "C"], prototypes: [images, "C", "rows", "columns"] };
  }
  return masks === "regions" ? { ...boxes, region_masks: [images, "L", "M", "S", "S"] } : boxes;
}

/**
 * The output of each image.
 * MODEL_INVALID, in words that begin with `model`, if the outputs are not those of the metadata.
 */
export function denseOutputs(
  model: string,
  outputs: ModelOutputs,
  metadata: ModelMetadata,
  images: number,
): DenseOutput[] {
  const shapes = shapesOf(metadata, images);
  const sides = knownSides(model, outputs, shapes);
  const { M: maskClasses = 1 } = sides;
  if (maskClasses !== 1 && maskClasses !== metadata.categories.length) {
    throw modelInvalid(`${model} gives masks of ${maskClasses} classes, but has ${metadata.categories.length}.`);
  }
  return Array.from({ length: images }, (_, image) => {
    const part = (name: string): Float32Array => {
      const data = outputs[name]?.data as Float32Array;
      return data.subarray((image * data.length) / images, ((image + 1) * data.length) / images);
    };
    const boxes = { boxes: part("boxes").slice(), scores: part("scores").slice() };
    return metadata.masks === undefined ? boxes : { ...boxes, masks: maskOutput(metadata.masks, part, sides) };
  });
}

function maskOutput(
  kind: NonNullable<ModelMetadata["masks"]>,
  part: (name: string) => Float32Array,
  { C = 0, rows = 0, columns = 0, M = 0, S = 0 }: Readonly<Record<string, number>>,
): MaskOutput {
  if (kind === "regions") return { kind, logits: part("region_masks"), classes: M, side: S };
  const [embeddings, prototypes] = [part("mask_embeddings"), part("prototypes")];
  return { kind, embeddings, prototypes, channels: C, rows, columns };
}

/** The sizes that the outputs say. MODEL_INVALID if one contradicts another, or an output is not there. */
function knownSides(
  model: string,
  outputs: ModelOutputs,
  shapes: Readonly<Record<string, Sides>>,
): Readonly<Record<string, number>> {
  const known: Record<string, number> = {};
  const fits = ([name, sides]: readonly [string, Sides]): boolean => {
    const { dims = [], data } = outputs[name] ?? {};
    for (const [at, side] of sides.entries()) {
      if (typeof side === "string") known[side] ??= dims[at] ?? 0;
    }
    const due = sides.map((side) => (typeof side === "string" ? known[side] : side));
    return data instanceof Float32Array && dims.join() === due.join();
  };
  if (Object.entries(shapes).every(fits)) return known;
  const expected = Object.entries(shapes).map(([name, sides]) => `${name} ${sides.join()}`);
  const actual = Object.keys(shapes).map((name) => `${name} ${outputs[name]?.dims.join()}`);
  throw modelInvalid(`${model} gives ${actual.join(" ")} instead of ${expected.join(" ")} in float32.`);
}
