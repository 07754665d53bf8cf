/** What trainings took from other weights, tensor by tensor: the ledgers that workers leave (worker-py/cassl_worker/transplant.py). */
import { z } from "zod";
import { formatShare } from "./format.js";
import type { Table } from "./tables.js";

export const TRANSPLANT_CAPTION = "What trainings took from other weights: tensors, and the numbers in them";
const ACTIONS = ["copied", "expanded", "reinitialized", "dropped"] as const;

const ledger = z.object({
  /** Of the detector's numbers, the share that comes from the other weights. */
  parameters_copied_share: z.number(),
  copied_share_by_part: z.record(z.string(), z.number()),
  tensors: z.array(
    z.object({
      name: z.string(),
      action: z.enum(ACTIONS),
      /** `other` for what only the other weights have. */
      part: z.string(),
      reason: z.string(),
      shape: z.array(z.number()),
    }),
  ),
});

type Tensor = z.output<typeof ledger>["tensors"][number];

export interface Transplant {
  /** Of the training. */
  readonly step: string;
  readonly ledger: z.output<typeof ledger>;
}

/** @param text JSON. Throws an Error where it is no ledger. */
export function parseTransplant(step: string, text: string): Transplant {
  return { step, ledger: ledger.parse(JSON.parse(text)) };
}

/** A row for each part of each detector: how many tensors, and numbers in them, had which fate. */
export function transplantTable(transplants: readonly Transplant[]): Table {
  return {
    header: ["training", "part", ...ACTIONS, "carried"],
    rows: transplants.flatMap(({ step, ledger: { tensors, ...shares } }) => {
      const parts = [...new Set(tensors.map(({ part }) => part))];
      const row = (part: string, of: readonly Tensor[], share: number | undefined): string[] => [
        step,
        part,
        ...ACTIONS.map((action) => amount(of.filter((tensor) => tensor.action === action))),
        share === undefined ? "-" : formatShare(share),
      ];
      return [
        ...parts.map((part) =>
          row(
            part,
            tensors.filter((tensor) => tensor.part === part),
            shares.copied_share_by_part[part],
          ),
        ),
        row("all", tensors, shares.parameters_copied_share),
      ];
    }),
  };
}

/** `12 (3,400)`. */
function amount(tensors: readonly Tensor[]): string {
  if (tensors.length === 0) return "-";
  const numbers = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  return `${tensors.length} (${numbers.toLocaleString("en")})`;
}
