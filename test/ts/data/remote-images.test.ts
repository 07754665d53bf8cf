import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { sha256 } from "../../../ts/core/hash.js";
import { type CuratedData, curate } from "../../../ts/data/curate.js";
import type { Inspection } from "../../../ts/data/inspect-image.js";
import type { LedgerLine } from "../../../ts/data/ledger.js";
import { decodeManifest } from "../../../ts/data/manifest.js";
import type { DataSources } from "../../../ts/data/sources.js";
import { openImageCache } from "../../../ts/images/image-cache.js";
import { createImageStore } from "../../../ts/images/image-store.js";
import { type ImageServer, startImageServer } from "../images/image-server.js";
import { cocoDocument, memoryArtifacts, policies, scene, temporaryFolder, writeImage, writeJson } from "./fixtures.js";

describe("curation of images that are elsewhere", () => {
  const at = temporaryFolder();
  let server: ImageServer;
  let data: DataSources;
  let artifacts: ReturnType<typeof memoryArtifacts>;
  const inspections = new Map<string, Inspection>();

  beforeEach(async () => {
    inspections.clear();
    artifacts = memoryArtifacts();
    server = await startImageServer(await scene(10).jpeg().toBuffer());
    for (const id of [1, 2]) {
      await writeImage(at(`train/${id}.jpg`), id);
      server.images.set(`/val/${id}.jpg`, await scene(id, 32, 24).jpeg().toBuffer());
    }
    await writeJson(at("train.json"), cocoDocument([1, 2]));
    await writeJson(at("val.json"), cocoDocument([1, 2]));
    await list("/image.jpg");
    data = {
      labeled: { annotations: at("train.json"), images: at("train") },
      unlabeled: { images: [at("list.txt")], rest_of_labeled: false },
      validation: { annotations: at("val.json"), images: `${server.origin}/val` },
      ...policies,
      remote: { ...policies.remote, hosts: [server.host], retries_after_ms: [1] },
    };
  });
  afterEach(() => server.close());

  const list = (...names: string[]): Promise<void> =>
    writeFile(at("list.txt"), names.map((name) => (name.startsWith("/") ? server.origin + name : name)).join("\n"));

  const run = async (change: Partial<DataSources> = {}): Promise<CuratedData> => {
    const changed = { ...data, ...change };
    await mkdir(at("cache"), { recursive: true });
    return curate(changed, 0, {
      artifacts,
      inspections: {
        find: (path, { mtime_ms }) => inspections.get(`${path} ${mtime_ms}`),
        save: (path, { mtime_ms }, inspection) => void inspections.set(`${path} ${mtime_ms}`, inspection),
      },
      images: createImageStore(changed.remote, openImageCache(at("cache"), 1e9)),
      signal: new AbortController().signal,
      onProgress: () => {},
    });
  };
  const ledger = async (curated: CuratedData): Promise<LedgerLine[]> =>
    Buffer.from(await artifacts.read(curated.ledger.sha256))
      .toString()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as LedgerLine);

  it("uses them under their URIs, beside those on this machine", async () => {
    const curated = await run();
    const { images } = decodeManifest(await artifacts.read(curated.validation.sha256));
    assert.deepEqual(
      images.map(({ file_name, sha256: hash }) => [file_name, hash]),
      [1, 2].map((id) => [
        `${server.origin}/val/${id}.jpg`,
        sha256(server.images.get(`/val/${id}.jpg`) ?? new Uint8Array()),
      ]),
    );
    const unlabeled = decodeManifest(await artifacts.read(curated.unlabeled.sha256)).images;
    assert.deepEqual(
      unlabeled.map(({ file_name, width_px }) => [file_name, width_px]),
      [[`${server.origin}/image.jpg`, 320]],
    );
    assert.equal(curated.image_root, at());
  });

  it("finds them by the URLs of a COCO file", async () => {
    const document = cocoDocument([1, 2]);
    for (const image of document.images) {
      image["coco_url"] = `${server.origin}/val/${String(image["id"])}.jpg`;
      image["file_name"] = "elsewhere.jpg";
    }
    await writeJson(at("val.json"), document);
    const curated = await run({ validation: { annotations: at("val.json"), images: "coco_url" } });
    assert.equal(curated.counts.validation, 2);
  });

  it("keeps copies of validation images out, wherever either is", async () => {
    server.images.set("/copy.jpg", await scene(1, 32, 24).jpeg({ quality: 95 }).toBuffer());
    await list("/copy.jpg", "/image.jpg");
    const lines = await ledger(await run());
    assert.equal(
      lines.find(({ file_name }) => file_name.endsWith("/copy.jpg"))?.reason,
      "near-duplicate of a validation image",
    );
  });

  it("names those that cannot be had, or refuses them", async () => {
    const other = "http://example.invalid/1.jpg";
    await list("/image.jpg", "/nothing", "/cut", "/broken", other);
    const lines = await ledger(await run({ bad_images: "drop" }));
    const dropped = lines.filter(({ fate }) => fate === "dropped");
    assert.deepEqual(
      dropped.map(({ file_name, reason, detail }) => [file_name.replace(server.origin, ""), reason, detail]).sort(),
      [
        ["/broken", "cannot be fetched", "the server answers 503"],
        ["/cut", "cannot be fetched", dropped.find(({ file_name }) => file_name.endsWith("/cut"))?.detail],
        ["/nothing", "cannot be fetched", "the server answers 404"],
        [other, "cannot be fetched", "data.remote.hosts does not name its host, example.invalid"],
      ],
    );
    await assert.rejects(run(), { reason: "IMAGE_INVALID", message: /\/nothing: the server answers 404/ });
  });

  it("ends where their host cannot be reached: what was found out is kept", async () => {
    await run();
    const asked = server.asked.length;
    await run();
    assert.equal(server.asked.length, asked);
    server.close();
    await list("/image.jpg", "/new.jpg");
    await assert.rejects(run({ bad_images: "drop" }), { reason: "IMAGE_UNREACHABLE" });
  });

  it("looks at them again when it is told that they have changed", async () => {
    const first = await run();
    server.images.set("/image.jpg", await scene(11).jpeg().toBuffer());
    assert.equal((await run()).unlabeled.sha256, first.unlabeled.sha256);
    const changed = await run({ remote: { ...data.remote, version: 2 } });
    assert.notEqual(changed.unlabeled.sha256, first.unlabeled.sha256);
  });
});

describe("an image that is elsewhere", () => {
  const at = temporaryFolder();

  it("is refused if it has changed since it was known", async () => {
    const server = await startImageServer(Buffer.from("image"));
    try {
      const remote = { ...policies.remote, hosts: [server.host] };
      const store = createImageStore(remote, openImageCache(at("cache"), 1e9));
      const uri = `${server.origin}/image.jpg`;
      await assert.rejects(store.pathOf(uri, sha256("another")), { reason: "IMAGE_INVALID", message: /no longer/ });
      assert.ok((await store.pathOf(uri, sha256("image"))).startsWith(at("cache")));
    } finally {
      server.close();
    }
  });
});
