import type { FrameKeys } from "../gen/cassl/v1/worker_service.js";

/** Where workers send their frames. */
export interface FrameRoute {
  /** Such as tcp://127.0.0.1:40123. */
  readonly endpoint: string;
  /** Keys for a worker. Undefined where frames are not encrypted. */
  admit(): FrameKeys | undefined;
  /** A worker with these keys can make no new connection. */
  expel(keys: FrameKeys): void;
}
