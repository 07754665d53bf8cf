/** The runs that wait for their turn: of the highest priority first, then those that came first. */
export interface RunQueue {
  add(runId: string, priority: number): void;
  /** Takes the next one out. Undefined if there is none. */
  next(): string | undefined;
  /** False if the run does not wait. */
  remove(runId: string): boolean;
  /** 1 for the next one. Undefined if the run does not wait. */
  positionOf(runId: string): number | undefined;
  size(): number;
}

export function createRunQueue(): RunQueue {
  const waiting: { readonly runId: string; readonly priority: number }[] = [];
  const indexOf = (wanted: string): number => waiting.findIndex(({ runId }) => runId === wanted);

  return {
    add(runId, priority) {
      const behind = waiting.findIndex((other) => other.priority < priority);
      waiting.splice(behind < 0 ? waiting.length : behind, 0, { runId, priority });
    },
    next: () => waiting.shift()?.runId,
    remove(runId) {
      const index = indexOf(runId);
      if (index >= 0) waiting.splice(index, 1);
      return index >= 0;
    },
    positionOf(runId) {
      const index = indexOf(runId);
      return index < 0 ? undefined : index + 1;
    },
    size: () => waiting.length,
  };
}
