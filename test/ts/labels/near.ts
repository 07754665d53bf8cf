import assert from "node:assert/strict";

export function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  Array.from(actual).forEach((value, index) => {
    const wanted = expected[index] as number;
    assert.ok(Math.abs(value - wanted) <= tolerance, `at ${index}: ${value}, expected ${wanted}`);
  });
}
