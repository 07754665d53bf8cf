import assert from "node:assert/strict";
import fc from "fast-check";
import { naturalOrder, packNames } from "../../../../ts/data/near-duplicates/natural-order.js";

const sorted = (names: string[]): string[] =>
  [...naturalOrder(packNames(names))].map((index) => names[index] as string);

describe("the natural order of names", () => {
  it("goes by the values of numbers, and by the bytes of everything else", () => {
    const expected = ["a", "a/2.jpg", "a/10.jpg", "a8.jpg", "a9.jpg", "a010.jpg", "a10b2.jpg", "a10b11.jpg", "b1.jpg"];
    assert.deepEqual(sorted(expected.toReversed()), expected);
    assert.deepEqual(sorted(["caf\u00e92", "caf\u00e91", "cafe3"]), ["cafe3", "caf\u00e91", "caf\u00e92"]);
  });

  it("takes numbers longer than any that a computer counts with", () => {
    const [long, longer] = [`${"9".repeat(30)}.jpg`, `1${"0".repeat(30)}.jpg`];
    assert.deepEqual(sorted([longer, long]), [long, longer]);
  });

  it("leaves equal names in their places, and has all names", () => {
    assert.deepEqual([...naturalOrder(packNames(["b", "a", "a", ""]))], [3, 1, 2, 0]);
    assert.deepEqual([...naturalOrder(packNames([]))], []);
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a0-2]{0,6}$/)), (names) => {
        const key = (name: string): string => name.replace(/\d+/g, (number) => number.padStart(8, "0"));
        const expected = [...names.keys()].sort((a, b) => {
          const [first, second] = [key(names[a] as string), key(names[b] as string)];
          return first < second ? -1 : first > second ? 1 : a - b;
        });
        assert.deepEqual([...naturalOrder(packNames(names))], expected);
      }),
    );
  });
});
