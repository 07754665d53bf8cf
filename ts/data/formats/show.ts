const LONGEST = 80;

/** A value as it would stand in a file, cut to a readable length. JSON has no text for infinity, which 1e999 is read as. */
export function show(value: unknown): string {
  const isNumbers = Array.isArray(value) && value.every((item) => typeof item === "number");
  const plain = isNumbers ? `[${value.join(", ")}]` : JSON.stringify(value);
  return cut(typeof value === "number" ? String(value) : (plain ?? "undefined"));
}

/** A text, such as a file name, cut to a readable length. */
export function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}
