import { Buffer } from "node:buffer";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a request: its answer is given, it is done and the answer is lost, or nothing is done. */
export type Fate = "pass" | "lose" | "drop";

/** A proxy in front of a real server that loses what a test wants lost. */
export class MeddlingProxy implements AsyncDisposable {
  /** How many requests have come. */
  count = 0;
  /** Bytes of bodies that were passed on. */
  byteCount = 0;
  /** Says what becomes of a request, by its number. */
  fate: (number: number) => Fate = () => "pass";
  readonly #server = createServer(async (incoming, outgoing) => {
    const fate = this.fate(++this.count);
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of incoming) pieces.push(piece);
      if (fate === "drop") {
        outgoing.destroy();
        return;
      }
      for (const { length } of pieces) this.byteCount += length;
      const { method = "GET", url = "/", headers } = incoming;
      const answer = await this.#forward(method, url, headers, pieces);
      if (fate === "lose") {
        outgoing.destroy();
        return;
      }
      outgoing.writeHead(answer.status, answer.headers);
      outgoing.end(answer.body);
    } catch {
      outgoing.destroy(); // The one who asked was killed.
    }
  });
  readonly #target: URL;

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  /** Starts a proxy in front of a server. */
  static async start(target: string): Promise<MeddlingProxy> {
    const proxy = new MeddlingProxy(target);
    await new Promise<void>((resolve) =>
      proxy.#server.listen(0, "127.0.0.1", resolve)
    );
    return proxy;
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Passes a request on with its `Host`, which is signed. */
  #forward(
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    pieces: readonly Uint8Array[],
  ): Promise<
    { status: number; headers: IncomingHttpHeaders; body: Uint8Array }
  > {
    const { hostname, port } = this.#target;
    return new Promise((resolve, reject) => {
      const options = { method, path, headers, hostname, port, agent: false };
      const outgoing = request(options, async (answer) => {
        try {
          const read: Uint8Array[] = [];
          for await (const piece of answer) read.push(piece);
          const body = Buffer.concat(read);
          resolve({
            status: answer.statusCode!,
            headers: answer.headers,
            body,
          });
        } catch (error) {
          reject(error);
        }
      });
      outgoing.once("error", reject);
      for (const piece of pieces) outgoing.write(piece);
      outgoing.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
