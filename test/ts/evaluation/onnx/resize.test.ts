import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { sha256 } from "../../../../ts/core/hash.js";
import { packageRoot } from "../../../../ts/core/package.js";
import { letterboxInto } from "../../../../ts/evaluation/onnx/letterbox.js";
import { type RgbImage, resizeBilinear } from "../../../../ts/evaluation/onnx/resize.js";
import { missingPython, runGolden } from "../python.js";

interface ResizeCase {
  readonly kind: "resize" | "letterbox";
  readonly width_px: number;
  readonly height_px: number;
  readonly to_width_px: number;
  readonly to_height_px: number;
  readonly pixels: string;
  readonly expected: string;
}

const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/resize.json"), "utf8")) as ResizeCase[];

describe("resizing equals Pillow in every pixel", () => {
  for (const { kind, width_px, height_px, to_width_px, to_height_px, pixels, expected } of cases) {
    it(`${kind} ${width_px}x${height_px} to ${to_width_px}x${to_height_px}`, () => {
      const image = { widthPx: width_px, heightPx: height_px, pixels: Buffer.from(pixels, "base64") };
      const actual =
        kind === "resize" ? resizeBilinear(image, to_width_px, to_height_px).pixels : letterbox(image, to_width_px, to_height_px);
      assert.equal(Buffer.from(actual).toString("base64"), expected);
    });
  }

  it("on photos, shrunk and enlarged", async function () {
    this.timeout(20_000);
    const folder = join(packageRoot, "../shared/data/aquarium/images");
    const missing = existsSync(folder) ? missingPython("PIL") : `${folder} is not there`;
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const photos = readdirSync(folder).slice(0, 3).map((name) => join(folder, name));
    for (const [width, height] of [[256, 192], [900, 1000]] as const) {
      const expected = runGolden("letterbox", String(width), String(height), ...photos).trim().split("\n");
      const actual = await Promise.all(photos.map(async (photo) => sha256(letterbox(await decode(photo), width, height))));
      assert.deepEqual(actual, expected);
    }
  });
});

function letterbox(image: RgbImage, widthPx: number, heightPx: number): Uint8Array {
  const target = new Uint8Array(widthPx * heightPx * 3);
  letterboxInto(target, { widthPx, heightPx }, image, 127);
  return target;
}

async function decode(path: string): Promise<RgbImage> {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  return { widthPx: info.width, heightPx: info.height, pixels: data };
}
