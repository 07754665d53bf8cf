/** What an exported ONNX file says of itself: a JSON text under the key `cassl` of its metadata. */
import { readFile } from "node:fs/promises";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { z } from "zod";
import { CasslError } from "../../core/errors.js";

const unit = z.number().min(0).max(1);
const count = z.int().min(1);

const metadata = z.object({
  version: z.literal(1),
  family: z.string(),
  /** What the weights come from, and under which licenses. */
  lineage: z.record(z.string(), z.string()).optional(),
  input: z.object({
    width_px: count,
    height_px: count,
    resize: z.literal("pil-bilinear"),
    fit: z.literal("letterbox-top-left"),
    pad_value: z.int().min(0).max(255),
  }),
  /** By class index. */
  categories: z.array(z.object({ id: z.int(), name: z.string() })).min(1),
  /** How masks are given, see `MaskOutput`. Absent: there are none. */
  masks: z.enum(["prototypes", "regions"]).optional(),
  predict: z.object({ score_threshold: unit, nms_iou: unit, max_candidates: count, max_detections: count }),
});

/** How to feed the model, how to read what it returns, and what its classes are. */
export type ModelMetadata = z.output<typeof metadata>;

/** FILE_NOT_FOUND if there is no such file, MODEL_INVALID if it is not an ONNX file that cassl exported. */
export async function readModelMetadata(path: string): Promise<ModelMetadata> {
  const text = await readModelProperty(path, "cassl");
  if (text === undefined) throw modelInvalid(`${path}: there is no metadata property \`cassl\` in the file.`);
  try {
    return parseModelMetadata(JSON.parse(text));
  } catch (error) {
    throw modelInvalid(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws an Error that says what is wrong. */
export function parseModelMetadata(input: unknown): ModelMetadata {
  const result = metadata.safeParse(input);
  if (!result.success) throw new Error(`the metadata is not valid:\n${z.prettifyError(result.error)}`);
  return result.data;
}

/**
 * A text of the file's metadata; undefined if it has none of that name.
 * FILE_NOT_FOUND if there is no such file, MODEL_INVALID if its bytes are not those of an ONNX file.
 */
export async function readModelProperty(path: string, name: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CasslError("FILE_NOT_FOUND", `The model ${path} cannot be read.`, "Correct the path.", { cause: error });
  }
  try {
    return findProperty(bytes, name);
  } catch (error) {
    throw modelInvalid(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

export function modelInvalid(message: string, options?: ErrorOptions): CasslError {
  return new CasslError("MODEL_INVALID", message, "Give a model that cassl exported, or export it again.", options);
}

/** `metadata_props` of ONNX's ModelProto. */
const METADATA_PROPS = 14;

/** Reads only the outer fields: the graph, which is nearly all of a file, is skipped. */
function findProperty(model: Uint8Array, name: string): string | undefined {
  const reader = new BinaryReader(model);
  let found: string | undefined;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== METADATA_PROPS || wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else {
      const { key, value } = decodeProperty(reader.bytes());
      if (key === name) found = value;
    }
  }
  return found;
}

/** ONNX's StringStringEntryProto: key = 1, value = 2. */
function decodeProperty(entry: Uint8Array): { key: string; value: string } {
  const reader = new BinaryReader(entry);
  const property = { key: "", value: "" };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) property.key = reader.string();
    else if (field === 2 && wireType === WireType.LengthDelimited) property.value = reader.string();
    else reader.skip(wireType, field);
  }
  return property;
}
