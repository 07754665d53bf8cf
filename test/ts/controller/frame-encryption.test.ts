import assert from "node:assert/strict";
import { curveKeyPair, Dealer, type EventType } from "zeromq";
import { noFrames } from "../../../ts/controller/frame-counts.js";
import { decodeZ85 } from "../../../ts/controller/frame-encryption.js";
import { type FrameServer, serveFrames } from "../../../ts/controller/frames.js";
import type { ShardLedger } from "../../../ts/controller/shards.js";
import { ShardHeader, ShardReply } from "../../../ts/gen/cassl/v1/prediction_frame.js";
import type { FrameKeys } from "../../../ts/gen/cassl/v1/worker_service.js";
import { freePort } from "../../free-ports.js";

/** What every frame is answered with is not of interest here: that it is answered is. */
const ledger = { commit: async () => "committed" } as unknown as ShardLedger;
const tally = { note: () => {}, ofTask: noFrames, total: noFrames() };

describe("the port of frames", () => {
  it("is refused if it is taken", async () => {
    const first = await serveFrames("127.0.0.1");
    first.answer(ledger, tally);
    const port = Number(first.endpoint.split(":").at(-1));
    await assert.rejects(serveFrames("127.0.0.1", { port }), {
      reason: "ADDRESS_UNAVAILABLE",
      message: new RegExp(`127\\.0\\.0\\.1:${port}`),
    });
    await first.close();
  });

  it("is the one that is asked for", async () => {
    const port = await freePort();
    const frames = await serveFrames("127.0.0.1", { port });
    assert.equal(frames.endpoint, `tcp://127.0.0.1:${port}`);
    frames.answer(ledger, tally);
    await frames.close();
  });
});

describe("encrypted frames", () => {
  let server: FrameServer;
  const dealers: Dealer[] = [];

  beforeEach(async () => {
    server = await serveFrames("127.0.0.1", { encrypted: true });
    server.answer(ledger, tally);
  });
  afterEach(async () => {
    for (const dealer of dealers.splice(0)) dealer.close();
    await server.close();
  });

  function dial(keys: FrameKeys | undefined): Dealer {
    const curve =
      keys === undefined
        ? {}
        : {
            curveServerKey: keys.server_public_key,
            curvePublicKey: keys.client_public_key,
            curveSecretKey: keys.client_secret_key,
          };
    const dealer = new Dealer({ linger: 0, ...curve });
    dealers.push(dealer);
    return dealer;
  }

  async function exchange(dealer: Dealer): Promise<ShardReply> {
    dealer.connect(server.endpoint);
    await dealer.send([ShardHeader.encode(ShardHeader.create({ shard: 7 })).finish(), Buffer.alloc(0)]);
    const [reply] = await dealer.receive();
    return ShardReply.decode(reply as Buffer);
  }

  async function isShutOut(dealer: Dealer, event: EventType): Promise<void> {
    const refusal = new Promise((resolve) => dealer.events.on(event, resolve));
    dealer.connect(server.endpoint);
    await refusal;
  }

  it("come from a worker that was given keys", async () => {
    assert.equal((await exchange(dial(server.admit()))).shard, 7);
  });

  it("are not taken from who has no keys, made keys of its own, or was expelled", async () => {
    const keys = server.admit() as FrameKeys;
    await isShutOut(dial(undefined), "handshake:error:protocol");
    const own = curveKeyPair();
    const forged = { ...keys, client_public_key: own.publicKey, client_secret_key: own.secretKey };
    await isShutOut(dial(forged), "handshake:error:auth");
    server.expel(keys);
    await isShutOut(dial(keys), "handshake:error:auth");
  });

  it("are not sent to who is not the controller", async () => {
    const keys = server.admit() as FrameKeys;
    const impostor = { ...keys, server_public_key: curveKeyPair().publicKey };
    await isShutOut(dial(impostor), "disconnect");
  });

  it("are plain on loopback unless they are asked for", async () => {
    const plain = await serveFrames("127.0.0.1");
    assert.equal(plain.admit(), undefined);
    await plain.close();
  });

  it("have keys in Z85", () => {
    // The example of https://rfc.zeromq.org/spec/32.
    assert.deepEqual(decodeZ85("HelloWorld"), Buffer.from("864fd26fb559f75b", "hex"));
  });
});
