import type { CasslError } from "../core/errors.js";
import { printable } from "./printable.js";

/** How a failed command says what is wrong and what to do. A stack is shown for faults of cassl itself, or if asked for. */
export function describeFailure(error: CasslError, debug: boolean): string {
  const lines = [`error: ${error.message}`, ...(error.remedy === "" ? [] : [indented(error.remedy)])].map(printable);
  if (!debug && error.reason !== "INTERNAL") return lines.join("\n");
  const origin = error.cause instanceof Error ? error.cause : error;
  return [...lines, indented(`reason ${error.reason}, at`), origin.stack ?? ""].join("\n");
}

/** The same for machines, one object on a line. */
export function failureJson({ reason, message, remedy }: CasslError): string {
  return JSON.stringify({ error: { reason, message, remedy } });
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
