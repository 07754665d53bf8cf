import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { readImageList } from "../../../../../ts/data/formats/images/image-list.js";
import { readSource } from "../../../../../ts/data/formats/read-annotations.js";
import { temporaryFolder, writeImage } from "../../fixtures.js";
import { writeText } from "../written-sets.js";

describe("a list of images", () => {
  const at = temporaryFolder();
  beforeEach(async () => {
    for (const name of ["1.jpg", "a/2.png", "a/b/3.jpg", "a (x)/4.jpg"]) await writeImage(at("photos", name), 1);
  });
  const listed = async (source: string): Promise<string[]> => {
    const { folder, paths } = await readImageList(at(source));
    return [folder, ...paths].map((path) => path.replace(at(), ""));
  };

  it("is a folder, searched recursively", async () => {
    const all = ["/photos/1.jpg", "/photos/a (x)/4.jpg", "/photos/a/2.png", "/photos/a/b/3.jpg"];
    assert.deepEqual((await listed("photos")).sort(), ["/photos", ...all]);
  });

  it("is a glob", async () => {
    assert.deepEqual(await listed("photos/*.jpg"), ["/photos", "/photos/1.jpg"]);
    assert.deepEqual(await listed("photos/a*/?.*"), ["/photos", "/photos/a/2.png", "/photos/a (x)/4.jpg"]);
    assert.deepEqual(await listed("photos/a/**/*.jpg"), ["/photos/a", "/photos/a/b/3.jpg"]);
    assert.deepEqual(await listed("photos/**/3.jpg"), ["/photos", "/photos/a/b/3.jpg"]);
    assert.deepEqual(await listed("photos/a (x)/*"), ["/photos/a (x)", "/photos/a (x)/4.jpg"]);
  });

  it("is a text file with paths relative to it, each once", async () => {
    await writeText(
      at("list.txt"),
      `photos/a/b/3.jpg\r\n\n./photos/a/2.png\nphotos/a/2.png\n${at("photos/a/gone.jpg")}`,
    );
    assert.deepEqual(await listed("list.txt"), [
      "/photos/a",
      "/photos/a/2.png",
      "/photos/a/b/3.jpg",
      "/photos/a/gone.jpg",
    ]);
    await writeText(at("empty.txt"), "");
    assert.deepEqual(await listed("empty.txt"), [""]);
  });

  it("may name images that are elsewhere, beside those on this machine", async () => {
    const here = pathToFileURL(at("photos/a b.png")).href;
    await writeText(
      at("list.txt"),
      ["https://example.org/1 2.jpg", here, "photos/3.jpg", "s3://bucket/4.jpg"].join("\n"),
    );
    const { folder, paths } = await readImageList(at("list.txt"));
    assert.equal(folder, at("photos"));
    const expected = [at("photos/3.jpg"), at("photos/a b.png"), "https://example.org/1%202.jpg", "s3://bucket/4.jpg"];
    assert.deepEqual(paths, expected);
  });

  it("is refused if it is not there, or is of another kind", async () => {
    await assert.rejects(listed("gone"), { reason: "FILE_NOT_FOUND" });
    await assert.rejects(listed("gone/*.jpg"), { reason: "FILE_NOT_FOUND" });
    await assert.rejects(listed("gone.txt"), { reason: "FILE_NOT_FOUND" });
    await writeText(at("list.txt"), "file://elsewhere/1.jpg");
    await assert.rejects(listed("list.txt"), { reason: "ANNOTATIONS_INVALID", message: /elsewhere/ });
  });

  it("is a set of images with their sizes, and without classes and objects", async () => {
    await writeText(at("photos/a/broken.jpg"), "not an image");
    const { categories, images, faults } = await readSource({ annotations: at("photos/a/*") }, { masks: false });
    assert.deepEqual(categories, []);
    assert.deepEqual(images, [
      { id: 1, file_name: "2.png", width_px: 32, height_px: 24 },
      { id: 2, file_name: "broken.jpg", width_px: 0, height_px: 0 },
    ]);
    assert.equal(faults.of("unreadable_image").count, 1);
  });
});
