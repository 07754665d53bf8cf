/** Writes results into docs/benchmarks.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tools.mjs";
import { growthRows, markdown, ratioRows } from "./tables.mjs";

const PAGE = join(root, "docs/benchmarks.md");

/** @param kind `ratios` or `growth`: which of the two tables. */
export function document(kind, results) {
  const { cpu, cores, memory_gb, node, commit, date } = results[0].machine;
  const where = `On ${cores} cores of ${cpu}, ${memory_gb} GB, Node ${node}, commit ${commit}, ${date}.`;
  const table = markdown(kind === "ratios" ? ratioRows(results) : growthRows(results));
  const [before, , after] = parts(readFileSync(PAGE, "utf8"), kind);
  writeFileSync(PAGE, `${before}${where}\n\n${table}\n${after}`);
}

function parts(text, kind) {
  const [start, end] = [`<!-- ${kind} -->\n`, `<!-- end of ${kind} -->`];
  const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}
