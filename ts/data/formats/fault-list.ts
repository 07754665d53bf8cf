/** What is wrong with annotations. A file may have a million faults: all are counted, the first are kept. */
import { failOnFaults } from "../faults.js";

/** In the order in which they are told of: what comes later may follow from what comes first. */
export const FAULT_KINDS = [
  "invalid_record",
  "duplicate_id",
  "duplicate_file_name",
  "unknown_reference",
  "label_without_image",
  "turned_image",
  "unreadable_image",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly count: number;
  /** The first of them, each in words. */
  readonly examples: readonly string[];
}

export interface FaultList {
  add(kind: FaultKind, message: string): void;
  of(kind: FaultKind): Fault;
}

const MOST_EXAMPLES = 20;
const NONE: Fault = { count: 0, examples: [] };

export function createFaultList(): FaultList {
  const faults = new Map<FaultKind, { count: number; examples: string[] }>();
  return {
    add(kind, message) {
      const fault = faults.get(kind) ?? { count: 0, examples: [] };
      faults.set(kind, fault);
      fault.count++;
      if (fault.count <= MOST_EXAMPLES) fault.examples.push(message);
    },
    of: (kind) => faults.get(kind) ?? NONE,
  };
}

/** ANNOTATIONS_INVALID with the faults of the first kind that there is one of. */
export function refuseFaults(name: string, faults: FaultList, kinds: readonly FaultKind[] = FAULT_KINDS): void {
  for (const kind of kinds) {
    const { count, examples } = faults.of(kind);
    failOnFaults("ANNOTATIONS_INVALID", name, examples, "Correct the annotations.", count);
  }
}
