/** What ts/evaluation/coco/mask-kernel.ts calls. Masks are addresses of memory; `mask.ts` says what is there. */
import { endsOf, maskOfRuns } from "./mask";
import { top } from "./memory";

export { iou } from "./iou";
export { input, maskOfJson } from "./json";
export { keep } from "./mask";
export { clear } from "./memory";

/** The mask of runs whose lengths are at `counts`. 0 if they do not fill the image. */
export function maskOfCounts(counts: usize, runs: i32, width: i32, height: i32): usize {
  memory.copy(endsOf(top), counts, usize(runs) << 2);
  return maskOfRuns(runs, width, height);
}
