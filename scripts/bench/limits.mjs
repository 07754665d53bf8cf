/**
 * The least ratio that `npm run bench -- --quick` lets pass, by benchmark and the beginning of its case. At most a third of what an
 * idle machine gives, because others may be at work on it: what they catch is code that became several times slower. At the quick
 * sizes starting up weighs more than in full.
 */
const LIMITS = [
  { bench: "coco", case: "bbox", least: 4 },
  { bench: "coco", case: "segm", least: 1.4 },
  { bench: "duplicates", case: "looking into JPEG files", least: 0.3 },
  { bench: "readers", case: "COCO file", least: 0.4 },
  { bench: "labelling", case: "", least: 0.3 },
  { bench: "instance-masks", case: "", least: 3 },
  { bench: "training-loop", case: "light", least: 0.35 },
  { bench: "training-loop", case: "loading", least: 1.5 },
  { bench: "onnx", case: "light", least: 0.35 },
  { bench: "fleet", case: "", least: 0.1 },
  { bench: "labels", case: "", least: 0.25 },
  { bench: "scale", case: "", least: 0.2 },
  { bench: "transport", case: "", least: 0.6 },
];

/** One line for each ratio that is below its limit. */
export function missedLimits(comparisons) {
  return comparisons.flatMap(({ bench, case: name, ratio }) => {
    const limit = LIMITS.find((one) => one.bench === bench && name.startsWith(one.case));
    if (limit === undefined) return [`${bench}, ${name}: there is no limit for it in scripts/bench/limits.mjs`];
    return ratio >= limit.least
      ? []
      : [`${bench}, ${name}: its ratio is ${ratio.toFixed(2)}, the least is ${limit.least}`];
  });
}
