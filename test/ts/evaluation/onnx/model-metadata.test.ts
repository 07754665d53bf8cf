import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { CasslError } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import { readModelMetadata } from "../../../../ts/evaluation/onnx/model-metadata.js";

const golden = join(packageRoot, "test/golden/detections-model.onnx");

describe("readModelMetadata", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-model-"));
  });
  after(() => rm(folder, { recursive: true }));

  const write = async (bytes: Uint8Array): Promise<string> => {
    const path = join(folder, "model.onnx");
    await writeFile(path, bytes);
    return path;
  };

  it("reads classes, input and decoding", async () => {
    const { categories, input, predict } = await readModelMetadata(golden);
    assert.deepEqual(
      categories.map(({ id, name }) => `${id} ${name}`),
      ["7 red", "3 blue"],
    );
    assert.deepEqual([input.width_px, input.height_px, input.pad_value], [64, 48, 127]);
    assert.equal(predict.max_detections, 10);
  });

  it("says that a file is missing", () =>
    assert.rejects(readModelMetadata(join(folder, "none.onnx")), { reason: "FILE_NOT_FOUND" }));

  const invalid: [string, () => Promise<Uint8Array>, RegExp][] = [
    ["an empty file", async () => new Uint8Array(0), /no metadata property `cassl`/],
    ["a file that is cut off", async () => (await readFile(golden)).subarray(0, -30), /model.onnx/],
    ["a file that is no model", async () => Buffer.from("{}\n"), /model.onnx/],
    ["a model without metadata", async () => property("other", "{}"), /no metadata property `cassl`/],
    ["metadata that are no JSON", async () => property("cassl", "{"), /JSON/],
    ["metadata of another version", async () => property("cassl", '{"version":2}'), /version/],
    ["metadata with a share above 1", async () => property("cassl", '{"predict":{"nms_iou":1.5}}'), /nms_iou/],
  ];
  for (const [what, bytes, message] of invalid) {
    it(`refuses ${what}`, async () => {
      const path = await write(await bytes());
      await assert.rejects(readModelMetadata(path), (error) => {
        return error instanceof CasslError && error.reason === "MODEL_INVALID" && message.test(error.message);
      });
    });
  }
});

/** A model with nothing but one metadata property. */
function property(key: string, value: string): Uint8Array {
  const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string(key);
  entry.tag(2, WireType.LengthDelimited).string(value);
  return new BinaryWriter().tag(14, WireType.LengthDelimited).bytes(entry.finish()).finish();
}
