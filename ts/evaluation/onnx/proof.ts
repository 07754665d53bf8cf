/** What torch gave for a few made-up images when a model was exported: carried in the file's metadata, under the key `cassl_proof`. */
import { z } from "zod";
import { modelInvalid, readModelProperty } from "./model-metadata.js";

const floats = z.base64().transform((text) => {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
});

const proof = z.object({
  version: z.literal(1),
  probes: z
    .array(
      z
        .object({
          name: z.string(),
          /** An image file. */
          png: z.base64().transform((text) => Buffer.from(text, "base64")),
          /** (M, 4) xyxy, px of the input: the best candidates. */
          boxes: floats,
          /** (M, K) in [0, 1]. */
          scores: floats,
          /** (B, 6): xyxy in px of the image, score, class index; best first. */
          detections: floats,
          /** Of a segmenter: the mask of each detection, of the whole image, as COCO's counts string. */
          masks: z.array(z.string()).optional(),
        })
        .refine(
          ({ detections, masks }) => masks === undefined || 6 * masks.length === detections.length,
          "There are not as many masks as detections.",
        ),
    )
    .min(1),
});

export type Probe = z.output<typeof proof>["probes"][number];

/** FILE_NOT_FOUND if there is no such file, MODEL_INVALID if it carries no proof. */
export async function readProof(path: string): Promise<readonly Probe[]> {
  const text = await readModelProperty(path, "cassl_proof");
  if (text === undefined) throw modelInvalid(`${path} carries no proof: it has no metadata property \`cassl_proof\`.`);
  try {
    return proof.parse(JSON.parse(text)).probes;
  } catch (error) {
    const fault = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw modelInvalid(`The proof in ${path} is damaged: ${fault}`, { cause: error });
  }
}
