/**
 * Which of several tasks a worker is given: of the highest priority; then of the run that has the fewest workers; then of the
 * one that has used the least of their time; then the one that was submitted first. A task of several runs counts as of the
 * one that is best off, and its time for each of them in equal parts.
 */
import type { RunShare } from "../../pipeline/steps-under-way.js";
import { beneficiariesOf, type Execution } from "./execution.js";

export interface FairShare {
  /**
   * To be told of each task as it is submitted. A run that has had nothing to do starts level with the others: it has
   * saved up no claim on the workers.
   * @param others that are under way.
   */
  enter(execution: Execution, others: Iterable<Execution>): void;
  /** Worker time that was spent on a task. */
  charge(execution: Execution, ms: number): void;
  /** The tasks that might be given to a worker, the first one first. @param all that are under way. */
  inOrder(open: readonly Execution[], all: Iterable<Execution>): readonly Execution[];
}

interface Claim {
  readonly priority: number;
  readonly workers: number;
  readonly usedMs: number;
}

export function createFairShare(): FairShare {
  const used = new WeakMap<RunShare, number>();
  const usedBy = (run: RunShare): number => used.get(run) ?? 0;

  function claimOf(execution: Execution, workers: ReadonlyMap<RunShare, number>): Claim {
    return runsOf(execution)
      .map((run) => ({ priority: run.priority, workers: workers.get(run) ?? 0, usedMs: usedBy(run) }))
      .reduce((best, claim) => (compare(claim, best) < 0 ? claim : best));
  }

  /** Of the runs that have other tasks under way. Undefined if there are none, or the run is one of them. */
  function leastUsedBeside(run: RunShare, execution: Execution, others: Iterable<Execution>): number | undefined {
    let least: number | undefined;
    for (const other of others) {
      if (other === execution) continue;
      for (const present of runsOf(other)) {
        if (present === run) return undefined;
        least = Math.min(least ?? Number.POSITIVE_INFINITY, usedBy(present));
      }
    }
    return least;
  }

  return {
    enter(execution, others) {
      for (const run of runsOf(execution)) {
        const least = leastUsedBeside(run, execution, others);
        if (least !== undefined) used.set(run, Math.max(usedBy(run), least));
      }
    },

    charge(execution, ms) {
      const runs = runsOf(execution);
      for (const run of runs) used.set(run, usedBy(run) + ms / runs.length);
    },

    inOrder(open, all) {
      if (open.length < 2) return open;
      const workers = workersOf(all);
      return open
        .map((execution) => ({ execution, claim: claimOf(execution, workers) }))
        .sort((a, b) => compare(a.claim, b.claim))
        .map(({ execution }) => execution);
    },
  };
}

function compare(a: Claim, b: Claim): number {
  return b.priority - a.priority || a.workers - b.workers || a.usedMs - b.usedMs;
}

function runsOf(execution: Execution): RunShare[] {
  return beneficiariesOf(execution).map(({ run }) => run);
}

/** How many workers each run has. */
function workersOf(executions: Iterable<Execution>): Map<RunShare, number> {
  const workers = new Map<RunShare, number>();
  for (const execution of executions) {
    if (execution.leases.size === 0) continue;
    for (const run of runsOf(execution)) workers.set(run, (workers.get(run) ?? 0) + execution.leases.size);
  }
  return workers;
}
