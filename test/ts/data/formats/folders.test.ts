import assert from "node:assert/strict";
import { commonFolder, filesUnder } from "../../../../ts/data/formats/folders.js";
import { temporaryFolder } from "../fixtures.js";
import { writeText } from "./written-sets.js";

describe("the common folder", () => {
  it("holds all folders, or is one of them", () => {
    assert.equal(commonFolder(["/a/b/c", "/a/b/d/e"]), "/a/b");
    assert.equal(commonFolder(["/a/b", "/a/b/c"]), "/a/b");
    assert.equal(commonFolder(["/a/b", "/a/bc"]), "/a");
    assert.equal(commonFolder(["/a", "/b"]), "/");
    assert.equal(commonFolder(["/a/b"]), "/a/b");
  });
});

describe("the files under a folder", () => {
  const at = temporaryFolder();

  it("have the extension, in any case, and are not hidden", async () => {
    for (const name of ["b.xml", "a/c.XML", "a.txt", ".d.xml", ".hidden/e.xml"]) await writeText(at(name), "");
    assert.deepEqual(await filesUnder(at(), ".xml"), [at("a/c.XML"), at("b.xml")]);
  });

  it("cannot be listed if the folder is not there", async () => {
    await assert.rejects(filesUnder(at("gone"), ".xml"), { reason: "FILE_NOT_FOUND", message: /gone/ });
  });
});
