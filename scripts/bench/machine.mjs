/** What a benchmark ran on. */
import { cpus, totalmem } from "node:os";
import { run } from "../tools.mjs";

export async function machine() {
  const commit = await run("git", ["rev-parse", "--short", "HEAD"]);
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    commit: commit.trim(),
    date: new Date().toISOString().slice(0, 10),
  };
}
