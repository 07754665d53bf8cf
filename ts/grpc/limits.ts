/** The limits and pulses of connections, the same on both sides of one. */

/** A run's configuration is the largest message; artifacts come in small chunks. */
const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

/** Of clients and of the controller. */
export const CONNECTION_OPTIONS = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.keepalive_time_ms": 60_000,
  // Long, because a busy controller may answer late.
  "grpc.keepalive_timeout_ms": 60_000,
};

/** Of the controller, for each connection. */
export const SERVER_OPTIONS = {
  ...CONNECTION_OPTIONS,
  // What is more waits at the client.
  "grpc.max_concurrent_streams": 256,
  // In megabytes: frames and headers of a peer that does not read. Beyond it, streams are refused.
  "grpc-node.max_session_memory": 64,
};

/** How long an RPC may take that has one answer; a client that names no shorter time is given up then. */
export const UNARY_DEADLINE_MS = 60_000;

/** A request that is under way, and of which nothing comes for so long, is given up. */
export const REQUEST_SILENCE_MS = 60_000;
