/** Text that others wrote, made harmless for a terminal. Pure functions. */

/** Control characters but tab and line feed, and those that turn the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Names of files and classes, and lines of logs, may hold what moves a cursor or sets a title: it is shown, as `\x1b`. */
export function printable(text: string): string {
  return text.replace(HARMFUL, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code}`;
  });
}

/**
 * Breaks a text between words into lines shorter than `width`, all but the first indented; a word that is too long for a line
 * is left whole.
 */
export function wrapped(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S)(?=\s)/)) {
    const isFull = line !== "" && line.length + word.length >= width;
    if (isFull) lines.push(line);
    line = isFull ? " ".repeat(indent) + word.trimStart() : line + word;
  }
  return [...lines, line];
}
