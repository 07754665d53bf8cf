/** How far each task has come: what the next attempt at it need not do again. */
import type { ArtifactStore } from "../../core/artifacts.js";
import type { ArtifactRef } from "../../gen/cassl/v1/artifact_service.js";
import type { CheckpointSaved } from "../../gen/cassl/v1/worker_service.js";
import type { TaskTable } from "../state.js";

export interface TaskProgress {
  /** Forgets what refers to artifacts that are gone. */
  verify(taskId: string): Promise<void>;
  /** The checkpoint that the next attempt starts from. */
  resumePoint(taskId: string): ArtifactRef | undefined;
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

    resumePoint: (taskId) => state.checkpointOf(taskId)?.checkpoint,

    async replaceCheckpoint(taskId, checkpoint) {
      const former = checkpointHash(taskId);
      state.saveCheckpoint(taskId, checkpoint);
      if (former !== undefined && !state.isCheckpoint(former)) await artifacts.remove(former);
    },
  };
}
