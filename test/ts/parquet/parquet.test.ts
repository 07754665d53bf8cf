import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { sha256 } from "../../../ts/core/hash.js";
import { type Columns, readMetadata, readParquet, type Schema, writeParquet } from "../../../ts/parquet/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { missingPython, runPython } from "../evaluation/python.js";

const schema = {
  id: "int32",
  position: "uint32",
  hash: "uint64",
  side: "uint8",
  x: "float32",
  exact: "float64",
  name: "string",
} as const;
type Rows = Columns<typeof schema>;

/** Rows whose values say where they stand. */
function rowsOf(from: number, count: number): Rows {
  const at = Array.from({ length: count }, (_, index) => from + index);
  return {
    id: Int32Array.from(at, (n) => n - 5),
    position: Uint32Array.from(at, (n) => 2 ** 32 - 1 - n),
    hash: BigUint64Array.from(at, (n) => 2n ** 64n - 1n - BigInt(n)),
    side: Uint8Array.from(at),
    x: Float32Array.from(at, (n) => n / 3),
    exact: Float64Array.from(at, (n) => n / 3),
    name: at.map((n) => (n % 5 === 0 ? null : `it's "${n}" \u00e4\u{1F600}`)),
  };
}

async function readAll<S extends Schema>(files: readonly string[], columns: S): Promise<Record<string, unknown[]>> {
  const all = Object.fromEntries(Object.keys(columns).map((name): [string, unknown[]] => [name, []]));
  for await (const batch of readParquet(files, columns)) {
    for (const [name, values] of Object.entries(batch)) for (const value of values) all[name]?.push(value);
  }
  return all;
}

const plain = (rows: Rows): Record<string, unknown[]> =>
  Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, [...values]]));

