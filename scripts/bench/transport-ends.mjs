/**
 * The two ends of the benchmark `transport`, one a process.
 *
 *     node transport-ends.mjs zeromq|grpc receive                       prints where, and at SIGTERM its peak in MB
 *     node transport-ends.mjs zeromq|grpc send ENDPOINT BYTES FRAMES    prints the seconds
 */
import { once } from "node:events";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { Dealer } from "zeromq";
import { serveFrames } from "../../dist/ts/controller/frames.js";
import { sha256 } from "../../dist/ts/core/hash.js";
import { ShardHeader, ShardReply } from "../../dist/ts/gen/cassl/v1/prediction_frame.js";
import { peakMb } from "./peak.mjs";

/** Frames that wait for an answer, of a worker. */
const UNDER_WAY = 4;
const MAX_MESSAGE_BYTES = 256 * 2 ** 20;
const HEADER_FIELD = 1;
const PAYLOAD_FIELD = 2;
const LENGTH_DELIMITED = 2;

/** One message of gRPC with what ZeroMQ has as two parts, as ts-proto would write it. */
const METHOD = {
  path: "/cassl.bench.Transport/Send",
  requestStream: true,
  responseStream: true,
  requestSerialize: ([header, payload]) => {
    const writer = new BinaryWriter();
    writer.uint32((HEADER_FIELD << 3) | LENGTH_DELIMITED).bytes(header);
    return Buffer.from(
      writer
        .uint32((PAYLOAD_FIELD << 3) | LENGTH_DELIMITED)
        .bytes(payload)
        .finish(),
    );
  },
  requestDeserialize: (bytes) => {
    const reader = new BinaryReader(bytes);
    reader.uint32();
    const header = ShardHeader.decode(reader.bytes());
    reader.uint32();
    return { header, payload: reader.bytes() };
  },
  responseSerialize: (reply) => Buffer.from(ShardReply.encode(reply).finish()),
  responseDeserialize: (bytes) => ShardReply.decode(bytes),
};

const receivers = {
  async zeromq() {
    const frames = await serveFrames("127.0.0.1");
    frames.answer({ commit: async () => "committed" }, { note: () => {} });
    return frames.endpoint;
  },
  async grpc() {
    const server = new Server({ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES });
    const answer = (call) => {
      call.on("data", ({ header }) => call.write({ task_id: header.task_id, shard: header.shard }));
      call.on("end", () => call.end());
    };
    server.addService({ send: METHOD }, { send: answer });
    const port = await new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return `127.0.0.1:${port}`;
  },
};

/** Each calls `onReply` for every answer, and returns what sends a frame. */
const senders = {
  zeromq(endpoint, onReply) {
    const dealer = new Dealer({ linger: 0 });
    dealer.connect(endpoint);
    void (async () => {
      for await (const [reply] of dealer) onReply(ShardReply.decode(reply));
    })();
    let last = Promise.resolve();
    return (header, payload) => {
      last = last.then(() => dealer.send([header, payload]));
    };
  },
  grpc(endpoint, onReply) {
    const client = new Client(endpoint, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = METHOD;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    call.on("data", onReply);
    return (header, payload) => void call.write([header, payload]);
  },
};

async function send(transport, endpoint, bytes, frames) {
  const payload = Buffer.alloc(bytes, 7);
  const about = { task_id: "bench", attempt: 1, image_count: 32, box_count: 100, sha256: sha256(payload), version: 2 };
  const headerOf = (shard) => ShardHeader.encode(ShardHeader.fromPartial({ ...about, shard })).finish();
  let [sent, answered] = [0, 0];
  const start = performance.now();
  await new Promise((resolve, reject) => {
    const post = senders[transport](endpoint, ({ error }) => {
      if (error !== undefined) return reject(new Error(JSON.stringify(error)));
      answered++;
      if (answered === frames) return resolve();
      if (sent < frames) post(headerOf(sent++), payload);
    });
    while (sent < Math.min(UNDER_WAY, frames)) post(headerOf(sent++), payload);
  });
  console.log((performance.now() - start) / 1000);
}

const [transport, side, endpoint, bytes, frames] = process.argv.slice(2);
if (side === "receive") {
  console.log(await receivers[transport]());
  await once(process, "SIGTERM");
  console.log(peakMb());
} else {
  await send(transport, endpoint, Number(bytes), Number(frames));
}
process.exit();
