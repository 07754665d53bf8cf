import assert from "node:assert/strict";
import fc from "fast-check";
import { type CsvRow, readCsv } from "../../../../../ts/data/formats/open-images/csv.js";

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += size) yield text.slice(start, start + size);
}

async function read(text: string, size = 1000): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  for await (const row of readCsv(pieces(text, size))) rows.push(row);
  return rows;
}

describe("CSV", () => {
  it("has rows with the lines that they start on, with or without a final line break", async () => {
    const expected = [
      { line: 1, fields: ["a", "b"] },
      { line: 3, fields: ["", ""] },
      { line: 4, fields: ['x\n"y"', "1,5"] },
      { line: 6, fields: ["last", ""] },
    ];
    const text = 'a,b\r\n\r\n,\n"x\n""y""","1,5"\nlast,';
    assert.deepEqual(await read(text), expected);
    assert.deepEqual(await read(`${text}\n`), expected);
    assert.deepEqual(await read(`${text}\r`), expected);
    assert.deepEqual(await read(""), []);
  });

  it("comes back as it was written, however it is cut into pieces", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "\u00e9", "1") });
    const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    const end = fc.constantFrom("\n", "\r\n");
    await fc.assert(
      fc.asyncProperty(rows, end, fc.integer({ min: 1, max: 7 }), async (written, lineEnd, size) => {
        const quoted = written.map((fields) => fields.map((one) => `"${one.replaceAll('"', '""')}"`).join(","));
        const found = await read(quoted.join(lineEnd), size);
        assert.deepEqual(
          found.map(({ fields }) => fields),
          written,
        );
      }),
    );
  });

  it("is refused with a quote that is not closed or stands inside of a field, by its line", async () => {
    await assert.rejects(read('a,b\n1,"2\n3,4\n'), /line 2 has a quote/);
    await assert.rejects(read('a,b\n1,2"3\n'), /line 2 has a quote/);
    await assert.rejects(read('a,b\n"1"2,3\n'), /line 2 has a quote/);
    await assert.rejects(read(`a,b\n"${"x".repeat(2 ** 20)}`, 2 ** 16), /line 2/);
  });
});
