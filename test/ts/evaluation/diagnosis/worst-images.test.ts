import assert from "node:assert/strict";
import { errorKinds, splitErrors, worstImages } from "../../../../ts/evaluation/diagnosis/index.js";
import { matchesOf, placed, randomDataSet } from "./fixtures.js";

const none = { classification: 0, localization: 0, both: 0, duplicate: 0, background: 0, missed: 0 };

describe("worstImages", () => {
  const data = placed("1 cat 0, 2 cat 0, 2 dog 100, 2 dog 200", "1 cat 0, 2 owl 0, 1 cat 300, 2 dog 100");

  it("lists images with errors, the most first, and says of which kinds", async () => {
    assert.deepEqual(worstImages(await matchesOf(data)), [
      { imageId: 2, positives: 3, errors: 2, kinds: { ...none, classification: 1, missed: 1 } },
      { imageId: 1, positives: 1, errors: 1, kinds: { ...none, background: 1 } },
    ]);
  });

  it("leaves out what is below the score, and then misses what only that has found", async () => {
    const [worst, other] = worstImages(await matchesOf(data), { minScore: 0.885 });
    assert.deepEqual(worst?.kinds, { ...none, classification: 1, missed: 2 });
    assert.equal(other, undefined);
  });

  it("lists no more than asked for", async () => {
    assert.equal(worstImages(await matchesOf(data), { limit: 1 }).length, 1);
  });

  it("counts together what the error split counts", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const matches = await matchesOf(randomDataSet(seed));
      const { kinds } = splitErrors(matches);
      const images = worstImages(matches, { limit: Infinity });
      for (const kind of errorKinds) {
        assert.equal(
          images.reduce((sum, image) => sum + image.kinds[kind], 0),
          kinds[kind].count,
        );
      }
    }
  });
});
