/** What a Parquet file holds, as this project sees it: named columns of equal length, numbers as typed arrays. */

/** How each type of column is held in memory, row by row. Only strings may be missing. */
export interface ColumnArrays {
  readonly uint8: Uint8Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
  readonly uint32: Uint32Array<ArrayBuffer>;
  readonly uint64: BigUint64Array<ArrayBuffer>;
  readonly float32: Float32Array<ArrayBuffer>;
  readonly float64: Float64Array<ArrayBuffer>;
  readonly string: readonly (string | null)[];
}

export type ColumnType = keyof ColumnArrays;
export type NumberType = Exclude<ColumnType, "string">;
export type NumberArray = ColumnArrays[NumberType];

/** The columns of a file by name, in their order. */
export type Schema = Readonly<Record<string, ColumnType>>;

/** Some consecutive rows: arrays of equal length. */
export type Columns<S extends Schema> = { readonly [Name in keyof S]: ColumnArrays[S[Name]] };

export const newArray: { readonly [Type in NumberType]: new (length: number) => ColumnArrays[Type] } = {
  uint8: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
};

export function rowCountOf<S extends Schema>(columns: Columns<S>): number {
  const arrays: Readonly<Record<string, ArrayLike<unknown>>> = columns;
  const lengths = new Set(Object.values(arrays).map(({ length }) => length));
  const [rows = 0] = lengths;
  if (lengths.size > 1) throw new RangeError(`Columns of one batch have the lengths ${[...lengths].join(", ")}.`);
  return rows;
}
