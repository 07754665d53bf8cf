/**
 * One prediction, spread over workers: each is given shards that take it some seconds. Towards the end, whoever is idle
 * takes over shards that others have but did not get to; what is committed first counts.
 */
import type { PredictProgress } from "../../gen/cassl/v1/worker_service.js";
import type { HeldLease } from "./lease.js";

export interface Labelling {
  readonly imageCount: number;
  readonly shardSize: number;
  /** Shards that are not committed. */
  readonly open: Set<number>;
  /** Images a second of each worker, as it says. */
  readonly speeds: Map<string, number>;
  /** Monotonic time in ms of the last commit of each attempt. */
  readonly commits: Map<number, number>;
}

/** How long the shards of a lease should take. Longer ones share worse, shorter ones pay more for their beginning. */
const LEASE_SECONDS = 10;
/** A lease of which nothing has been committed for so long is stuck, or its worker is very slow. */
const STALL_MS = 30_000;
/** Who has a shard beside the first is enough; more would only compete with it. */
const MAX_HOLDERS = 2;

export function createLabelling(imageCount: number, shardSize: number, committed: readonly number[]): Labelling {
  const open = new Set(Array.from({ length: Math.ceil(imageCount / shardSize) }, (_, shard) => shard));
  for (const shard of committed) open.delete(shard);
  return { imageCount, shardSize, open, speeds: new Map(), commits: new Map() };
}

/**
 * The shards that a worker without any is to do, in their order; none if all are given to someone.
 * A worker whose speed is not known starts with one. Shares shrink as the end comes near, so that all end together.
 */
export function nextShards(
  { open, speeds, shardSize }: Labelling,
  leases: Iterable<HeldLease>,
  workerId: string,
  workerCount: number,
): number[] {
  const given = new Set([...leases].flatMap(({ shards }) => shards));
  const free = [...open].filter((shard) => !given.has(shard));
  const bySpeed = Math.floor(((speeds.get(workerId) ?? 0) * LEASE_SECONDS) / shardSize);
  const fairShare = Math.ceil(free.length / (2 * workerCount));
  return free.slice(0, Math.max(1, Math.min(bySpeed, fairShare)));
}

/**
 * The shards that a worker is to do although another one has them: the half that the one who has most left would come
 * to last, last one first, so that the two meet in the middle. The shard that someone is at is left to him, unless he
 * has been stuck at it.
 * @param now monotonic time in ms.
 */
export function shardsToTakeOver(
  { open, commits }: Labelling,
  leases: Iterable<HeldLease>,
  workerId: string,
  now: number,
): number[] {
  const all = [...leases];
  const holders = (shard: number): number => all.filter(({ shards }) => shards.includes(shard)).length;
  const candidates = all
    .filter((lease) => lease.workerId !== workerId)
    .map((lease) => {
      const left = lease.shards.filter((shard) => open.has(shard) && holders(shard) < MAX_HOLDERS);
      const isStuck = now - (commits.get(lease.attempt.attempt) ?? lease.since) > STALL_MS;
      return left.slice(isStuck ? 0 : Math.ceil(left.length / 2));
    });
  const most = candidates.reduce((best, left) => (left.length > best.length ? left : best), []);
  return most.toReversed();
}

/** The first shard of the lease that is not committed: the one that its worker was at. */
export function shardUnderWay({ open }: Labelling, { shards }: HeldLease): number {
  return shards.find((shard) => open.has(shard)) ?? -1;
}

/** Of the whole prediction. */
export function progressOf(
  { imageCount, shardSize, open, speeds }: Labelling,
  leases: Iterable<HeldLease>,
): PredictProgress {
  const left = [...open].reduce((sum, shard) => sum + imagesOf(shard, imageCount, shardSize), 0);
  const workers = new Set([...leases].map(({ workerId }) => workerId));
  const speed = [...workers].reduce((sum, id) => sum + (speeds.get(id) ?? 0), 0);
  return { images_done: imageCount - left, total_images: imageCount, images_per_second: speed };
}

/** Images in a shard: the last one of a dataset may be smaller than the others. */
export function imagesOf(shard: number, imageCount: number, shardSize: number): number {
  return Math.min(shardSize, imageCount - shard * shardSize);
}
