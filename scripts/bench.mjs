/**
 * Compares with what others use, on generated data. Each run is a fresh process; ours and theirs take turns.
 *
 *     npm run bench -- coco
 *     npm run bench -- duplicates
 *     npm run bench -- readers
 *     npm run bench -- labelling
 *     npm run bench -- instance-masks
 *     npm run bench -- training-loop
 *     npm run bench -- onnx
 *     npm run bench -- fleet --rounds 1
 *     npm run bench -- labels --boxes 100000000
 *     npm run bench -- scale --rounds 1 --images 192000 --labellers 100 --rate 60 --boxes 100 --seconds 240
 *     npm run bench -- coco --rounds 3 --references hotcoco,ultrafast-pycocotools --json bench.json
 *
 * --json writes a list of { bench, case, ours, reference, ratio }, where ours and reference are { seconds, peak_mb, value,
 * unit } (and the name of the reference): medians of the rounds. The ratio is above 1 where ours is better.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { main, ScriptError } from "./tools.mjs";

/** How large a benchmark is, where it can be chosen. */
const SIZES = ["boxes", "images", "labellers", "rate", "seconds"];

/** Each exports `compare({ rounds, references, ...sizes })`, which prints as it goes and returns { case, ours, reference, ratio }. */
const benches = {
  coco: () => import("./bench/coco.mjs"),
  duplicates: () => import("./bench/duplicates.mjs"),
  readers: () => import("./bench/readers.mjs"),
  labelling: () => import("./bench/labelling.mjs"),
  "instance-masks": () => import("./bench/instance-masks.mjs"),
  "training-loop": () => import("./bench/training-loop.mjs"),
  onnx: () => import("./bench/onnx.mjs"),
  fleet: () => import("./bench/fleet.mjs"),
  labels: () => import("./bench/labels.mjs"),
  scale: () => import("./bench/scale.mjs"),
};

const options = {
  json: { type: "string" },
  rounds: { type: "string", default: "5" },
  references: { type: "string" },
  ...Object.fromEntries(SIZES.map((name) => [name, { type: "string" }])),
};

await main(import.meta.url, async () => {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [name] = positionals;
  const load = benches[name];
  if (!load) throw new ScriptError(`Name a benchmark: ${Object.keys(benches).join(", ")}.`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new ScriptError("--rounds takes a whole number from 1.");
  const sizes = Object.fromEntries(SIZES.flatMap((name) => (values[name] ? [[name, Number(values[name])]] : [])));
  for (const [name, size] of Object.entries(sizes))
    if (!(size >= 1)) throw new ScriptError(`--${name} takes a number from 1.`);
  await setUpDependencies();
  await compile();
  const { compare } = await load();
  const comparisons = await compare({ rounds, references: values.references?.split(","), ...sizes });
  const list = comparisons.map((comparison) => ({ bench: name, ...comparison }));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(list, null, 2)}\n`);
});
