"""Selects with pyarrow, numpy and torchvision from the predictions in a folder of labels-data.mjs. Prints JSON."""

import hashlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torchvision.ops import batched_nms

POLICY: dict[str, Any] = json.loads((Path(__file__).parent / "labels-policy.json").read_text())
CORNERS = ("x0", "y0", "x1", "y1")


def main(folder: Path) -> None:
    out = folder / "selected-reference.parquet"
    shards = json.loads((folder / "manifest.json").read_text())["shards"]
    start = time.perf_counter()
    writer: pq.ParquetWriter | None = None
    for shard in shards:
        selected = select(pq.read_table(folder / shard["sha256"]))
        writer = writer or pq.ParquetWriter(out, selected.schema, compression="zstd")
        writer.write_table(selected)
    if writer is not None:
        writer.close()
    seconds = time.perf_counter() - start
    cpu_seconds = time.process_time()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    measured = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": peak_mb}
    print(json.dumps(measured | {"digest": digest_of(out)}))


def select(table: pa.Table) -> pa.Table:
    """The pseudo labels of a shard, whose rows are sorted by image."""
    image = table["image"].to_numpy()
    boxes = np.stack([table[name].to_numpy() for name in CORNERS], axis=1).astype(np.float64)
    scores, classes = table["score"].to_numpy().astype(np.float64), table["class"].to_numpy()
    sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    passing = np.flatnonzero((scores >= POLICY["score_threshold"]) & (sides > 0) & (sides >= POLICY["min_side_px"]))
    kept = []
    for rows in np.split(passing, np.flatnonzero(np.diff(image[passing])) + 1):
        best = batched_nms(
            torch.from_numpy(boxes[rows]),
            torch.from_numpy(scores[rows]),
            torch.from_numpy(classes[rows]),
            POLICY["nms_iou"],
        )
        kept.append(rows[best.numpy()[: POLICY["max_per_image"]]])
    return table.take(np.concatenate(kept))


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    for batch in pq.ParquetFile(path).iter_batches(batch_size=65_536):
        rows = np.stack([batch[name].to_numpy() for name in ("image", *CORNERS, "score")], axis=1)
        digest.update(rows.astype("<f8").tobytes())
    path.unlink()
    return digest.hexdigest()


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(Path(sys.argv[1]))
