/** The commands by name, in the order of --help. */
import type { Command } from "commander";
import { addExamples } from "./examples.js";

/** Loads what a command needs, which for all of them together takes most of a second, and gives what adds it. */
export type CommandLoader = () => Promise<(program: Command) => void>;

export const COMMANDS: ReadonlyMap<string, CommandLoader> = new Map<string, CommandLoader>([
  ["init", async () => (await import("./init.js")).addInit],
  ["check", async () => (await import("./check.js")).addCheck],
  ["convert", async () => (await import("./convert.js")).addConvert],
  ["curate", async () => (await import("./curate.js")).addCurate],
  ["split", async () => (await import("./split.js")).addSplit],
  ["plan", async () => (await import("./plan.js")).addPlan],
  ["run", async () => (await import("./run.js")).addRun],
  ["compare", async () => (await import("./compare.js")).addCompare],
  ["rank", async () => (await import("./rank.js")).addRank],
  ["sweep", async () => (await import("./sweep.js")).addSweep],
  ["report", async () => (await import("./report.js")).addReport],
  ["select", async () => (await import("./select.js")).addSelect],
  ["labels", async () => (await import("./labels.js")).addLabels],
  ["serve", async () => (await import("./serve.js")).addServe],
  ["submit", async () => (await import("./submit.js")).addSubmit],
  ["watch", async () => (await import("./watch.js")).addWatch],
  ["cancel", async () => (await import("./cancel.js")).addCancel],
  ["retry", async () => (await import("./retry.js")).addRetry],
  ["runs", async () => (await import("./runs.js")).addRuns],
  ["workers", async () => (await import("./workers.js")).addWorkers],
  ["health", async () => (await import("./health.js")).addHealth],
  ["token", async () => (await import("./token.js")).addTokenCommands],
  ["eval", async () => (await import("./eval.js")).addEval],
  ["predict", async () => (await import("./predict.js")).addPredict],
  ["certify", async () => (await import("./certify.js")).addCertify],
  ["doctor", async () => (await import("./doctor.js")).addDoctor],
  ["completion", async () => (await import("./completion.js")).addCompletion],
  ["gc", async () => (await import("./gc.js")).addGc],
]);

/** Only the command that is named first; all of them where none is, as for --help, and for the one that tells of all. */
export async function addCommands(program: Command, args: readonly string[]): Promise<void> {
  const named = args[0] === "completion" ? undefined : COMMANDS.get(args[0] ?? "");
  const loaders = named === undefined ? [...COMMANDS.values()] : [named];
  for (const add of await Promise.all(loaders.map((load) => load()))) add(program);
  addExamples(program);
}
