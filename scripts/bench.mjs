/**
 * Compares with what others use, on generated data. Each run is a fresh process; ours and theirs take turns.
 *
 *     npm run bench                                     (all of them, which takes hours)
 *     npm run bench -- --quick                          (all of them, small and once; fails where a ratio is far too low)
 *     npm run bench -- coco --rounds 3 --references hotcoco,ultrafast-pycocotools --json bench.json
 *     npm run bench -- labels --boxes 100000000
 *     npm run bench -- scale --rounds 1 --images 192000 --labellers 100 --rate 60 --boxes 100 --seconds 240
 *     npm run bench -- --growth                         (ours alone, at growing sizes)
 *     npm run bench -- --document                       (writes docs/benchmarks.md; with --growth its other table)
 *
 * --json writes a list of { bench, case, ours, reference, ratio, machine }, where ours and reference are { seconds, peak_mb,
 * value, unit } (and the name of the reference): medians of the rounds. The ratio is above 1 where ours is better. With
 * --growth it is a list of { bench, case, size, seconds, peak_mb, machine }.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { main, ScriptError } from "./tools.mjs";

/** How large a benchmark is, where it can be chosen. */
const SIZES = ["boxes", "images", "labellers", "rate", "seconds"];

/**
 * Each exports `compare({ rounds, references, quick, ...sizes })`, which prints as it goes and returns { case, ours, reference,
 * ratio }, and may export `grow()`, which returns { case, size, seconds, peak_mb }.
 */
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
  transport: () => import("./bench/transport.mjs"),
};

const options = {
  json: { type: "string" },
  rounds: { type: "string" },
  references: { type: "string" },
  ...Object.fromEntries(SIZES.map((name) => [name, { type: "string" }])),
  quick: { type: "boolean", default: false },
  growth: { type: "boolean", default: false },
  document: { type: "boolean", default: false },
};

await main(import.meta.url, async () => {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const settings = checked(values, positionals);
  await setUpDependencies();
  await compile();
  const results = await measure(settings);
  await show(results, settings);
});

function checked({ rounds, references, json, quick, growth, document, ...given }, names) {
  const unknown = names.find((name) => !benches[name]);
  if (unknown) throw new ScriptError(`There is no benchmark ${unknown}: ${Object.keys(benches).join(", ")}.`);
  const count = Number(rounds ?? (quick ? 1 : 5));
  if (!Number.isInteger(count) || count < 1) throw new ScriptError("--rounds takes a whole number from 1.");
  const sizes = Object.fromEntries(Object.entries(given).map(([name, size]) => [name, Number(size)]));
  for (const [name, size] of Object.entries(sizes))
    if (!(size >= 1)) throw new ScriptError(`--${name} takes a number from 1.`);
  if (references !== undefined && names.length !== 1) throw new ScriptError("--references is for one benchmark.");
  if (document && (names.length > 0 || quick)) throw new ScriptError("--document is for all benchmarks in full.");
  return {
    ...{ json, quick, growth, document },
    names: names.length > 0 ? names : Object.keys(benches),
    rounds: count,
    references: references?.split(","),
    sizes,
  };
}

async function measure({ names, growth, rounds, references, quick, sizes }) {
  const { machine } = await import("./bench/machine.mjs");
  const place = await machine();
  const results = [];
  for (const name of names) {
    const { compare, grow } = await benches[name]();
    if (growth && grow === undefined) continue;
    console.log(`\n${name}`);
    const found = growth ? await grow() : await compare({ rounds, references, quick, ...sizes });
    results.push(...found.map((one) => ({ bench: name, ...one, machine: place })));
  }
  if (results.length === 0) throw new ScriptError("None of these benchmarks has a growth curve.");
  return results;
}

async function show(results, { json, quick, growth, document: isDocumented }) {
  const { printTable } = await import("./bench/measure.mjs");
  const { growthRows, ratioRows } = await import("./bench/tables.mjs");
  console.log("");
  printTable(growth ? growthRows(results) : ratioRows(results));
  if (json) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  if (isDocumented) (await import("./bench/document.mjs")).document(growth ? "growth" : "ratios", results);
  if (!quick || growth) return;
  const missed = (await import("./bench/limits.mjs")).missedLimits(results);
  if (missed.length > 0) throw new ScriptError(missed.join("\n"));
  console.log(`All ${results.length} ratios are within their limits.`);
}
