/**
 * The experiments of docs/results.md: compares the arms on real photos with several seeds, keeps what came out and writes its tables.
 *
 *     node scripts/experiments.mjs               all of them: four hours on two CPU cores. Stop it, and it goes on when it is started again
 *     node scripts/experiments.mjs bccd          this one
 *     node scripts/experiments.mjs --tables      only writes docs/results.md again, from the results that are kept
 *
 * The photos are expected beside the repository, in ../shared/data; digits are generated. Runs are kept in .cassl/experiments.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machine as describeMachine } from "./bench/machine.mjs";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { main, root, run, ScriptError, venvBin } from "./tools.mjs";

/** Of scripts/experiments/CONFIG.yaml: which arms `cassl compare` trains, with how many seeds. */
export const experiments = {
  bccd: { config: "bccd", arms: "supervised,class_specific,class_agnostic", seeds: 6 },
  spectrum: {
    config: "bccd",
    arms: "supervised,self_supervised,class_agnostic,class_specific,mean_teacher",
    seeds: 3,
  },
  cards: { config: "cards", arms: "supervised,class_specific,class_agnostic", seeds: 4 },
  digits: { config: "digits", arms: "supervised,class_agnostic", seeds: 3 },
};
/** What is given to scripts/demo-data.py for `digits`. */
const DIGITS = ["--out", "demo-data-1000", "--labeled=20", "--unlabeled=1000", "--validation=120"];
const WORKSPACE = ".cassl/experiments";
const PAGE = "docs/results.md";

/** Of docs/results/NAME.json. */
const resultFile = (name) => join(root, "docs/results", `${name}.json`);

/** The path that `cassl compare` prints last; what it says before goes to this terminal. */
function compare(name) {
  const { config, arms, seeds } = experiments[name];
  const options = ["--arms", arms, "--seeds", String(seeds), "--workspace", WORKSPACE];
  const args = ["compare", `scripts/experiments/${config}.yaml`, ...options];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["dist/ts/cli/main.js", ...args], {
      cwd: root,
      stdio: ["inherit", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      process.stdout.write(chunk);
      output = (output + chunk).slice(-10_000);
    });
    process.on("SIGINT", () => {});
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(output.trimEnd().split("\n").at(-1)) : reject(new ScriptError(`${name} was not finished.`)),
    );
  });
}

/** What is kept: the comparison, how it was made, on what and when. */
async function keep(name, file) {
  const { command, config_hash, comparison } = JSON.parse(readFileSync(file, "utf8"));
  const { cpu, cores, memory_gb, commit, date } = await describeMachine();
  const machine = `${cpu}, ${cores} cores, ${memory_gb} GiB`;
  const made = { command: `npx ${command}`, commit, date, machine, config_hash };
  writeFileSync(resultFile(name), `${JSON.stringify({ ...made, comparison }, null, 2)}\n`);
}

/** The page with the tables of all results that are kept, between the marks of each. */
export async function writeTables(page) {
  const texts = await import("../dist/ts/report/comparison-tables.js");
  const { markdownTable } = await import("../dist/ts/report/markdown.js");
  return page.replace(/(<!-- results: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, start, name, end) => {
    const kept = JSON.parse(readFileSync(resultFile(name), "utf8"));
    const parts = Array.isArray(kept)
      ? [markdownTable(headroomTable(kept))]
      : comparisonParts(kept, texts, markdownTable);
    return `${start}\n${[...parts, `[${name}.json](results/${name}.json)`].join("\n\n")}\n\n${end}`;
  });
}

function comparisonParts(
  { command, date, machine, comparison },
  { armSummaryTable, differenceTable, verdicts },
  table,
) {
  const claims = verdicts(comparison).map((line) => `- ${line}`);
  const tables = comparison.groups.flatMap((group) => [table(armSummaryTable(group)), table(differenceTable(group))]);
  return [claims.join("\n"), ...tables, `\`${command}\`, ${date}, ${machine}`];
}

/** Of what scripts/experiments/headroom.py writes. */
function headroomTable(rows) {
  const shown = (ap) => (ap === null ? "" : ap.toFixed(1));
  return {
    header: ["seed", "detector", "AP", "class-agnostic AP"],
    rows: rows.map(({ seed, what, ap, class_agnostic_ap }) => [
      String(seed),
      what,
      shown(ap),
      shown(class_agnostic_ap),
    ]),
  };
}

await main(import.meta.url, async () => {
  const { values, positionals } = parseArgs({ options: { tables: { type: "boolean" } }, allowPositionals: true });
  const unknown = positionals.find((name) => !(name in experiments));
  if (unknown)
    throw new ScriptError(`There is no experiment ${unknown}; there are ${Object.keys(experiments).join(", ")}.`);
  await setUpDependencies();
  await compile();
  const names = positionals.length > 0 ? positionals : Object.keys(experiments);
  if (!values.tables && names.includes("digits")) await run(venvBin("python"), ["scripts/demo-data.py", ...DIGITS]);
  for (const name of values.tables ? [] : names) await keep(name, await compare(name));
  writeFileSync(join(root, PAGE), await writeTables(readFileSync(join(root, PAGE), "utf8")));
});
