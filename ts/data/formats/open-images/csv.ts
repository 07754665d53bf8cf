/** CSV as RFC 4180 has it: fields in double quotes may hold commas, line breaks and doubled quotes. */

/** A row, with the number of the line that it starts on, counted from 1. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/** A field and what ends it: a comma, a line break or the end of the text. */
const FIELD = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|\r(?!$)|$)/y;
const LINE_BREAK = /\r\n|\n|\r/g;

/** More characters than any row has. */
const LONGEST_ROW = 2 ** 20;

/**
 * Rows of a text that comes in pieces; blank lines are passed over.
 * Throws an Error that names the line if a quote is not closed, or stands inside of a field without quotes.
 */
export async function* readCsv(pieces: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  let held = "";
  let line = 1;
  for await (const piece of pieces) {
    const taken = takeRows(held + piece, line);
    yield* taken.rows;
    held = taken.rest;
    line = taken.line;
    if (held.length > LONGEST_ROW) throw badQuote(line);
  }
  // A line break after the last row makes it whole, and is no row of its own.
  const { rows, rest, line: at } = takeRows(`${held.replace(/\r$/, "")}\n`, line);
  if (rest !== "") throw badQuote(at);
  yield* rows;
}

interface TakenRows {
  readonly rows: readonly CsvRow[];
  /** From the first row on that is not whole. */
  readonly rest: string;
  /** Where the rest starts. */
  readonly line: number;
}

function takeRows(text: string, firstLine: number): TakenRows {
  const rows: CsvRow[] = [];
  let fields: string[] = [];
  let end = 0;
  let line = firstLine;
  let next = firstLine;
  FIELD.lastIndex = 0;
  for (let match = FIELD.exec(text); match !== null && match[3] !== ""; match = FIELD.exec(text)) {
    const [, quoted, plain = "", separator] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    next += quoted?.match(LINE_BREAK)?.length ?? 0;
    if (separator === ",") continue;
    if (fields.length > 1 || fields[0] !== "") rows.push({ line, fields });
    fields = [];
    line = ++next;
    end = FIELD.lastIndex;
  }
  return { rows, rest: text.slice(end), line };
}

function badQuote(line: number): Error {
  return new Error(`line ${line} has a quote that is not closed, or stands inside of a field`);
}
