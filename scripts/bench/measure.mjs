/** Times programs in fresh processes. */
import { run } from "../tools.mjs";

/**
 * Runs a program whose last line of output is JSON with the `seconds` of its work.
 * @returns what it printed, and the seconds of everything else, from its start to its end.
 */
export async function measure(command, args) {
  const start = performance.now();
  const output = await run(command, args);
  const wall = (performance.now() - start) / 1000;
  const result = JSON.parse(output.trim().split("\n").at(-1));
  return { ...result, startup_seconds: wall - result.seconds };
}

/** Runs subjects in turn, as often as there are rounds. @returns the results of each, in order. */
export async function takeTurns(subjects, rounds) {
  const results = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { command, args }] of subjects.entries()) results[i].push(await measure(command, args));
  }
  return results;
}

/** Of pairs that ran after each other: the load of the machine is nearly the same within one. */
export function middlePair(pairs) {
  return pairs.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(pairs.length / 2)];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    console.log(cells.join("  "));
  }
}
