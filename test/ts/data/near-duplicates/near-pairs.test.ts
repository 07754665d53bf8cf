import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../../ts/core/random.js";
import { bandsFor, bandValue, changesOf, widthFor } from "../../../../ts/data/near-duplicates/bands.js";
import { forEachNearPair, forEachNearPairBetween } from "../../../../ts/data/near-duplicates/near-pairs.js";
import { countBits, FLIP_MASK, hammingDistance } from "../../../../ts/data/near-duplicates/picture-hash.js";

const word = fc.integer({ min: 0, max: 0xffffffff });

/** Hashes of which many are near to each other: each differs from an earlier one in a few bits, or from all in many. */
function randomHashes(count: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  const hashes = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const source = Math.floor(random() * i);
    const isNew = i === 0 || random() < 0.3;
    for (const half of [0, 1]) {
      hashes[2 * i + half] = isNew ? random() * 2 ** 32 : (hashes[2 * source + half] as number);
    }
    const changes = isNew ? 0 : Math.floor(random() * 14);
    for (let change = 0; change < changes; change++) {
      const bit = Math.floor(random() * 64);
      hashes[2 * i + (bit >> 5)] = (hashes[2 * i + (bit >> 5)] as number) ^ (1 << (bit & 31));
    }
    if (random() < 0.1) for (const half of [0, 1]) hashes[2 * i + half] = (hashes[2 * i + half] as number) ^ FLIP_MASK;
    if (random() < 0.05) hashes.fill(0, 2 * i, 2 * i + 2);
  }
  return hashes;
}

function allPairs(hashes: Uint32Array, mask: number, maxDistance: number): string[] {
  const at = (i: number): number => hashes[i] as number;
  const isNone = (i: number): boolean => at(2 * i) === 0 && at(2 * i + 1) === 0;
  const pairs: string[] = [];
  for (let a = 0; a < hashes.length / 2; a++) {
    for (let b = a + 1; b < hashes.length / 2; b++) {
      const distance = hammingDistance(at(2 * a) ^ mask, at(2 * a + 1) ^ mask, at(2 * b), at(2 * b + 1));
      if (distance <= maxDistance && !isNone(a) && !isNone(b)) pairs.push(`${a} ${b} ${distance}`);
    }
  }
  return pairs.sort();
}

describe("hash bands", () => {
  it("share out all 64 bits, so that near hashes are near in at least one band", () => {
    for (const count of [1, 10, 1000, 100_000, 3_600_000, 50_000_000]) {
      for (const maxDistance of [0, 3, 6, 10, 20]) {
        const bands = bandsFor(widthFor(count, 22), maxDistance);
        const bound = bands.reduce((sum, { radius }) => sum + radius + 1, 0);
        assert.equal(bound, maxDistance + 1);
        assert.ok(bands.every(({ width }) => width >= 8 && width <= 22));
        assert.ok(bands.every(({ shift, width }) => shift + width <= 64));
      }
    }
  });

  it("read their bits across the border of the words", () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.integer({ min: 0, max: 42 }),
        fc.integer({ min: 8, max: 22 }),
        (low, high, shift, width) => {
          const expected = (((BigInt(high) << 32n) | BigInt(low)) >> BigInt(shift)) & ((1n << BigInt(width)) - 1n);
          assert.equal(bandValue({ shift, width, radius: 0 }, low, high), Number(expected));
        },
      ),
    );
  });

  it("list each change of up to so many bits once", () => {
    const changes = [...changesOf({ shift: 0, width: 10, radius: 3 })];
    assert.equal(changes.length, 1 + 10 + 45 + 120);
    assert.equal(new Set(changes).size, changes.length);
    assert.ok(changes.every((change) => change < 1024 && countBits(change) <= 3));
    assert.equal(changes[0], 0);
  });
});

describe("near hashes", () => {
  for (const maxDistance of [0, 5, 6, 10]) {
    for (const mask of [0, FLIP_MASK]) {
      it(`are found in all pairs within ${maxDistance} bits, and no others${mask === 0 ? "" : ", mirrored"}`, () => {
        for (const seed of [1, 2]) {
          const hashes = randomHashes(400, seed);
          const found: string[] = [];
          forEachNearPair(hashes, maxDistance, mask, (a, b, distance) => {
            found.push(`${Math.min(a, b)} ${Math.max(a, b)} ${distance}`);
          });
          assert.deepEqual(found.sort(), allPairs(hashes, mask, maxDistance));
        }
      });
    }
  }

  it("are found between a few and many as by comparing all", () => {
    const hashes = randomHashes(700, 3);
    for (const count of [1, 60, 640]) {
      const [few, many] = [hashes.subarray(0, 2 * count), hashes.subarray(2 * count)];
      const found: string[] = [];
      forEachNearPairBetween(few, many, 10, (a, b, distance) => found.push(`${a} ${b + count} ${distance}`));
      const isBetween = (pair: string): boolean => {
        const [a, b] = pair.split(" ").map(Number) as [number, number];
        return a < count && b >= count;
      };
      assert.deepEqual(found.sort(), allPairs(hashes, 0, 10).filter(isBetween));
      assert.ok(found.length > 0);
    }
  });

  it("are none among none", () => {
    for (const hashes of [new Uint32Array(), new Uint32Array(8)]) {
      forEachNearPair(hashes, 6, 0, () => assert.fail());
      forEachNearPairBetween(hashes, hashes, 6, () => assert.fail());
      forEachNearPairBetween(Uint32Array.of(1, 0), hashes, 6, () => assert.fail());
      forEachNearPairBetween(hashes, Uint32Array.of(1, 0), 6, () => assert.fail());
    }
  });
});
