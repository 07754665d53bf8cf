import assert from "node:assert/strict";
import fc from "fast-check";
import {
  countBits,
  FLIP_MASK,
  hammingDistance,
  hashesOfWindow,
  pictureHashes,
  WINDOWS,
  WORDS_PER_PICTURE,
} from "../../../../ts/data/near-duplicates/picture-hash.js";
import { hashesOf, view, WHOLE } from "./pictures.js";

const MARGIN = 0.08;

function distance(a: Uint32Array, windowOfA: number, b: Uint32Array, windowOfB: number, mask = 0): number {
  const at = (hashes: Uint32Array, index: number): number => hashes[index] as number;
  return hammingDistance(
    at(a, 2 * windowOfA) ^ mask,
    at(a, 2 * windowOfA + 1) ^ mask,
    at(b, 2 * windowOfB),
    at(b, 2 * windowOfB + 1),
  );
}

describe("picture hashes", () => {
  it("differ in about half of the bits between pictures", () => {
    const [a, b] = [pictureHashes(view(1).gray), pictureHashes(view(2).gray)];
    assert.ok(distance(a, 0, b, 0) > 16);
  });

  it("do not change with brightness and contrast", () => {
    const { gray } = view(1);
    const faded = gray.map((value) => 0.5 * value + 40);
    assert.ok(distance(pictureHashes(gray), 0, pictureHashes(faded), 0) <= 3);
  });

  it("of a window are those of the picture that shows it", () => {
    const whole = pictureHashes(view(1).gray);
    for (const [index, window] of WINDOWS.entries()) {
      const part = pictureHashes(view(1, window).gray);
      assert.ok(distance(whole, index, part, 0) <= 3, JSON.stringify(window));
    }
    const cropped = pictureHashes(view(1, { left: MARGIN, right: MARGIN, top: MARGIN, bottom: MARGIN }).gray);
    assert.ok(distance(whole, 0, cropped, 0) > 10);
  });

  it("of a mirrored picture are theirs with every other bit changed", () => {
    const [a, b] = [pictureHashes(view(1).gray), pictureHashes(view(1, WHOLE, true).gray)];
    assert.ok(distance(a, 0, b, 0, FLIP_MASK) <= 1);
    assert.ok(distance(a, 0, b, 0) > 16);
  });

  it("are zeros where there is nothing to see, and only there", () => {
    assert.ok(pictureHashes(new Uint8Array(1024).fill(77)).every((word) => word === 0));
    const hashes = pictureHashes(view(1).gray);
    for (let window = 0; window < WINDOWS.length; window++) assert.equal((hashes[2 * window] as number) & 1, 1);
  });

  it("can be gathered by window", () => {
    const pictures = hashesOf([view(1), view(2), view(3)]);
    const window = 5;
    const expected = [2, 0].flatMap((position) => {
      const word = position * WORDS_PER_PICTURE + 2 * window;
      return [...pictures.subarray(word, word + 2)];
    });
    assert.deepEqual([...hashesOfWindow(pictures, Uint32Array.of(2, 0), window)], expected);
  });

  it("have their bits counted", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (word) => {
        assert.equal(countBits(word), word.toString(2).replaceAll("0", "").length);
        assert.equal(countBits(word | 0), countBits(word));
      }),
    );
  });
});
