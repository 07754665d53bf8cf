import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { letterboxInto } from "../../../../ts/evaluation/onnx/letterbox.js";
import { type RgbImage, resizeBilinear } from "../../../../ts/evaluation/onnx/resize.js";

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
        kind === "resize"
          ? resizeBilinear(image, to_width_px, to_height_px).pixels
          : letterbox(image, to_width_px, to_height_px);
      assert.equal(Buffer.from(actual).toString("base64"), expected);
    });
  }
});

function letterbox(image: RgbImage, widthPx: number, heightPx: number): Uint8Array {
  const target = new Uint8Array(widthPx * heightPx * 3);
  letterboxInto(target, { widthPx, heightPx }, image, 127);
  return target;
}
