import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { sha256 } from "../../../../ts/core/hash.js";
import { packageRoot } from "../../../../ts/core/package.js";
import { decodeImage } from "../../../../ts/evaluation/onnx/decode-image.js";
import { letterboxInto } from "../../../../ts/evaluation/onnx/letterbox.js";
import { missingPython, runGolden } from "../python.js";

describe("decoding and letterboxing equals Pillow in every pixel", () => {
  let folder: string;
  before(async function () {
    const missing = missingPython("PIL");
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), "cassl-decode-"));
  });
  after(() => folder && rm(folder, { recursive: true }));

  it("whatever the file's colour profile, orientation, transparency and channels", async () => {
    const pixels = Buffer.from(Array.from({ length: 30 * 20 * 3 }, (_, i) => (i * 37) % 256));
    const image = () => sharp(pixels, { raw: { width: 30, height: 20, channels: 3 } });
    const files = {
      "profile.jpg": image().withIccProfile("p3").jpeg(),
      "turned.jpg": image().withMetadata({ orientation: 6 }).jpeg(),
      "transparent.png": image().ensureAlpha(0.3).png(),
      "gray.jpg": image().toColourspace("b-w").jpeg(),
      "palette.png": image().png({ palette: true }),
    };
    const paths = await Promise.all(
      Object.entries(files).map(async ([name, file]) => {
        await file.toFile(join(folder, name));
        return join(folder, name);
      }),
    );
    await assertEqualsPillow(paths, 16, 16);
  });

  it("on photos, shrunk and enlarged", async function () {
    const photos = join(packageRoot, "../shared/data/aquarium/images");
    if (!existsSync(photos)) {
      console.log(`      skipped: ${photos} is not there`);
      this.skip();
    }
    const paths = readdirSync(photos)
      .slice(0, 3)
      .map((name) => join(photos, name));
    await assertEqualsPillow(paths, 256, 192);
    await assertEqualsPillow(paths, 700, 800);
  }).timeout(20_000);
});

describe("decodeImage", () => {
  it("names a file that is no image", () =>
    assert.rejects(decodeImage(fileURLToPath(import.meta.url)), {
      reason: "IMAGE_INVALID",
      message: /decode-image\.test\.js/,
    }));
});

async function assertEqualsPillow(paths: string[], widthPx: number, heightPx: number): Promise<void> {
  const expected = runGolden("letterbox", String(widthPx), String(heightPx), ...paths)
    .trim()
    .split("\n");
  const actual = await Promise.all(
    paths.map(async (path) => {
      const target = new Uint8Array(widthPx * heightPx * 3);
      letterboxInto(target, { widthPx, heightPx }, await decodeImage(path), 127);
      return sha256(target);
    }),
  );
  assert.deepEqual(actual, expected);
}
