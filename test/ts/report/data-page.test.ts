import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { checkData } from "../../../ts/data/check/check-data.js";
import { writeDataPage } from "../../../ts/report/data-page.js";
import { verdict } from "../../../ts/report/data-tables.js";
import { cocoDocument, temporaryFolder, writeImage, writeJson } from "../data/fixtures.js";
import { writeText } from "../data/formats/written-sets.js";
import { assertWellFormed } from "./well-formed.js";

describe("the page of a check", () => {
  const at = temporaryFolder();

  it("has findings, classes, sizes and drawn examples, and needs nothing beside it", async () => {
    const coco = cocoDocument([1, 2, 3]);
    coco.annotations.push({ ...coco.annotations[0], id: 999, category_id: 5 });
    Object.assign(coco.annotations[2] ?? {}, { bbox: [30, 4, 10, 8] });
    Object.assign(coco.categories[0] ?? {}, { name: "<script>" });
    await writeJson(at("annotations.json"), coco);
    await writeImage(at("images/1.jpg"), 1);
    await writeText(at("images/3.jpg"), "not an image");
    const check = await checkData({ annotations: at("annotations.json") }, new AbortController().signal);
    await writeDataPage(check, at("check.html"));
    const page = await readFile(at("check.html"), "utf8");
    assertWellFormed(page);
    assert.match(page, /3 errors, 3 warnings/);
    assert.equal(verdict(check), "3 errors, 3 warnings");
    assert.match(page, /<summary>boxes that are there twice, with different classes<\/summary><p>annotation 101/);
    assert.match(page, /&lt;script&gt;/);
    assert.equal(page.match(/data:image\/jpeg/g)?.length, 1);
    assert.doesNotMatch(page, /https?:/);
  });

  it("is written without images and findings, too", async () => {
    await writeJson(at("annotations.json"), { images: [], annotations: [], categories: [] });
    const check = await checkData({ annotations: at("annotations.json") }, new AbortController().signal);
    await writeDataPage(check, at("check.html"));
    assertWellFormed(await readFile(at("check.html"), "utf8"));
  });
});
