import assert from "node:assert/strict";
import { download, FetchFault, type RemoteConfig } from "../../../ts/images/download.js";
import { type ImageServer, startImageServer } from "./image-server.js";

const SAMPLE = Buffer.alloc(5000, "image");

describe("a download", () => {
  let server: ImageServer;
  let remote: RemoteConfig;
  beforeEach(async () => {
    server = await startImageServer(SAMPLE);
    remote = {
      hosts: [server.host, "bucket"],
      timeout_seconds: 5,
      s3_endpoint: `${server.origin}/s3/`,
      version: 1,
      retries_after_ms: [1, 1],
    };
  });
  afterEach(() => server.close());

  const get = (path: string): Promise<Buffer> => download(`${server.origin}${path}`, remote);
  const isFault = (message: RegExp) => (error: Error) => error instanceof FetchFault && message.test(error.message);

  it("gives all bytes, after a redirect on the same host too", async () => {
    assert.deepEqual(await get("/image.jpg"), SAMPLE);
    assert.deepEqual(await get("/moved"), SAMPLE);
  });

  it("is tried again while the server is busy", async () => {
    assert.deepEqual(await get("/busy"), SAMPLE);
    assert.equal(server.asked.length, 3);
  });

  it("is given up after some attempts, with what the server says", async () => {
    await assert.rejects(get("/broken"), isFault(/answers 503/));
    assert.equal(server.asked.length, 3);
  });

  it("is cut off where fewer bytes arrive than were announced", async () => {
    await assert.rejects(get("/cut"), isFault(/cut off/));
    assert.equal(server.asked.length, 3);
  });

  it("is given up where the bytes stop coming", async () => {
    remote = { ...remote, timeout_seconds: 0.05 };
    await assert.rejects(get("/slow"), isFault(/in time/));
  });

  it("is not tried again where that is no use", async () => {
    await assert.rejects(get("/nothing"), isFault(/answers 404/));
    await assert.rejects(get("/huge"), isFault(/more than 536870912 bytes/));
    await assert.rejects(get("/empty"), isFault(/is empty/));
    assert.deepEqual(server.asked, ["/nothing", "/huge", "/empty"]);
  });

  it("follows no redirect to another host, nor redirects without end", async () => {
    await assert.rejects(get("/elsewhere"), isFault(/another host/));
    await assert.rejects(get("/loop"), isFault(/more than 5 times/));
  });

  it("asks no host that is not named", async () => {
    const named = { ...remote, hosts: ["127.0.0.1"] };
    await assert.rejects(
      download(`${server.origin}/image.jpg`, named),
      isFault(/does not name its host, 127\.0\.0\.1:/),
    );
    await assert.rejects(download("ftp://bucket/image.jpg", remote), isFault(/starts with ftp:/));
    await assert.rejects(download(`http://me:secret@${server.host}/image.jpg`, remote), isFault(/password/));
    await assert.rejects(download("http://", remote), isFault(/no URI/));
    assert.deepEqual(server.asked, []);
  });

  it("finds the objects of buckets at the endpoint", async () => {
    server.images.set("/s3/bucket/a/b%20c.jpg", SAMPLE);
    assert.deepEqual(await download("s3://bucket/a/b%20c.jpg", remote), SAMPLE);
    await assert.rejects(download("s3://other/a.jpg", remote), isFault(/does not name its host, other/));
  });

  it("says that a host cannot be reached: that is no fault of the image", async () => {
    server.close();
    await assert.rejects(get("/image.jpg"), { reason: "IMAGE_UNREACHABLE" });
  });

  it("ends when it is cancelled", async () => {
    const stop = new AbortController();
    const stopped = download(`${server.origin}/slow`, remote, stop.signal);
    setTimeout(() => stop.abort(), 20);
    await assert.rejects(stopped, { name: "AbortError" });
  });
});
