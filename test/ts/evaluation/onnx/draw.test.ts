import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { boxesSvg, drawDetections } from "../../../../ts/evaluation/onnx/draw.js";
import { fromBox } from "../../../../ts/masks/index.js";
import { BLUE, writeCells } from "../cells.js";

describe("drawDetections", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-draw-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("draws a line along the box and leaves the rest of the image", async () => {
    const image = await writeCells(folder, "image.png", [{ cell: 6, color: BLUE }], 10);
    const out = join(folder, "drawn.jpg");
    await drawDetections(image, [{ box_xywh: [100, 100, 300, 200], label: "a", classIndex: 1 }], out);
    const { data, info } = await sharp(out).raw().toBuffer({ resolveWithObject: true });
    const pixel = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
    assert.deepEqual([info.width, info.height], [640, 480]);
    assert.ok((pixel(100, 250)[1] as number) > 100, "no line");
    assert.ok(Math.max(...pixel(250, 250)) < 30, "the inside was painted");
  });

  it("lets the image show through the mask of an object", async () => {
    const image = await writeCells(folder, "masked.png", [{ cell: 0, color: BLUE }], 10);
    const out = join(folder, "masked.jpg");
    const mask = fromBox([0, 0, 320, 160], 640, 480);
    await drawDetections(image, [{ box_xywh: [500, 400, 10, 10], label: "", classIndex: 0, mask }], out);
    const { data, info } = await sharp(out).raw().toBuffer({ resolveWithObject: true });
    const pixel = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
    const near = (x: number, y: number, color: number[]) =>
      assert.ok(
        pixel(x, y).every((value, at) => Math.abs(value - (color[at] as number)) < 12),
        `${pixel(x, y).join()} at ${x}, ${y} instead of ${color.join()}`,
      );
    near(80, 80, [0.45 * 0xe6, 0.45 * 0x9f, 0.55 * 255]);
    near(240, 80, [0.45 * 0xe6, 0.45 * 0x9f, 0]);
    near(240, 300, [0, 0, 0]);
  });

  it("writes class names as text, whatever is in them", () => {
    const svg = boxesSvg({ width: 10, height: 10 }, [{ box_xywh: [0, 0, 1, 1], label: '<b>&"\u0000', classIndex: 9 }]);
    assert.match(svg, /&lt;b&gt;&amp;&quot;\ufffd<\/text>/);
  });

  it("names an image that cannot be decoded, and a place that cannot be written", async () => {
    const broken = join(folder, "broken.png");
    await writeFile(broken, "no image");
    await assert.rejects(drawDetections(broken, [], join(folder, "out.jpg")), {
      reason: "IMAGE_INVALID",
      message: /broken\.png/,
    });
    const image = await writeCells(folder, "good.png", []);
    await assert.rejects(drawDetections(image, [], join(folder, "none", "out.jpg")), { reason: "STORAGE_FAILED" });
  });
});
