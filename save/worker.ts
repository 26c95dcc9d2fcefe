/**
 * The worker of a save. Started by the engine, of no use otherwise.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { workerPort } from "@snap/posix/worker";
import { Lane, LaneStoppedError } from "./read/large_file_ring.ts";
import { Saver } from "./pack/saver.ts";
import type { FromSaveWorker, ToSaveWorker, WorkerConfig } from "./messages.ts";

const port = workerPort();
let saver: Saver | undefined;
let lane: Lane | undefined;
let laneBuffer: SharedArrayBuffer | undefined;

function say(message: FromSaveWorker): void {
  port?.postMessage(message);
}

async function begin(config: WorkerConfig): Promise<void> {
  saver = new Saver(config, {
    hasher: await hasherNamed(config.hasher),
    random: (size) => crypto.getRandomValues(new Uint8Array(size)),
    onPack: (pack) => say({ type: "pack", pack }),
    onRecipes: (nodes) => say({ type: "recipes", nodes }),
  });
  laneBuffer = config.lane;
  lane = new Lane(config.lane);
  say({ type: "ready" });
}

async function hasherNamed(name: "wasm" | "native"): Promise<Hasher> {
  if (name === "wasm") return wasmHasher;
  return (await import("@snap/hash/native")).nativeHasher();
}

function help(): void {
  const { objects } = saver!;
  const { newByteCount, newObjectCount } = objects;
  try {
    lane!.help(objects.putGroup.bind(objects));
  } catch (error) {
    // The reader waits for this group: it has to be told.
    lane!.stop();
    throw error;
  }
  const counts = {
    newByteCount: objects.newByteCount - newByteCount,
    newObjectCount: objects.newObjectCount - newObjectCount,
  };
  say({ type: "helped", counts });
}

function readLarge(message: ToSaveWorker & { type: "lane" }): void {
  // Counts of groups belong to one file.
  const own = new Lane(laneBuffer);
  try {
    say({ type: "result", result: saver!.saveLarge(message.batch, own) });
  } catch (error) {
    if (!(error instanceof LaneStoppedError)) {
      own.stop();
      throw error;
    }
  } finally {
    own.finish();
  }
}

async function handle(message: ToSaveWorker): Promise<void> {
  switch (message.type) {
    case "begin":
      return await begin(message.config);
    case "batch":
      return say({ type: "result", result: saver!.save(message.batch) });
    case "lane":
      return readLarge(message);
    case "help":
      return help();
    case "reopen":
      saver!.reopen(message.index);
      return say({ type: "reopened" });
    case "finish":
      saver!.objects.finish();
      return say({ type: "finished" });
    case "discard":
      saver?.objects.discard();
      saver?.[Symbol.dispose]();
      saver = undefined;
      return say({ type: "discarded" });
  }
}

// In order, although the first message takes a while.
let last = Promise.resolve();
port?.onMessage((message) => {
  last = last.then(() => handle(message as ToSaveWorker));
  return last;
});
