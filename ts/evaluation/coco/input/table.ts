/** Columns that grow by rows. */
import type { Columns, Field } from "./fields.js";

export interface Table<Fields extends readonly Field[] = readonly Field[]> {
  readonly fields: Fields;
  /** In the order of the fields, longer than their rows. */
  readonly columns: Float64Array[];
  rows: number;
  capacity: number;
}

const FIRST_CAPACITY = 1024;

export function newTable<const Fields extends readonly Field[]>(fields: Fields): Table<Fields> {
  const table = { fields, columns: fields.map(() => new Float64Array(0)), rows: 0, capacity: 0 };
  reserve(table, FIRST_CAPACITY);
  return table;
}

/** Makes room for as many rows in all. */
export function reserve(table: Table, capacity: number): void {
  if (capacity <= table.capacity) return;
  table.fields.forEach(({ width }, f) => {
    const longer = new Float64Array(width * capacity);
    longer.set(table.columns[f] as Float64Array);
    table.columns[f] = longer;
  });
  table.capacity = capacity;
}

/** What the table holds by now. */
export function columnsOf<Fields extends readonly Field[]>({ fields, columns, rows }: Table<Fields>): Columns<Fields> {
  const named = fields.map(({ column, width }, f) => [column, columns[f]?.subarray(0, width * rows)]);
  return Object.fromEntries(named) as Columns<Fields>;
}

/** Adds rows, with room for as many again. */
export function append<Fields extends readonly Field[]>(table: Table<Fields>, added: Columns<Fields>): void {
  const given = added as Columns;
  const { column, width } = table.fields[0] as Field;
  const rows = table.rows + (given[column] as Float64Array).length / width;
  if (rows > table.capacity) reserve(table, 2 * rows);
  table.fields.forEach((field, f) => {
    table.columns[f]?.set(given[field.column] as Float64Array, field.width * table.rows);
  });
  table.rows = rows;
}
