/** The same training step of several runs in one chart. Pure functions. */
import type { ComparedRun } from "../wire/comparison.js";

export const QUANTITIES = ["loss", "learning rate"] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface OverlaidCurves {
  /** Iterations, ascending. */
  readonly x: readonly number[];
  /** One a run that has the step; undefined where it says nothing of an iteration. */
  readonly lines: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[];
}

type Curves = Pick<ComparedRun, "id" | "curves">;

/** Those of all runs, in the order in which they come. */
export function stepsOf(runs: readonly Curves[]): string[] {
  return [...new Set(runs.flatMap(({ curves }) => curves.map(({ step }) => step)))];
}

export function overlay(runs: readonly Curves[], step: string, quantity: Quantity): OverlaidCurves {
  const found = runs.flatMap(({ id, curves }) => {
    const curve = curves.find((one) => one.step === step);
    return curve === undefined ? [] : [{ id, points: curve.points }];
  });
  const x = [...new Set(found.flatMap(({ points }) => points.map(([iteration]) => iteration)))].sort((a, b) => a - b);
  const lines = found.map(({ id, points }) => {
    const byIteration = new Map(
      points.map(([iteration, loss, rate]) => [iteration, quantity === "loss" ? loss : rate]),
    );
    return { label: id, values: x.map((iteration) => byIteration.get(iteration)) };
  });
  return { x, lines };
}
