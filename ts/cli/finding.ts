/** What `cassl doctor` finds. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly remedy?: string;
}

/** @param remedy of the finding if it is not ok. */
export function finding(check: string, ok: boolean, detail: string, remedy = ""): Finding {
  return { check, ok, detail, ...(ok ? {} : { remedy }) };
}

/** The last line of what a process wrote, which is where an error names itself. */
export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
