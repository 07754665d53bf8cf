import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { certify, LIMITS, requireParity } from "../../../../ts/evaluation/onnx/certify.js";
import { readProof } from "../../../../ts/evaluation/onnx/proof.js";

const golden = join(packageRoot, "test/golden/detections-model.onnx");

describe("certify", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-certify-test-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** The golden model with some of its bytes exchanged for others of the same length. */
  const changed = async (from: string, to: string, original = golden): Promise<string> => {
    const bytes = await readFile(original);
    const at = bytes.indexOf(from, "latin1");
    assert.ok(at >= 0 && from.length === to.length);
    bytes.write(to, at, "latin1");
    const path = join(folder, "changed.onnx");
    await writeFile(path, bytes);
    return path;
  };

  it("passes a model that gives what torch gave, at both batch sizes", async () => {
    const certificate = await certify(golden);
    assert.equal(certificate.passed, true);
    assert.deepEqual(
      certificate.batches.map(({ images_per_batch, detections, unmatched, agreement_ap }) => [
        images_per_batch,
        detections,
        unmatched,
        Math.round(1e6 * (agreement_ap ?? 0)) / 1e6,
      ]),
      [
        [1, 2, 0, 1],
        [2, 2, 0, 1],
      ],
    );
    for (const { box_px, score } of certificate.batches) assert.ok(box_px < 1e-4 && score < 1e-5);
  });

  it("fails a model that computes something else", async () => {
    // Red and green, not red and blue: where the constant `colors` says which channels count.
    const model = await changed("\u0002\0\0\0\0\0\0\0", "\u0001\0\0\0\0\0\0\0");
    const { passed, batches } = await certify(model);
    assert.equal(passed, false);
    assert.ok(batches.every(({ score, unmatched }) => score > 0.5 && unmatched > 0));
    await assert.rejects(requireParity(model), { reason: "MODEL_INVALID", message: /does not give what torch gave/ });
  });

  it("fails a model that is fed in another way than it was trained", async () => {
    const model = await changed('"pad_value": 127', '"pad_value": 255');
    const { passed } = await certify(model);
    assert.equal(passed, false);
  });

  describe("of masks", () => {
    for (const kind of ["prototypes", "regions"]) {
      it(`passes a model whose masks are torch's: ${kind}`, async () => {
        const { passed, batches } = await certify(join(packageRoot, `test/golden/${kind}-model.onnx`));
        assert.equal(passed, true);
        assert.deepEqual(
          batches.map(({ detections, unmatched, mask_pixels }) => [detections, unmatched, mask_pixels]),
          [
            [2, 0, 0],
            [2, 0, 0],
          ],
        );
      });
    }

    it("fails a model that gives other masks", async () => {
      const prototypes = join(packageRoot, "test/golden/prototypes-model.onnx");
      const { masks = [] } = (await readProof(prototypes))[0] ?? {};
      const counts = masks[0] as string;
      assert.match(counts, /^a.*`_1$/);
      // Three pixels further up: the first run, of zeros, is shorter, and the last one longer.
      const model = await changed(counts, `^${counts.slice(1, -3)}c_1`, prototypes);
      const { passed, batches } = await certify(model);
      assert.equal(passed, false);
      assert.ok(batches.every(({ mask_pixels }) => (mask_pixels as number) > LIMITS.mask_pixels));
    });

    it("refuses a proof without masks, and one with too few", async () => {
      const prototypes = join(packageRoot, "test/golden/prototypes-model.onnx");
      const without = await changed('"masks": []', '"other": []', prototypes);
      await assert.rejects(certify(without), { reason: "MODEL_INVALID", message: /its proof has none/ });
      const few = await changed(', "masks": []', ',"masks":[""]', prototypes);
      await assert.rejects(certify(few), { reason: "MODEL_INVALID", message: /not as many masks as detections/ });
    });
  });

  it("refuses a model without a proof, and one whose proof is damaged", async () => {
    const without = await changed("cassl_proof", "other_proof");
    await assert.rejects(certify(without), { reason: "MODEL_INVALID", message: /carries no proof/ });
    const damaged = await changed('"probes"', '"probed"');
    await assert.rejects(certify(damaged), { reason: "MODEL_INVALID", message: /proof in .* is damaged/ });
  });

  it("stops when the signal aborts", () =>
    assert.rejects(certify(golden, AbortSignal.abort()), { reason: "CANCELLED" }));

  it("reads the images that the model carries", async () => {
    const probes = await readProof(golden);
    assert.deepEqual(
      probes.map(({ name, boxes, detections }) => [name, boxes.length, detections.length]),
      [
        ["cells", 48, 12],
        ["nothing", 48, 0],
      ],
    );
  });
});