describe("Parquet files", () => {
  const path = temporaryFolder();

  for (const count of [0, 1, 2047, 2048, 2049, 70_000]) {
    it(`give back ${count} rows of every type, bit for bit`, async () => {
      await writeParquet(path("a.parquet"), schema, [rowsOf(0, count)]);
      assert.deepEqual(await readAll([path("a.parquet")], schema), plain(rowsOf(0, count)));
    });
  }

  it("give back float32 values bit for bit, whichever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.float({ noNaN: false }), { maxLength: 50 }), async (values) => {
        const x = Float32Array.from(values);
        await writeParquet(path("a.parquet"), { x: "float32" }, [{ x }]);
        const read = await readAll([path("a.parquet")], { x: "float32" });
        assert.deepEqual(new Uint8Array(Float32Array.from(read["x"] as number[]).buffer), new Uint8Array(x.buffer));
      }),
      { numRuns: 30 },
    );
  });

  it("are read one after the other, some of their columns, in any order", async () => {
    await writeParquet(path("a.parquet"), schema, [rowsOf(0, 3)]);
    await writeParquet(path("b.parquet"), schema, [rowsOf(3, 2)]);
    assert.deepEqual(await readAll([path("b.parquet"), path("a.parquet")], { x: "float32", id: "int32" }), {
      x: [...Float32Array.of(3 / 3, 4 / 3, 0, 1 / 3, 2 / 3)],
      id: [-2, -1, -5, -4, -3],
    });
    assert.deepEqual(await readAll([], { id: "int32" }), { id: [] });
  });

  it("have equal bytes for equal rows, however these are cut into batches, empty ones included", async () => {
    async function* small(): AsyncGenerator<Rows> {
      for (let start = 0; start < 300_000; start += 30_011) yield rowsOf(start, Math.min(30_011, 300_000 - start));
      yield rowsOf(0, 0);
    }
    await writeParquet(path("a.parquet"), schema, [rowsOf(0, 300_000)], { model: "x" });
    await writeParquet(path("b.parquet"), schema, small(), { model: "x" });
    assert.equal(sha256(await readFile(path("a.parquet"))), sha256(await readFile(path("b.parquet"))));
    assert.deepEqual(await readdir(path()), ["a.parquet", "b.parquet"]);
  }).timeout(60_000);

  it("have equal bytes also where there are few rows, and several are written at a time", async () => {
    async function* streamed(): AsyncGenerator<Rows> {
      yield rowsOf(0, 5000);
    }
    await writeParquet(path("a.parquet"), schema, streamed(), { model: "x" });
    const names = ["b", "c", "d"].map((name) => path(`${name}.parquet`));
    await Promise.all(names.map((name) => writeParquet(name, schema, [rowsOf(0, 5000)], { model: "x" })));
    const hashes = await Promise.all([path("a.parquet"), ...names].map(async (name) => sha256(await readFile(name))));
    assert.equal(new Set(hashes).size, 1);
  });

  it("may be left before their end", async () => {
    await writeParquet(path("a.parquet"), { x: "float32" }, [{ x: new Float32Array(200_000) }]);
    const seen: number[] = [];
    for await (const { x } of readParquet([path("a.parquet")], { x: "float32" })) {
      seen.push(x.length);
      break;
    }
    assert.ok(seen.length === 1 && seen.every((rows) => 0 < rows && rows < 200_000), String(seen));
  });

  it("keep metadata", async () => {
    const metadata = { model: "0123", 'it\'s a "key"': 'a {"value"}, it\'s \u00e4' };
    await writeParquet(path("a.parquet"), { x: "float32" }, [{ x: new Float32Array(7) }], metadata);
    const { rows, metadata: kept } = await readMetadata(path("a.parquet"));
    assert.equal(rows, 7);
    assert.deepEqual(Object.fromEntries(kept), metadata);
  });

  it("may lie at any path and have columns of any name", async () => {
    const folder = path("it's a [b] *? {c} %20 \u00e4; DROP TABLE rows --");
    await mkdir(folder);
    const names = { 'say "x"': "int32", "it's; --": "int32" } as const;
    const rows = { 'say "x"': Int32Array.of(1), "it's; --": Int32Array.of(2) };
    await writeParquet(join(folder, "a'*.parquet"), names, [rows]);
    await writeParquet(join(folder, "a'b.parquet"), names, [{ ...rows, "it's; --": Int32Array.of(3) }]);
    assert.deepEqual(await readAll([join(folder, "a'*.parquet")], names), { 'say "x"': [1], "it's; --": [2] });
    assert.equal((await readMetadata(join(folder, "a'*.parquet"))).rows, 1);
    await assert.rejects(readAll([join(folder, "*.parquet")], names), { reason: "FILE_NOT_FOUND" });
  });

  it("replace what was there only when they are whole", async () => {
    await writeFile(path("a.parquet"), "before");
    async function* failing(): AsyncGenerator<{ x: Float32Array<ArrayBuffer> }> {
      yield { x: new Float32Array(10_000) };
      throw new Error("the source fails");
    }
    await assert.rejects(writeParquet(path("a.parquet"), { x: "float32" }, failing()), /^Error: the source fails$/);
    assert.equal(await readFile(path("a.parquet"), "utf8"), "before");
    assert.deepEqual(await readdir(path()), ["a.parquet"]);
  });

  it("refuse columns of different lengths", async () => {
    const rows = { x: new Float32Array(2), y: new Float32Array(3) };
    await assert.rejects(writeParquet(path("a.parquet"), { x: "float32", y: "float32" }, [rows]), /lengths 2, 3/);
  });

  it("are refused where they cannot be read", async () => {
    const refuses = async (file: string, reason: string, message: RegExp, columns: Schema = { x: "float32" }) => {
      await assert.rejects(readAll([file], columns), { reason, message });
    };
    await writeFile(path("text.parquet"), "this is no Parquet file, but long enough to be one");
    await refuses(path("text.parquet"), "ARTIFACT_CORRUPT", /text\.parquet/);
    await refuses(path("none.parquet"), "FILE_NOT_FOUND", /none\.parquet/);
    await assert.rejects(readMetadata(path("none.parquet")), { reason: "FILE_NOT_FOUND" });
    await assert.rejects(readMetadata(path("text.parquet")), { reason: "ARTIFACT_CORRUPT" });

    await writeParquet(path("a.parquet"), { x: "float32", name: "string" }, [{ x: Float32Array.of(1), name: ["n"] }]);
    await refuses(path("a.parquet"), "ARTIFACT_CORRUPT", /"?y"?/, { y: "float32" });
    await refuses(path("a.parquet"), "ARTIFACT_CORRUPT", /column x has the type FLOAT, not INTEGER/, { x: "int32" });
    await refuses(path("a.parquet"), "ARTIFACT_CORRUPT", /column name has the type VARCHAR/, { name: "int32" });
  });

  it("are refused where they are cut off or damaged, in the middle of reading too", async () => {
    const x = Float32Array.from({ length: 400_000 }, (_, n) => Math.sin(n));
    await writeParquet(path("a.parquet"), { x: "float32" }, [{ x }]);
    const bytes = await readFile(path("a.parquet"));
    await writeFile(path("cut.parquet"), bytes.subarray(0, bytes.length - 100));
    await assert.rejects(readAll([path("cut.parquet")], { x: "float32" }), { reason: "ARTIFACT_CORRUPT" });
    const damaged = await open(path("a.parquet"), "r+");
    await damaged.write(new Uint8Array(5000), 0, 5000, Math.floor(0.8 * bytes.length));
    await damaged.close();
    await assert.rejects(readAll([path("a.parquet")], { x: "float32" }), { reason: "ARTIFACT_CORRUPT" });
  });

  it("fail with STORAGE_FAILED where they cannot be written", async () => {
    const write = writeParquet(path("none", "a.parquet"), { x: "float32" }, [{ x: Float32Array.of(1) }]);
    await assert.rejects(write, { reason: "STORAGE_FAILED", message: /none/ });
  });

  it("fail with STORAGE_FAILED on a full disk and leave no part of themselves", async function () {
    const small = path("small");
    await mkdir(small);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small], { stdio: "pipe" });
    } catch {
      console.log("skipped: a small file system cannot be mounted here");
      this.skip();
    }
    try {
      const x = Float32Array.from({ length: 400_000 }, (_, n) => Math.sin(n));
      await assert.rejects(writeParquet(join(small, "a.parquet"), { x: "float32" }, [{ x }]), {
        reason: "STORAGE_FAILED",
      });
      assert.deepEqual(await readdir(small), []);
    } finally {
      execFileSync("umount", ["-l", small]);
    }
  });
});

