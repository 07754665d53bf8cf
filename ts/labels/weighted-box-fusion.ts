/** Weighted box fusion of the predictions of several models, or of one model on several views of an image. */
import { byDescendingScore } from "../core/nms.js";
import { boxAreas, intersectionArea } from "../core/pair-iou.js";
import type { BoxColumns } from "./box-columns.js";

export interface FusionOptions {
  /** Boxes of a class join a cluster if their IoU with its fused box is above this. @default 0.55 */
  readonly iouThreshold?: number;
  /** Boxes of a lower score are left out. @default 0 */
  readonly minScore?: number;
  /** One a model, positive. @default 1 for each */
  readonly weights?: readonly number[];
  /**
   * `average`: the mean of the weighted scores, less where fewer boxes than models agree.
   * `max`: the highest. @default "average"
   */
  readonly confidence?: "average" | "max";
}

interface Candidate {
  readonly box: readonly [number, number, number, number];
  /** Times the weight of its model. */
  readonly score: number;
  readonly classIndex: number;
}

interface Cluster {
  readonly classIndex: number;
  readonly scores: number[];
  /** Sums of coordinates times score. */
  readonly sums: [number, number, number, number];
  readonly fused: Float64Array;
}

/**
 * Solovyev et al., Image and Vision Computing 2021 (arXiv 1910.13302). From the best box on, each joins the cluster of its class
 * whose fused box it overlaps most, or starts one. A fused box is the mean of its boxes, weighted by score. Boxes of no area are
 * left out.
 * @param models predictions of the same image.
 * @returns by descending score; of equal scores the cluster that started first.
 */
export function fuseBoxes(models: readonly BoxColumns[], options: FusionOptions = {}): BoxColumns {
  const { iouThreshold = 0.55, minScore = 0, confidence = "average" } = options;
  const weights = models.map((_, model) => options.weights?.[model] ?? 1);
  const clusters: Cluster[] = [];
  for (const candidate of candidatesOf(models, weights, minScore)) {
    const cluster = nearest(clusters, candidate, iouThreshold);
    if (cluster === undefined) clusters.push(startCluster(candidate));
    else join(cluster, candidate);
  }
  return columnsOf(clusters, ({ scores }) => fusedScore(scores, weights, confidence));
}

/** By descending weighted score; of equal ones the earlier model and the lower index first. */
function candidatesOf(models: readonly BoxColumns[], weights: readonly number[], minScore: number): Candidate[] {
  const candidates = models.flatMap(({ boxXyxy, score, classIndex }, model) => {
    const areas = boxAreas(boxXyxy);
    return Array.from(score.keys())
      .filter((box) => (score[box] as number) >= minScore && (areas[box] as number) > 0)
      .map((box): Candidate => {
        const [left = 0, top = 0, right = 0, bottom = 0] = boxXyxy.subarray(4 * box, 4 * box + 4);
        const weighted = (score[box] as number) * (weights[model] as number);
        return { box: [left, top, right, bottom], score: weighted, classIndex: classIndex[box] as number };
      });
  });
  const order = byDescendingScore(Float64Array.from(candidates, ({ score }) => score));
  return Array.from(order, (index) => candidates[index] as Candidate);
}

/** The first of those of the highest IoU above the threshold. */
function nearest(clusters: readonly Cluster[], { box, classIndex }: Candidate, threshold: number): Cluster | undefined {
  const corners = Float64Array.from(box);
  const area = boxAreas(corners)[0] as number;
  let [best, highest]: [Cluster | undefined, number] = [undefined, threshold];
  for (const cluster of clusters) {
    if (cluster.classIndex !== classIndex) continue;
    const shared = intersectionArea(cluster.fused, 0, corners, 0);
    const iou = shared / ((boxAreas(cluster.fused)[0] as number) + area - shared);
    if (iou > highest) [best, highest] = [cluster, iou];
  }
  return best;
}

function startCluster({ box, score, classIndex }: Candidate): Cluster {
  const sums = box.map((coordinate) => coordinate * score) as Cluster["sums"];
  return { classIndex, scores: [score], sums, fused: Float64Array.from(box) };
}

function join(cluster: Cluster, { box, score }: Candidate): void {
  cluster.scores.push(score);
  const total = cluster.scores.reduce((sum, value) => sum + value, 0);
  for (const [axis, coordinate] of box.entries()) {
    const sum = (cluster.sums[axis] as number) + coordinate * score;
    cluster.sums[axis] = sum;
    // Boxes of score 0 weigh nothing: the first decides.
    if (total > 0) cluster.fused[axis] = sum / total;
  }
}

function fusedScore(scores: readonly number[], weights: readonly number[], confidence: "average" | "max"): number {
  if (confidence === "max") return Math.max(...scores) / Math.max(...weights);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const totalWeight = weights.reduce((sum, weight) => sum + weight, 0);
  return (mean * Math.min(weights.length, scores.length)) / totalWeight;
}

function columnsOf(clusters: readonly Cluster[], scoreOf: (cluster: Cluster) => number): BoxColumns {
  const scores = Float64Array.from(clusters, scoreOf);
  const sorted = Array.from(byDescendingScore(scores), (index) => clusters[index] as Cluster);
  return {
    boxXyxy: Float64Array.from(sorted.flatMap(({ fused }) => [...fused])),
    score: Float64Array.from(sorted, scoreOf),
    classIndex: Int32Array.from(sorted, ({ classIndex }) => classIndex),
  };
}
