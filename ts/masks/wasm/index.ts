/** What ts/evaluation/coco/mask-kernel.ts calls. Masks are addresses of memory; `mask.ts` says what is there. */
export { iou } from "./iou";
export { maskOfJson, roomForJson } from "./json";
export { keep, maskOfRuns, roomForRuns } from "./mask";
export { clear } from "./memory";
