import type { TrainProgress } from "../gen/cassl/v1/worker_service.js";

/** Of all losses that the points have, the total first. */
export function lossNames(points: readonly Pick<TrainProgress, "losses">[]): string[] {
  return [...new Set(points.flatMap(({ losses }) => Object.keys(losses)))].sort(totalFirst);
}

function totalFirst(a: string, b: string): number {
  return Number(b === "total") - Number(a === "total") || (a < b ? -1 : 1);
}
