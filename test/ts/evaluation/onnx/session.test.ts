import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { type ModelMetadata, readModelMetadata } from "../../../../ts/evaluation/onnx/model-metadata.js";
import { detectObjects } from "../../../../ts/evaluation/onnx/session.js";
import { BLUE, RED, writeCells } from "../cells.js";

const model = join(packageRoot, "test/golden/detections-model.onnx");

const located = (paths: readonly string[]) => paths.map((path) => async () => path);

describe("detectObjects", () => {
  let folder: string;
  let metadata: ModelMetadata;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-session-"));
    metadata = await readModelMetadata(model);
  });
  after(() => rm(folder, { recursive: true }));

  it("finds the cells of many images, in the order of the images", async () => {
    const imagePaths = [];
    for (let n = 0; n < 27; n++) imagePaths.push(await writeCells(folder, `${n}.png`, [{ cell: n % 12, color: RED }]));
    const progress: number[] = [];
    const detections = await detectObjects({
      model,
      metadata,
      imagePaths: located(imagePaths),
      onProgress: (done) => progress.push(done),
    });
    const cells = detections.map(({ boxXywh: [x = 0, y = 0] }) => (y / 16) * 4 + x / 16);
    assert.deepEqual(
      cells,
      imagePaths.map((_, n) => n % 12),
    );
    assert.deepEqual(
      [...progress].sort((a, b) => a - b),
      progress,
    );
    assert.equal(progress.at(-1), 27);
  });

  it("gives boxes in pixels of the original image", async () => {
    const path = await writeCells(folder, "large.png", [{ cell: 5, color: BLUE }], 4);
    const [found] = await detectObjects({ model, metadata, imagePaths: located([path]) });
    assert.deepEqual([...(found?.boxXywh ?? [])], [64, 64, 64, 64]);
    assert.deepEqual([...(found?.classIndex ?? [])], [1]);
    assert.ok((found?.score[0] as number) > 0.7);
  });

  it("needs no threads for no images", async () => {
    assert.deepEqual(await detectObjects({ model, metadata, imagePaths: [] }), []);
  });

  it("names the image that cannot be decoded", async () => {
    const good = await writeCells(folder, "good.png", []);
    const cut = join(folder, "cut.png");
    await writeFile(cut, (await readFile(good)).subarray(0, 60));
    const imagePaths = [...Array.from({ length: 20 }, () => good), cut];
    await assert.rejects(detectObjects({ model, metadata, imagePaths: located(imagePaths) }), {
      reason: "IMAGE_INVALID",
      message: /cut\.png/,
    });
  });

  it("refuses a file that onnxruntime cannot load, and outputs that are not those of the metadata", async () => {
    const image = await writeCells(folder, "image.png", []);
    const damaged = join(folder, "damaged.onnx");
    await writeFile(damaged, (await readFile(model)).subarray(0, 300));
    const invalid = { reason: "MODEL_INVALID" };
    await assert.rejects(detectObjects({ model: damaged, metadata, imagePaths: located([image]) }), invalid);
    const oneClass = { ...metadata, categories: metadata.categories.slice(1) };
    await assert.rejects(detectObjects({ model, metadata: oneClass, imagePaths: located([image]) }), invalid);
    const otherInput = { ...metadata, input: { ...metadata.input, width_px: 32 } };
    await assert.rejects(detectObjects({ model, metadata: otherInput, imagePaths: located([image]) }), invalid);
  });

  it("stops when the signal aborts, before and during the work", async () => {
    const path = await writeCells(folder, "again.png", []);
    const imagePaths = Array.from({ length: 500 }, () => path);
    const controller = new AbortController();
    let done = 0;
    const onProgress = (images: number) => {
      done = images;
      controller.abort();
    };
    const options = { model, metadata, imagePaths: located(imagePaths), signal: controller.signal, onProgress };
    await assert.rejects(detectObjects(options), { reason: "CANCELLED" });
    assert.ok(done < 500);
    await assert.rejects(detectObjects(options), { reason: "CANCELLED" });
  });
});
