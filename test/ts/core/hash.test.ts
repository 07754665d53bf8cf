import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, sha256 } from "../../../ts/core/hash.js";

describe("canonicalJson", () => {
  it("sorts keys at every depth, leaves out undefined members and white space", () => {
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: "x" }], a: undefined, B: true }),
      '{"B":true,"b":[1,{"c":"x","d":null}]}',
    );
  });

  it("is JSON for the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("has no text for numbers that JSON cannot hold", () => {
    assert.throws(() => canonicalJson({ loss: Number.NaN }), RangeError);
  });
});

describe("sha256", () => {
  it("is the known one", () => {
    assert.equal(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.equal(sha256(Buffer.from("abc")), sha256("abc"));
  });
});
