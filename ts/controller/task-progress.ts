/** How far each task has come: what the next attempt at it need not do again. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { CheckpointSaved, Lease } from "../gen/cassl/v1/worker_service.js";
import type { TaskTable } from "./state.js";

export interface TaskProgress {
  /** Forgets what refers to artifacts that are gone. */
  verify(taskId: string): Promise<void>;
  /** What a lease says of earlier attempts. */
  resumePoint(taskId: string): Pick<Lease, "resume_from" | "committed_shards">;
  /** Makes `checkpoint`, or none, the one to go on from, and removes the artifact of the former. */
  replaceCheckpoint(taskId: string, checkpoint: CheckpointSaved | undefined): Promise<void>;
}

export function createTaskProgress(state: TaskTable, artifacts: ArtifactStore): TaskProgress {
  const isHeld = async (sha256: string): Promise<boolean> => (await artifacts.stat(sha256)) !== undefined;
  const checkpointHash = (taskId: string): string | undefined => state.checkpointOf(taskId)?.checkpoint?.sha256;

  return {
    async verify(taskId) {
      const checkpoint = checkpointHash(taskId);
      if (checkpoint !== undefined && !(await isHeld(checkpoint))) state.saveCheckpoint(taskId, undefined);
      for (const { shard, sha256 } of state.shardsOf(taskId)) {
        if (!(await isHeld(sha256))) state.removeShard(taskId, shard);
      }
    },

    resumePoint: (taskId) => ({
      resume_from: state.checkpointOf(taskId)?.checkpoint,
      committed_shards: state.shardsOf(taskId).map(({ shard }) => shard),
    }),

    async replaceCheckpoint(taskId, checkpoint) {
      const former = checkpointHash(taskId);
      state.saveCheckpoint(taskId, checkpoint);
      if (former !== undefined && !state.isCheckpoint(former)) await artifacts.remove(former);
    },
  };
}
