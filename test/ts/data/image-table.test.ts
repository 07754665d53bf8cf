import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { findImages, type ImageQuery, imageTableSchema, storeImageTable } from "../../../ts/data/image-table.js";
import type { LedgerLine } from "../../../ts/data/ledger.js";
import { readMetadata, readParquet } from "../../../ts/parquet/index.js";
import { memoryArtifacts, temporaryFolder } from "./fixtures.js";

const LINES: LedgerLine[] = [
  {
    ...{ file_name: "a.jpg", split: "labeled", fate: "used", size_bytes: 2 ** 40, sha256: "00ff", width_px: 40 },
    ...{ height_px: 30, turned: false, picture_hash: "f000000100000abc", series: "b.jpg" },
  },
  { file_name: "https://example.org/\u00e9.jpg", split: "unlabeled", fate: "dropped", reason: "cannot be fetched" },
];

describe("the table of images", () => {
  const at = temporaryFolder();

  async function stored(lines: readonly LedgerLine[]): Promise<string> {
    const artifacts = memoryArtifacts();
    const { sha256 } = await storeImageTable(artifacts, lines);
    await writeFile(at("images.parquet"), await artifacts.read(sha256));
    return sha256;
  }

  it("has the lines of the ledger as rows, with nothing where nothing is known", async () => {
    await stored(LINES);
    const batches = [];
    for await (const batch of readParquet([at("images.parquet")], imageTableSchema)) batches.push(batch);
    assert.equal(batches.length, 1);
    assert.deepEqual(batches[0], {
      file_name: ["a.jpg", "https://example.org/\u00e9.jpg"],
      split: ["labeled", "unlabeled"],
      fate: ["used", "dropped"],
      reason: [null, "cannot be fetched"],
      detail: [null, null],
      size_bytes: BigUint64Array.of(2n ** 40n, 0n),
      sha256: ["00ff", null],
      picture_hash: ["f000000100000abc", null],
      series: ["b.jpg", null],
      width_px: Uint32Array.of(40, 0),
      height_px: Uint32Array.of(30, 0),
    });
  });

  it("holds more rows than fit into a batch, in their order, and is the same each time", async () => {
    const many = Array.from({ length: 70_000 }, (_, n) => ({ ...(LINES[n % 2] as LedgerLine), file_name: `${n}.jpg` }));
    const first = await stored(many);
    let row = 0;
    for await (const { file_name } of readParquet([at("images.parquet")], { file_name: "string" })) {
      for (const name of file_name) assert.equal(name, `${row++}.jpg`);
    }
    assert.equal(row, 70_000);
    assert.equal(await stored(many), first);
  });

  it("may be empty", async () => {
    await stored([]);
    assert.equal((await readMetadata(at("images.parquet"))).rows, 0);
  });

  it("gives the lines that are asked for, a page at a time, with their number", async () => {
    const many = Array.from({ length: 3000 }, (_, n) => ({ ...(LINES[n % 2] as LedgerLine), file_name: `${n}.JPG` }));
    await stored(many);
    const find = (query: Omit<ImageQuery, "limit">) => findImages(at("images.parquet"), { ...query, limit: 7 });
    const dropped = many.filter(({ fate }) => fate === "dropped");
    for (const offset of [0, 1495, 1600]) {
      const { total, lines } = await find({ where: { fate: "dropped" }, offset });
      assert.equal(total, dropped.length);
      assert.deepEqual(lines, dropped.slice(offset, offset + 7));
    }
    assert.deepEqual(await find({ containing: "299.jpg" }), {
      total: 3,
      lines: many.filter(({ file_name }) => file_name.endsWith("299.JPG")),
    });
    assert.equal((await find({ where: { reason: null } })).total, 1500);
    const { lines } = await find({ where: { file_name: "4.JPG" } });
    const { turned: _, ...known } = many[4] as LedgerLine;
    assert.deepEqual(lines, [known]);
  });

  it("takes what it compares with as text, whatever it looks like", async () => {
    const names = ["' OR 1=1 --", '"; DROP TABLE x; --', "$1", "%", "\u00c4.jpg"];
    await stored(names.map((file_name) => ({ file_name, split: "unlabeled", fate: "used" })));
    for (const name of names) {
      const file = at("images.parquet");
      assert.deepEqual((await findImages(file, { where: { file_name: name }, limit: 9 })).total, 1, name);
      assert.deepEqual((await findImages(file, { containing: name.toLowerCase(), limit: 9 })).total, 1, name);
    }
    await writeFile(at("images.parquet"), "no table");
    await assert.rejects(findImages(at("images.parquet"), { limit: 9 }), { reason: "ARTIFACT_CORRUPT" });
    await assert.rejects(findImages(at("nothing.parquet"), { limit: 9 }), { reason: "FILE_NOT_FOUND" });
  });
});
