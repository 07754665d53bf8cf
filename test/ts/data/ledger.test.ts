import assert from "node:assert/strict";
import type { DroppedImage } from "../../../ts/data/fates.js";
import type { SoundImage } from "../../../ts/data/inspected-image.js";
import { countFates, ledgerLines } from "../../../ts/data/ledger.js";

const info = { sha256: "00", size_bytes: 9, width_px: 32, height_px: 24, turned: false };
const used = ["a", "b", "c"].map((name, position): SoundImage => {
  return { candidate: { split: "unlabeled", path: `/${name}`, file_name: name }, info, position };
});
const candidate = { split: "labeled", path: "/d", file_name: "d" } as const;
const dropped: DroppedImage[] = [
  { candidate, reason: "cannot be decoded", detail: "it is empty" },
  { candidate, reason: "left out of the labeled set" },
  { candidate, reason: "left out of the labeled set" },
];

describe("the ledger", () => {
  const pictures = new Uint32Array(3 * 32);
  pictures.set([0xabc, 0xf0000001], 32);

  it("has a line for every image, with what is known of it", () => {
    const lines = [...ledgerLines({ used, dropped, pictures, series: Uint32Array.of(0, 1, 0) })];
    const facts = { split: "unlabeled", fate: "used", ...info };
    assert.deepEqual(lines, [
      { file_name: "a", ...facts, picture_hash: "0000000000000000", series: "a" },
      { file_name: "b", ...facts, picture_hash: "f000000100000abc" },
      { file_name: "c", ...facts, picture_hash: "0000000000000000", series: "a" },
      { file_name: "d", split: "labeled", fate: "dropped", reason: "cannot be decoded", detail: "it is empty" },
      { file_name: "d", split: "labeled", fate: "dropped", reason: "left out of the labeled set" },
      { file_name: "d", split: "labeled", fate: "dropped", reason: "left out of the labeled set" },
    ]);
  });

  it("adds up by set and fate", () => {
    assert.deepEqual(countFates({ used, dropped }), [
      { split: "unlabeled", fate: "used", images: 3 },
      { split: "labeled", fate: "dropped", reason: "cannot be decoded", images: 1 },
      { split: "labeled", fate: "dropped", reason: "left out of the labeled set", images: 2 },
    ]);
  });
});
