import assert from "node:assert/strict";
import { commonFolder } from "../../../../ts/data/formats/folders.js";

describe("the common folder", () => {
  it("holds all folders, or is one of them", () => {
    assert.equal(commonFolder(["/a/b/c", "/a/b/d/e"]), "/a/b");
    assert.equal(commonFolder(["/a/b", "/a/b/c"]), "/a/b");
    assert.equal(commonFolder(["/a/b", "/a/bc"]), "/a");
    assert.equal(commonFolder(["/a", "/b"]), "/");
    assert.equal(commonFolder(["/a/b"]), "/a/b");
  });
});
