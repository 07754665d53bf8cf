import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";

/** Content-addressed blobs. An artifact is named by the SHA-256 of its bytes and never changes. */
export interface ArtifactStore {
  /** Stores bytes; storing them twice is harmless. STORAGE_FAILED if the disk is full. */
  put(bytes: Uint8Array): Promise<ArtifactRef>;
  /**
   * Stores a stream under the hash that it claims to have.
   * ARTIFACT_CORRUPT if its bytes have another hash or size; nothing is stored then.
   */
  putStream(ref: ArtifactRef, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Stores the file that `write` makes at the path that it is given. Its errors pass through; nothing is stored then. */
  putFile(write: (path: string) => Promise<void>): Promise<ArtifactRef>;
  /** The bytes of a whole artifact. ARTIFACT_NOT_FOUND if there is none. */
  read(sha256: string): Promise<Uint8Array>;
  /** The file that holds the artifact, for readers that want a path. ARTIFACT_NOT_FOUND if there is none. */
  path(sha256: string): Promise<string>;
  /** Undefined if there is no such artifact, or one that does not have the bytes that it is named by. */
  stat(sha256: string): Promise<ArtifactRef | undefined>;
  remove(sha256: string): Promise<void>;
}
