/** A server of images that behaves, and misbehaves in every way that it can. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ImageServer {
  /** Such as http://127.0.0.1:1234. */
  readonly origin: string;
  readonly host: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** What is given for which path. */
  readonly images: Map<string, Uint8Array>;
  close(): void;
}

/** Besides the images: /cut, /long and /slow of `sample`, /busy (twice, then the sample), and redirects. */
export async function startImageServer(sample: Uint8Array): Promise<ImageServer> {
  const asked: string[] = [];
  const images = new Map([["/image.jpg", sample]]);
  const answer = (response: ServerResponse, path: string): void => {
    const count = asked.filter((other) => other === path).length;
    const send = (status: number, headers: Record<string, string | number> = {}): ServerResponse =>
      response.writeHead(status, headers);
    const image = images.get(path);
    if (image !== undefined) send(200, { "content-length": image.length }).end(image);
    else if (path === "/cut")
      send(200, { "content-length": sample.length }).write(sample.subarray(0, 9), destroy(response));
    else if (path === "/slow") send(200, { "content-length": sample.length }).write(sample.subarray(0, 9));
    else if (path === "/huge") send(200, { "content-length": 2 ** 30 }).write(sample);
    else if (path === "/empty") send(200).end();
    else if (path === "/busy" && count > 2) send(200).end(sample);
    else if (path === "/busy" || path === "/broken") send(503).end("busy");
    else if (path === "/moved") send(302, { location: "/image.jpg" }).end();
    else if (path === "/loop") send(302, { location: "/loop" }).end();
    else if (path === "/elsewhere") send(302, { location: "http://localhost:1/image.jpg" }).end();
    else send(404).end();
  };
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    answer(response, url);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://${host}`, host, asked, images, close };
}

function destroy(response: ServerResponse): () => void {
  return () => response.destroy();
}
