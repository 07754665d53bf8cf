/** Pieces of Markdown. Pure functions. */

/** @param rows of Markdown, each as wide as the header. Empty without rows. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const lines = [header, header.map(() => "---"), ...rows.map((row) => row.map(cell))];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

/** Text in which nothing but code in backticks is Markdown or HTML. */
export function plain(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/[<>*_[\]]/g, escaped)))
    .join("");
}

export function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

function escaped(character: string): string {
  if (character === "<") return "&lt;";
  return character === ">" ? "&gt;" : `\\${character}`;
}

function cell(markdown: string): string {
  return markdown.replace(/\s*\n\s*/g, " ").replaceAll("|", "\\|");
}

/** Paragraphs, of which the empty ones are left out. */
export function page(...parts: readonly string[]): string {
  return `${parts
    .filter((part) => part !== "")
    .map((part) => part.trimEnd())
    .join("\n\n")}\n`;
}
