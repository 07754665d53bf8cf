import assert from "node:assert/strict";
import { mkdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { sha256 } from "../../../ts/core/hash.js";
import { findImages, inspectImage } from "../../../ts/data/images.js";
import { noise, temporaryFolder, writeImage } from "./fixtures.js";

describe("finding images", () => {
  const at = temporaryFolder();
  const found = async (): Promise<string[]> => (await findImages(at())).map((path) => relative(at(), path));
  const touch = async (...names: string[]): Promise<void> => {
    for (const name of names) await writeFile(at(name), "");
  };

  it("searches folders in folders, in the order of the names, by extension in either case", async () => {
    await mkdir(at("b/c"), { recursive: true });
    await touch("d.JPG", "a.webp", "b/2.jpeg", "b/c/1.Png", "notes.txt", "jpg", "x.bmp");
    assert.deepEqual(await found(), ["a.webp", "b/2.jpeg", "b/c/1.Png", "d.JPG"]);
  });

  it("passes over what is hidden", async () => {
    await mkdir(at(".thumbnails"));
    await touch(".a.jpg", ".thumbnails/b.jpg", "c.jpg");
    assert.deepEqual(await found(), ["c.jpg"]);
  });

  it("follows links, and is not caught by one that leads back", async () => {
    await mkdir(at("a"));
    await touch("a/1.jpg");
    await symlink(at(), at("a/loop"));
    await symlink(at("a"), at("b"));
    await symlink(at("a/1.jpg"), at("z.jpg"));
    assert.deepEqual(await found(), ["a/1.jpg", "z.jpg"]);
  });

  it("finds a link that leads nowhere, for the inspection to refuse", async () => {
    await symlink(at("gone.jpg"), at("a.jpg"));
    assert.deepEqual(await found(), ["a.jpg"]);
    await assert.rejects(inspectImage(at("a.jpg")), /ENOENT/);
  });

  it("names a folder that is not there, or is a file", async () => {
    await assert.rejects(findImages(at("none")), { reason: "FILE_NOT_FOUND", message: /none/ });
    await touch("file.jpg");
    await assert.rejects(findImages(at("file.jpg")), { reason: "FILE_NOT_FOUND", message: /file\.jpg/ });
  });
});

describe("looking into an image", () => {
  const at = temporaryFolder();

  it("gives the hash of the file and the size of its pixels", async () => {
    for (const name of ["a.jpg", "a.png", "a.webp"]) {
      await writeImage(at(name), 3, 40, 30);
      const expected = { sha256: sha256(await readFile(at(name))), width_px: 40, height_px: 30, turned: false };
      assert.deepEqual(await inspectImage(at(name)), expected);
    }
  });

  it("goes by the content, not by the extension", async () => {
    await writeFile(at("a.jpg"), await noise(1).png().toBuffer());
    assert.equal((await inspectImage(at("a.jpg"))).width_px, 32);
  });

  it("does not apply an EXIF orientation, but tells of it", async () => {
    await noise(1, 40, 30).withMetadata({ orientation: 6 }).jpeg().toFile(at("a.jpg"));
    const { width_px, height_px, turned } = await inspectImage(at("a.jpg"));
    assert.deepEqual([width_px, height_px, turned], [40, 30, true]);
  });

  for (const name of ["baseline.jpeg", "progressive.jpeg", "a.png", "a.webp"]) {
    it(`finds that ${name} is cut off, wherever it is`, async () => {
      for (const share of [0.05, 0.5, 0.99]) {
        await noise(1, 64, 64)
          .toFormat(name.split(".")[1] as "jpeg", { progressive: name === "progressive.jpeg" })
          .toFile(at(name));
        await truncate(at(name), Math.floor((await stat(at(name))).size * share));
        await assert.rejects(inspectImage(at(name)), Error, `${share} of ${name} was taken for an image`);
        await rm(at(name));
      }
    });
  }

  it("refuses text, nothing, and formats that Pillow may decode to other pixels", async () => {
    await writeFile(at("a.jpg"), "not an image");
    await assert.rejects(inspectImage(at("a.jpg")), /unsupported image format/);
    await writeFile(at("b.jpg"), "");
    await assert.rejects(inspectImage(at("b.jpg")));
    await writeFile(at("c.jpg"), '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
    await assert.rejects(inspectImage(at("c.jpg")), /it is svg/);
  });
});
