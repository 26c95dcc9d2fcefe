import { workerPort } from "../worker/worker_port.ts";
import { PosixError } from "../errors.ts";

// A module that waits before it listens: messages sent meanwhile must not be lost.
await new Promise((done) => setTimeout(done, 20));

const port = workerPort()!;
port.onMessage(async (message) => {
  const { action, value } = message as { action: string; value: unknown };
  if (action === "throw") {
    throw new PosixError(-2, "open", Uint8Array.of(97, 255, 0));
  }
  if (action === "reject later") {
    queueMicrotask(() => {
      throw new RangeError("Thrown where nobody catches");
    });
  }
  if (action === "reject unhandled") {
    void Promise.reject(new TypeError("Nobody handles this"));
  }
  if (action === "close") port.close();
  if (action === "exit") (globalThis as unknown as { close(): void }).close();
  if (action === "process exit") (await import("node:process")).exit(3);
  if (action === "slow") await new Promise((done) => setTimeout(done, 50));
  if (action === "memory") {
    const bytes = value as Uint8Array<ArrayBuffer>;
    bytes[0]++;
    port.postMessage(bytes, [bytes.buffer]);
    return;
  }
  port.postMessage({ echo: value });
});
