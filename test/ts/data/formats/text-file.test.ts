import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { readTextFile, textLines } from "../../../../ts/data/formats/text-file.js";
import { temporaryFolder } from "../fixtures.js";
import { writeText } from "./written-sets.js";

describe("reading a text file", () => {
  const at = temporaryFolder();

  it("gives its text without a byte order mark", async () => {
    await writeText(at("a.txt"), "\ufeffcaf\u00e9\n");
    assert.equal(await readTextFile(at("a.txt")), "caf\u00e9\n");
  });

  it("refuses what is not UTF-8, not there, or far too large", async () => {
    await writeText(at("a.txt"), Buffer.from("caf\u00e9", "latin1"));
    await assert.rejects(readTextFile(at("a.txt")), { reason: "ANNOTATIONS_INVALID", message: /a\.txt is not UTF-8/ });
    await assert.rejects(readTextFile(at("b.txt")), { reason: "FILE_NOT_FOUND", message: /b\.txt/ });
    await truncate(at("a.txt"), 2 ** 26 + 1);
    await assert.rejects(readTextFile(at("a.txt")), { reason: "ANNOTATIONS_INVALID", message: /67108865 bytes/ });
  });
});

describe("the lines of a text", () => {
  it("end as on any system, or with the text, and are counted with the blank ones", () => {
    assert.deepEqual(textLines("a\r\n\n  b \rc"), [
      { number: 1, line: "a" },
      { number: 3, line: "b" },
      { number: 4, line: "c" },
    ]);
  });
});
