/** Whatever comes over the network, the controller goes on serving, and says what is wrong with a reason. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMethod } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { Dealer } from "zeromq";
import { CasslClient } from "../../../ts/client/client.js";
import { mapConcurrently } from "../../../ts/core/concurrency.js";
import { version } from "../../../ts/core/package.js";
import { seededRandom } from "../../../ts/core/random.js";
import { CreateRunRequest } from "../../../ts/gen/cassl/v1/controller_service.js";
import { ShardHeader } from "../../../ts/gen/cassl/v1/prediction_frame.js";
import { AttachRequest, Register } from "../../../ts/gen/cassl/v1/worker_service.js";
import { descriptors } from "../../../ts/grpc/descriptors.js";
import { fromRichStatus } from "../../../ts/grpc/rich-status.js";
import { STATUS_KEY } from "../../../ts/grpc/status.js";
import { addressOf, cassl, type Running } from "../../integration/project.js";
import { makeCellsProject } from "../controller/cells-project.js";
import { attachWorker } from "../controller/fake-worker.js";
import { mutated, pick, type Random, randomBytes, randomMessage } from "./hostile-messages.js";

const SEED = 20261126;
const CALLS_PER_RPC = 160;
const CALLS_AT_ONCE = 16;
/** A stream that goes on is left after so long. */
const PATIENCE_MS = 150;
const MOST_MEGABYTES = 600;

const methods = [...descriptors()].flatMap((type) => (type.kind === "service" ? type.methods : []));

