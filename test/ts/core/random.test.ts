import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom, shuffled } from "../../../ts/core/random.js";

describe("seeded random numbers", () => {
  it("are the same for the same seed, on every machine and in every version", () => {
    const random = seededRandom(42);
    assert.deepEqual([random(), random(), random()], [0.6011037519201636, 0.44829055899754167, 0.8524657934904099]);
  });

  it("lie in [0, 1) and differ from seed to seed", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const value = seededRandom(seed)();
        assert.ok(value >= 0 && value < 1);
        assert.notEqual(value, seededRandom(seed + 1)());
      }),
    );
  });
});

describe("shuffling", () => {
  it("gives a permutation and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        const before = [...items];
        const result = shuffled(items, seededRandom(seed));
        assert.deepEqual(
          [...result].sort((a, b) => a - b),
          [...before].sort((a, b) => a - b),
        );
        assert.deepEqual(items, before);
      }),
    );
  });

  it("reaches every order", () => {
    const random = seededRandom(1);
    const orders = new Set(Array.from({ length: 200 }, () => shuffled([1, 2, 3], random).join("")));
    assert.equal(orders.size, 6);
  });
});