describe("Parquet files and pyarrow", () => {
  const path = temporaryFolder();
  const missing = missingPython("pyarrow");

  before(function () {
    if (missing === undefined) return;
    console.log(`skipped: ${missing}`);
    this.skip();
  });

  it("agree on what we write", async () => {
    await writeParquet(path("a.parquet"), schema, [rowsOf(0, 7)], { model: "0123" });
    const script = `
import json, sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
print(json.dumps([[str(field.type) for field in table.schema], table.schema.metadata[b"model"].decode(), table.to_pylist()]))`;
    const [types, model, rows] = JSON.parse(runPython(script, path("a.parquet"))) as [string[], string, object[]];
    assert.deepEqual(types, ["int32", "uint32", "uint64", "uint8", "float", "double", "string"]);
    assert.equal(model, "0123");
    const { id, x, exact, name } = rowsOf(0, 7);
    assert.deepEqual(
      rows.map((row) => [row["id" as never], row["x" as never], row["exact" as never], row["name" as never]]),
      Array.from(id, (_, n) => [id[n], x[n], exact[n], name[n]]),
    );
  });

  it("agree on what pyarrow writes, but for numbers that are missing", async () => {
    const script = `
import sys, pyarrow as pa, pyarrow.parquet as pq
for name, missing in (("whole", 3.0), ("gap", None)):
    x = pa.array([1.5, 2.5] * 1500 + [missing], pa.float32())
    pq.write_table(pa.table({"x": x}).replace_schema_metadata({"model": "0123"}), f"{sys.argv[1]}/{name}.parquet")`;
    runPython(script, path());
    const { x } = await readAll([path("whole.parquet")], { x: "float32" });
    assert.deepEqual([x?.length, x?.at(-1)], [3001, 3]);
    assert.equal((await readMetadata(path("whole.parquet"))).metadata.get("model"), "0123");
    await assert.rejects(readAll([path("gap.parquet")], { x: "float32" }), {
      reason: "ARTIFACT_CORRUPT",
      message: /missing in the column x/,
    });
  });
});
