import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { detectFormat } from "../../../../ts/data/formats/detect-format.js";
import { readAnnotations } from "../../../../ts/data/formats/read-annotations.js";
import { temporaryFolder, writeImage } from "../fixtures.js";
import { writeText } from "./written-sets.js";

describe("the format of annotations", () => {
  const at = temporaryFolder();

  it("is told by the name of a file", async () => {
    const names = {
      "a/train.JSON": "coco",
      "a/data.yaml": "yolo",
      "a/obj.data": "yolo",
      "a/classes.txt": "yolo",
      "a/boxes.csv": "openimages",
      "a/1.xml": "voc",
      "ImageSets/Main/val.txt": "voc",
      "a/photos.txt": "images",
      "photos/**/*.jpg": "images",
    };
    for (const [name, format] of Object.entries(names)) assert.equal(await detectFormat(at(name)), format, name);
  });

  it("is told by what a folder holds", async () => {
    await writeText(at("yolo/data.yaml"), "names: [a]");
    await writeText(at("voc/Annotations/1.xml"), "");
    await writeText(at("xml/1.xml"), "");
    await writeText(at("coco/annotations/instances.json"), "");
    await writeText(at("open/boxes.csv"), "");
    await writeImage(at("plain/1.jpg"), 1);
    await mkdir(at("empty"));
    const found = {
      yolo: "yolo",
      voc: "voc",
      xml: "voc",
      coco: "coco",
      open: "openimages",
      plain: "images",
      empty: "images",
    };
    for (const [name, format] of Object.entries(found)) assert.equal(await detectFormat(at(name)), format, name);
  });

  it("is asked for where it cannot be told", async () => {
    await assert.rejects(detectFormat(at("a.parquet")), { reason: "CONFIG_INVALID", message: /a\.parquet/ });
    await writeText(at("both/data.yaml"), "names: [a]");
    await writeText(at("both/1.xml"), "");
    await assert.rejects(detectFormat(at("both")), { reason: "CONFIG_INVALID", message: /yolo, voc/ });
  });

  it("is not enough where a folder has several files of it, or none", async () => {
    await writeText(at("coco/train.json"), "");
    await writeText(at("coco/val.json"), "");
    await assert.rejects(readAnnotations({ annotations: at("coco") }, "error"), {
      reason: "CONFIG_INVALID",
      message: /2 files .*train\.json and .*val\.json/,
    });
    await mkdir(at("empty"));
    await assert.rejects(readAnnotations({ annotations: at("empty"), format: "yolo" }, "error"), {
      reason: "ANNOTATIONS_INVALID",
      message: /no file of yolo annotations/,
    });
  });
});
