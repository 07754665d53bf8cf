import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { sha256 } from "../../../ts/core/hash.js";
import { readImageHeader } from "../../../ts/data/formats/image-size.js";
import { type Inspection, inspectImage, readPicture, readPreview } from "../../../ts/data/inspect-image.js";
import { hammingDistance } from "../../../ts/data/near-duplicates/picture-hash.js";
import { decodeImage } from "../../../ts/evaluation/onnx/decode-image.js";
import type { FileStamp } from "../../../ts/images/image-file.js";
import { missingPython, runScript } from "../evaluation/python.js";
import { noise, scene, temporaryFolder, writeImage } from "./fixtures.js";

const MAX_PIXELS = 100_000_000;
const inspect = (path: string, maxPixels = MAX_PIXELS): Promise<Inspection> => inspectImage(path, maxPixels);

describe("looking into an image", () => {
  const at = temporaryFolder();

  it("gives the hash and size of the file and the size of its pixels", async () => {
    for (const name of ["a.jpg", "a.png", "a.webp"]) {
      await writeImage(at(name), 3, 40, 30);
      const bytes = await readFile(at(name));
      const { info } = await inspect(at(name));
      const size = { size_bytes: bytes.length, width_px: 40, height_px: 30 };
      assert.deepEqual(info, { sha256: sha256(bytes), ...size, turned: false });
    }
  });

  it("goes by the content, not by the extension", async () => {
    await writeFile(at("a.jpg"), await noise(1).png().toBuffer());
    assert.equal((await inspect(at("a.jpg"))).info.width_px, 32);
  });

  it("does not apply an EXIF orientation to the size, but tells of it", async () => {
    await noise(1, 40, 30).withMetadata({ orientation: 6 }).jpeg().toFile(at("a.jpg"));
    const { width_px, height_px, turned } = (await inspect(at("a.jpg"))).info;
    assert.deepEqual([width_px, height_px, turned], [40, 30, true]);
  });

  it("sees the picture as it is shown: turned by EXIF or by its pixels", async () => {
    await scene(1).withMetadata({ orientation: 6 }).jpeg().toFile(at("a.jpg"));
    await scene(1).rotate(90).jpeg().toFile(at("b.jpg"));
    const [a, b] = [(await inspect(at("a.jpg"))).hashes, (await inspect(at("b.jpg"))).hashes];
    assert.ok(hammingDistance(a[0] ?? 0, a[1] ?? 0, b[0] ?? 0, b[1] ?? 0) <= 2);
    assert.deepEqual((await sharp(await readPreview(at("a.jpg"))).metadata()).width, 180);
  });

  for (const name of ["baseline.jpeg", "progressive.jpeg", "a.png", "a.webp"]) {
    it(`finds that ${name} is cut off, wherever it is`, async () => {
      // Large JPEG files are decoded at a lower resolution.
      for (const share of [0.05, 0.5, 0.99]) {
        await noise(1, 700, 501)
          .toFormat(name.split(".")[1] as "jpeg", { progressive: name === "progressive.jpeg" })
          .toFile(at(name));
        await truncate(at(name), Math.floor((await stat(at(name))).size * share));
        await assert.rejects(inspect(at(name)), Error, `${share} of ${name} was taken for an image`);
        await rm(at(name));
      }
    });
  }

  it("refuses text, nothing, and formats that Pillow may decode to other pixels", async () => {
    await writeFile(at("a.jpg"), "not an image");
    await assert.rejects(inspect(at("a.jpg")), /unsupported image format/);
    await writeFile(at("b.jpg"), "");
    await assert.rejects(inspect(at("b.jpg")), /it is empty/);
    await writeFile(at("c.jpg"), '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
    await assert.rejects(inspect(at("c.jpg")), /it is svg/);
    await noise(1).toColourspace("cmyk").jpeg().toFile(at("d.jpg"));
    await assert.rejects(inspect(at("d.jpg")), /its colours are cmyk/);
    await noise(1).toColourspace("rgb16").png().toFile(at("e.png"));
    await assert.rejects(inspect(at("e.png")), /more than 8 bits/);
  });

  it("refuses what is no file: a folder, a pipe that nobody writes to", async () => {
    await mkdir(at("a.jpg"));
    await assert.rejects(inspect(at("a.jpg")), /it is a folder/);
    execFileSync("mkfifo", [at("b.jpg")]);
    await assert.rejects(inspect(at("b.jpg")), /no regular file/);
  });

  it("refuses an image of more pixels than the limit, without decoding it", async () => {
    await noise(1, 40, 30).png().toFile(at("a.png"));
    assert.equal((await inspect(at("a.png"), 1200)).info.width_px, 40);
    await assert.rejects(inspect(at("a.png"), 1199), /40 x 30 px, more than data\.max_image_pixels, 1199/);
    await writeFile(at("bomb.png"), pngHeader(200_000, 200_000));
    await assert.rejects(inspect(at("bomb.png")), /200000 x 200000 px, more than/);
  });

  it("says that a name is not UTF-8, where reading it is what fails", async () => {
    await assert.rejects(inspect(at("caf\uFFFD.jpg")), /its name is not UTF-8/);
    await writeImage(at("caf\uFFFD.png"), 1);
    assert.equal((await inspect(at("caf\uFFFD.png"))).info.width_px, 32);
  });

  it("takes what the cache has, unless the file was written to", async () => {
    const saved = new Map<string, Inspection>();
    const keyOf = (path: string, stamp: FileStamp): string => JSON.stringify([path, stamp]);
    const cache = {
      find: (path: string, stamp: FileStamp) => saved.get(keyOf(path, stamp)),
      save: (path: string, stamp: FileStamp, inspection: Inspection) => {
        saved.set(keyOf(path, stamp), inspection);
      },
    };
    await writeImage(at("a.png"), 1);
    const first = await inspectImage(at("a.png"), MAX_PIXELS, cache);
    assert.equal(await inspectImage(at("a.png"), MAX_PIXELS, cache), first);
    await assert.rejects(inspectImage(at("a.png"), 10, cache), /more than/);
    await writeImage(at("a.png"), 2, 33, 24);
    assert.notDeepEqual(await inspectImage(at("a.png"), MAX_PIXELS, cache), first);
    assert.equal(saved.size, 2);
  });

  it("gives gray and colours of the picture in a small square", async () => {
    await sharp({ create: { width: 50, height: 20, channels: 3, background: "#ff8000" } })
      .png()
      .toFile(at("a.png"));
    const { gray, colours } = await readPicture(at("a.png"));
    assert.deepEqual(
      [gray, ...colours].map((plane) => [plane.length, plane[0], plane.at(-1)]),
      [151, 255, 128, 0].map((value) => [1024, value, value]),
    );
  });
});

describe("unusual images", () => {
  const at = temporaryFolder();

  it("are evaluated if they are accepted: bytes that a decoder warns of", async () => {
    const jpeg = await noise(1).jpeg().toBuffer();
    await writeFile(at("a.jpg"), Buffer.concat([jpeg.subarray(0, 2), Buffer.from("junk"), jpeg.subarray(2)]));
    await assert.rejects(sharp(at("a.jpg")).raw().toBuffer(), /extraneous bytes/);
    assert.equal((await inspect(at("a.jpg"))).info.width_px, 32);
    assert.equal((await readImageHeader(at("a.jpg"))).width_px, 32);
    assert.equal((await decodeImage(at("a.jpg"))).widthPx, 32);
  });

  it("are refused, or decoded to the pixels that training sees", async function () {
    const missing = missingPython("PIL");
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const refused: string[] = [];
    const lines = runScript("golden_odd_images.py", at()).trim().split("\n");
    assert.ok(lines.length >= 16);
    for (const [name = "", expected] of lines.map((line) => line.split(" "))) {
      const path = join(at(), name);
      const accepted = await inspect(path).then(
        () => true,
        () => false,
      );
      if (accepted) assert.equal(sha256((await decodeImage(path)).pixels), expected, name);
      else refused.push(name);
    }
    assert.deepEqual(refused, ["cmyk.jpg", "gif-named.png", "gray-16-bit.png"]);
  }).timeout(20_000);
});

/** The start of a PNG file. */
function pngHeader(width: number, height: number): Buffer {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  const depthAndColours = Buffer.from([8, 2, 0, 0, 0]);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([
    signature,
    chunk("IHDR", Buffer.concat([size, depthAndColours])),
    chunk("IDAT", Buffer.alloc(64)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}
