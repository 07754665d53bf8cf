/** Judged detections, from a list and for property tests. */
import fc from "fast-check";
import type { JudgedDetections } from "../../../ts/labels/threshold-curve.js";

export type Judged = readonly [score: number, isRight: boolean, image: number];

export function judge(detections: readonly Judged[], objectsPerImage: readonly number[]): JudgedDetections {
  const sorted = [...detections].sort(([a], [b]) => b - a);
  return {
    score: Float64Array.from(sorted, ([score]) => score),
    isRight: Uint8Array.from(sorted, ([, right]) => Number(right)),
    image: Int32Array.from(sorted, ([, , image]) => image),
    objectsPerImage: Int32Array.from(objectsPerImage),
  };
}

/** Of four images, with many equal scores; no more is right than there are objects. */
export const judgedDetections: fc.Arbitrary<JudgedDetections> = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(10), fc.boolean(), fc.nat(3)), { maxLength: 30 }),
    fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
  )
  .map(([drawn, missed]) => {
    const detections = drawn.map(([tenths, right, image]): Judged => [tenths / 10, right, image]);
    const right = (at: number) => detections.filter(([, isRight, image]) => isRight && image === at).length;
    return judge(
      detections,
      missed.map((count, image) => count + right(image)),
    );
  });
