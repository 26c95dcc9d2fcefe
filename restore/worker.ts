/**
 * The worker of a restore. Started by the engine, of no use otherwise.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { nativeDecoders } from "@snap/posix/decoders";
import { workerPort } from "@snap/posix/worker-port";
import { Restorer } from "./write/writer.ts";
import type {
  FromRestoreWorker,
  RestoreBatch,
  RestoreWorkerConfig,
  ToRestoreWorker,
} from "./messages.ts";

const port = workerPort();
let restorer: Restorer | undefined;

function say(message: FromRestoreWorker): void {
  port?.postMessage(message);
}

async function begin(config: RestoreWorkerConfig): Promise<void> {
  restorer = new Restorer(config, {
    hasher: await hasherNamed(config.hasher),
    decoders: nativeDecoders,
  });
  say({ type: "ready" });
}

async function hasherNamed(name: "wasm" | "native"): Promise<Hasher> {
  if (name === "wasm") {
    return (await import("@snap/hash/wasm-hasher")).wasmHasher;
  }
  return (await import("@snap/hash/native")).nativeHasher();
}

/** Writes a batch, unless all are told to stop: then what is half written is removed. */
function restoreBatch(batch: RestoreBatch): void {
  if (restorer!.isStopped) return;
  const steps = restorer!.restore(batch);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return say({ type: "result", result: step.value });
    if (!restorer!.isStopped) continue;
    steps.return(undefined as never);
    return;
  }
}

async function handle(message: ToRestoreWorker): Promise<void> {
  switch (message.type) {
    case "begin":
      return await begin(message.config);
    case "batch":
      return restoreBatch(message.batch);
    case "close":
      restorer?.[Symbol.dispose]();
      restorer = undefined;
  }
}

// In order, although the first message takes a while.
let last = Promise.resolve();
port?.onMessage((message) => {
  last = last.then(() => handle(message as ToRestoreWorker));
  return last;
});
