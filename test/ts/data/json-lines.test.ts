import assert from "node:assert/strict";
import { sha256 } from "../../../ts/core/hash.js";
import { decodeLines, encodeLines, storeLines } from "../../../ts/data/json-lines.js";
import { memoryArtifacts } from "./fixtures.js";

const values = Array.from({ length: 5001 }, (_, index) => ({ b: index, a: "caf\u00e9\n" }));

describe("JSON Lines", () => {
  it("come back as they were, from more than one piece", () => {
    const pieces = [...encodeLines(values)];
    assert.ok(pieces.length > 1);
    assert.deepEqual([...decodeLines(Buffer.concat(pieces))], values);
  });

  it("are one line a value, with sorted keys", () => {
    assert.equal(Buffer.concat([...encodeLines(values.slice(0, 1))]).toString(), '{"a":"caf\u00e9\\n","b":0}\n');
    assert.deepEqual([...encodeLines([])], []);
    assert.deepEqual([...decodeLines(new Uint8Array())], []);
  });

  it("may lack the last line end", () => {
    assert.deepEqual([...decodeLines(Buffer.from('1\n{"a":2}'))], [1, { a: 2 }]);
    assert.throws(() => [...decodeLines(Buffer.from('1\n{"a"'))], SyntaxError);
  });

  it("are stored under the hash of all of their text", async () => {
    const artifacts = memoryArtifacts();
    const text = Buffer.concat([...encodeLines(values)]);
    const ref = await storeLines(artifacts, () => values);
    assert.deepEqual(ref, { sha256: sha256(text), size_bytes: text.length });
    assert.deepEqual(Buffer.from(await artifacts.read(ref.sha256)), text);
    assert.deepEqual(await storeLines(artifacts, () => values), ref);
  });
});
