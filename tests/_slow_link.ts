// A link that is slow: every byte of an answer comes a while later, and all
// connections together move so many bytes a second.
import { connect, createServer, type Server, type Socket } from "node:net";

/** Bytes of a connection that may be on the link beyond those that its delay holds. */
const BUFFER_SIZE = 1 << 20;

/** Options of {@linkcode SlowLink}. */
export interface SlowLinkOptions {
  /** Port on loopback that the link leads to. */
  readonly port: number;
  /** How much later each byte of an answer comes, in milliseconds. */
  readonly delayMs: number;
  /** Bytes a second of all answers together; no limit if left out. */
  readonly bytesPerSecond?: number;
}

/** A server on loopback behind which another one is far away. */
export class SlowLink implements AsyncDisposable {
  /** Bytes that have gone to the server. */
  upCount = 0;
  /** Bytes that have come from it. */
  downCount = 0;
  readonly #options: SlowLinkOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** When the bytes so far have left the link. */
  #freeMs = 0;

  constructor(options: SlowLinkOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Begins to listen; gives the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) =>
      this.#server.listen(0, "127.0.0.1", resolve)
    );
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(near: Socket): void {
    const { port, delayMs, bytesPerSecond = Infinity } = this.#options;
    const far = connect(port, "127.0.0.1");
    const heldMax = BUFFER_SIZE + bytesPerSecond * delayMs / 1000;
    let held = 0;
    // Timers that are due at nearly the same time may go off in another order.
    const onTheWay: Uint8Array[] = [];
    for (const [one, other] of [[near, far], [far, near]] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    near.on("data", ({ length }) => this.upCount += length);
    near.pipe(far);
    far.on("data", (bytes) => {
      held += bytes.length;
      this.downCount += bytes.length;
      if (held > heldMax) far.pause();
      onTheWay.push(bytes);
      this.#later(bytes.length, () => {
        const first = onTheWay.shift()!;
        held -= first.length;
        if (held <= heldMax) far.resume();
        if (!near.destroyed) near.write(first);
      });
    });
  }

  /** Calls back when bytes that are sent now have come. */
  #later(size: number, arrive: () => void): void {
    const { delayMs, bytesPerSecond = Infinity } = this.#options;
    const now = performance.now();
    this.#freeMs = Math.max(now, this.#freeMs) + size / bytesPerSecond * 1000;
    setTimeout(arrive, this.#freeMs - now + delayMs);
  }
}