describe("a controller under fire", function () {
  this.timeout(60_000);
  let folder: string;
  let server: Running;
  let address: string;
  let client: Client;
  let random: Random;
  /** Requests that would be taken. */
  let goodRun: Uint8Array;
  const goodWorker = AttachRequest.encode({
    message: {
      $case: "register",
      value: Register.fromPartial({ name: "a", version, families: ["light"], devices: ["cpu"] }),
    },
  }).finish();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-fuzz-"));
    const config = await makeCellsProject(folder);
    goodRun = CreateRunRequest.encode(CreateRunRequest.create({ run_id: "good", config })).finish();
    server = cassl(["serve", "--listen", "127.0.0.1:0", "--workers", "0", "--workspace", join(folder, ".cassl")]);
    address = await addressOf(server);
    client = new Client(address, credentials.createInsecure());
  });
  beforeEach(() => {
    random = seededRandom(SEED);
  });
  afterEach(async () => {
    assert.equal(server.child.exitCode, null, "the controller has ended");
    const asking = new CasslClient(address, { timeoutSeconds: 30 });
    assert.ok(Array.isArray(await asking.listWorkers()));
    asking.close();
    const memory = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.child.pid}/status`, "utf8"))?.[1];
    assert.ok(Number(memory) / 1024 < MOST_MEGABYTES, `the controller takes ${memory} kB`);
  });
  after(async () => {
    client.close();
    server.child.kill("SIGTERM");
    const { stderr } = await server.finished;
    assert.doesNotMatch(stderr, /Error|Warning/);
    await rm(folder, { recursive: true });
  });

  /** Sends messages as a stream, which on the wire is what every RPC takes, and returns how the call ended. */
  const converse = (path: string, messages: readonly Uint8Array[]): Promise<StatusObject> =>
    new Promise((resolve) => {
      const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
      const call = client.makeBidiStreamRequest(path, bytes, (value) => value, new Metadata());
      const leaving = setTimeout(() => call.cancel(), PATIENCE_MS);
      call.on("data", () => {});
      call.on("error", () => {});
      call.on("status", (end) => {
        clearTimeout(leaving);
        resolve(end);
      });
      for (const message of messages) call.write(message);
      call.end();
    });

  const describesItself = (end: StatusObject, what: string): void => {
    if (end.code === status.OK || end.code === status.CANCELLED) return;
    const [bytes] = end.metadata.get(STATUS_KEY);
    const error = bytes instanceof Buffer ? fromRichStatus(bytes) : undefined;
    assert.ok(error !== undefined, `${what} ended with ${status[end.code]}, without a reason: ${end.details}`);
    assert.notEqual(error.reason, "INTERNAL", `${what}: ${error.message} ${String((error.cause as Error)?.message)}`);
    assert.notEqual(error.message, "");
  };

  const messageOf = ({ input, name }: DescMethod, position: number): Uint8Array => {
    const good = name === "CreateRun" ? goodRun : name === "Attach" && position === 0 ? goodWorker : undefined;
    const message = good !== undefined && random() < 0.7 ? good : randomMessage(input, random);
    return random() < 0.5 ? message : mutated(message, random);
  };

  for (const method of methods.filter(({ parent }) => parent.typeName !== "grpc.health.v1.Health")) {
    const path = `/${method.parent.typeName}/${method.name}`;
    it(`answers ${CALLS_PER_RPC} random and mutated calls of ${path.slice(1)}`, async () => {
      const streams = method.methodKind === "bidi_streaming" || method.methodKind === "client_streaming";
      const calls = Array.from({ length: CALLS_PER_RPC }, () =>
        Array.from({ length: streams ? Math.floor(random() * 6) : 1 }, (_, position) => messageOf(method, position)),
      );
      const ends = await mapConcurrently(calls, CALLS_AT_ONCE, (messages) => converse(path, messages));
      ends.forEach((end, index) => describesItself(end, `call ${index}`));
    });
  }

  it("keeps a worker attached while others send results of what they were never given", async () => {
    const honest = attachWorker(address, { name: "honest" });
    const { worker_id } = await honest.next("welcome");
    for (let call = 0; call < 20; call++) {
      const liar = attachWorker(address, { name: pick(random, ["", "x".repeat(5000), "\0"]) });
      await liar.next("welcome");
      const task_attempt = { task_id: pick(random, ["", "t"]), attempt: pick(random, [-1, 0, 1]) };
      liar.send({ $case: "result", value: { task_attempt, result: undefined } });
      liar.send({ $case: "event", value: { task_attempt, event: undefined } });
      liar.die();
    }
    const asking = new CasslClient(address);
    assert.ok((await asking.listWorkers()).some((worker) => worker.worker_id === worker_id));
    asking.close();
    honest.die();
  });

  it("outlives garbage on its gRPC port", async () => {
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const starts = [
      Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
      Buffer.from([0x16, 3, 1, 2, 0, 1]),
      preface,
      Buffer.concat([preface, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]),
      Buffer.alloc(0),
    ];
    const volleys = Array.from({ length: 100 }, () => Buffer.concat([pick(random, starts), randomBytes(random, 3000)]));
    await mapConcurrently(volleys, CALLS_AT_ONCE, (bytes) => fire(address, bytes));
  });

  it("outlives garbage on its ZeroMQ port", async () => {
    const worker = attachWorker(address);
    const { frames_endpoint } = await worker.next("welcome");
    worker.die();
    const bytes = Array.from({ length: 100 }, () => Buffer.from(randomBytes(random, 3000)));
    await mapConcurrently(bytes, CALLS_AT_ONCE, (volley) => fire(frames_endpoint.replace("tcp://", ""), volley));
    const dealer = new Dealer({ linger: 0 });
    dealer.connect(frames_endpoint);
    const header = descriptors().getMessage("cassl.v1.ShardHeader");
    assert.ok(header !== undefined);
    for (let message = 0; message < 300; message++) {
      const first = random() < 0.5 ? randomMessage(header, random) : randomBytes(random, 100);
      const rest = Array.from({ length: Math.floor(random() * 4) }, () => randomBytes(random, 1000));
      await dealer.send([first, ...rest]);
    }
    const whole = ShardHeader.encode(ShardHeader.create({ task_id: "none" })).finish();
    await dealer.send([whole, Buffer.from("payload")]);
    await dealer.receive();
    dealer.close();
  });
});

/** Sends bytes over a bare connection, which the other side may break off. */
function fire(address: string, bytes: Buffer): Promise<void> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve) => {
    const socket = connectSocket(Number(port), host, () => socket.end(bytes));
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.resume();
    setTimeout(() => socket.destroy(), PATIENCE_MS).unref();
  });
}
