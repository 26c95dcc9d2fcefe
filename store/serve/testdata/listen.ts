// A server of `node:http` on loopback for tests.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { nodeListener, type RequestHandler } from "../node_listener.ts";

/** A server that is there until the end of its block. */
export class Listening implements AsyncDisposable {
  readonly url: string;
  readonly server: Server;

  constructor(server: Server) {
    this.server = server;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

/** Serves a handler. */
export async function listen(handler: RequestHandler): Promise<Listening> {
  const server = createServer(nodeListener(handler)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return new Listening(server);
}
