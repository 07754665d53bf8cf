/** An existing optimiser, asked and told: optuna in a child process, by lines of JSON; worker-py/cassl_worker/optimizer.py. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { CasslError } from "../core/errors.js";
import { workerEnvironment } from "../core/package.js";
import type { Dimension } from "./space.js";

export interface Study {
  readonly dimensions: readonly Dimension[];
  readonly sampler: "tpe" | "grid";
  readonly seed: number;
  /** Of successive halving: about one in so many goes on at each rung. 1: all do. */
  readonly reduction: number;
}

export interface Optimizer {
  /** The next trial. Choices are given by their index. */
  ask(): Promise<{ readonly trial: number; readonly values: Readonly<Record<string, number>> }>;
  /** Whether the trial is to stop. @param rung 0, 1, ... */
  report(trial: number, rung: number, value: number): Promise<boolean>;
  /** The end of a trial. Without a value it was stopped, or has failed. */
  tell(trial: number, value: number | undefined): Promise<void>;
  close(): void;
}

/** Of what the process says, of which the last line counts. */
const KEPT_CHARACTERS = 2000;

/** WORKER_INCOMPLETE if the Python has no optimiser. */
export function startOptimizer(python: string, { dimensions, ...study }: Study): Optimizer {
  const child = spawn(python, ["-m", "cassl_worker.optimizer"], {
    stdio: ["pipe", "pipe", "pipe"],
    env: workerEnvironment(),
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-KEPT_CHARACTERS);
  });
  const ended = new Promise<never>((_, reject) => {
    child.on("error", (cause) => reject(incomplete(python, cause.message)));
    child.on("close", () => reject(incomplete(python, said.trim().split("\n").at(-1) ?? "")));
  });
  ended.catch(() => {});
  // What is written to a process that has ended is told of by its end.
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  const send = (request: object): void => void child.stdin.write(`${JSON.stringify(request)}\n`);
  async function call<T>(request: object): Promise<T> {
    send(request);
    const line = await Promise.race([lines.next(), ended]);
    return line.done ? await ended : (JSON.parse(line.value) as T);
  }

  send({ ...study, space: Object.fromEntries(dimensions.map(described)) });
  return {
    ask: () => call({ ask: true }),
    report: async (trial, rung, value) => (await call<{ stop: boolean }>({ report: trial, rung, value })).stop,
    async tell(trial, value) {
      await call({ tell: trial, value });
    },
    close: () => void child.stdin.end(),
  };
}

function described(dimension: Dimension): [path: string, description: object] {
  if ("choices" in dimension) return [dimension.path, { choices: dimension.choices.length }];
  const { path, ...range } = dimension;
  return [path, range];
}

function incomplete(python: string, said: string): CasslError {
  const message = `The optimiser cannot run in ${python}: ${said || "it ended without a word"}`;
  return new CasslError("WORKER_INCOMPLETE", message, "Install optuna there: pip install 'cassl-worker[sweep]'.");
}
