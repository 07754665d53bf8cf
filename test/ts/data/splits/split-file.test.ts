import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { encodeSplit, readSplit } from "../../../../ts/data/splits/split-file.js";
import { temporaryFolder } from "../fixtures.js";

const split = { name: "10-percent", percent: 10, fold: 1, seed: 0, classes: ["cat"], image_ids: [3, 5, 8] };

describe("split files", () => {
  const at = temporaryFolder();

  it("come back as they were", async () => {
    await writeFile(at("a.json"), encodeSplit(split));
    assert.deepEqual(await readSplit(at("a.json")), split);
    const { classes: _, ...whole } = split;
    await writeFile(at("b.json"), encodeSplit(whole));
    assert.deepEqual(await readSplit(at("b.json")), whole);
  });

  it("are JSON with a line for each member", async () => {
    const text = encodeSplit(split);
    assert.equal(text.split("\n").length, 12);
    assert.deepEqual((JSON.parse(text) as { image_ids: number[] }).image_ids, [3, 5, 8]);
  });

  it("are refused if they were changed, are others or are not there", async () => {
    await writeFile(at("a.json"), encodeSplit(split));
    const text = await readFile(at("a.json"), "utf8");
    const contents: [string, RegExp][] = [
      [text.replace("[3,5,8]", "[3,5,9]"), /does not have the content that its hash is of/],
      [text.replace('"split"', '"other"'), /is not a split file/],
      [text.slice(0, 40), /is not JSON/],
      ["[]", /is not a split file/],
      ["null", /is not a JSON object/],
    ];
    for (const [content, message] of contents) {
      await writeFile(at("a.json"), content);
      await assert.rejects(readSplit(at("a.json")), { reason: "CONFIG_INVALID", message });
    }
    await assert.rejects(readSplit(at("gone.json")), { reason: "FILE_NOT_FOUND", message: /gone\.json/ });
  });
});
