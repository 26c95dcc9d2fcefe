/**
 * The worker of a save. Started by the engine, of no use otherwise.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { hasherNamed } from "@snap/hash/named";
import {
  type EncodedNode,
  type FinishedPackFile,
  ObjectSink,
  type ObjectTarget,
} from "@snap/pack/sink";
import { nativeEncoders } from "@snap/posix/decoders";
import { runAtOnce } from "@snap/posix/pacer";
import { workerPort } from "@snap/posix/worker-port";
import type {
  FileBatch,
  SaveMessage,
  ToSaveWorker,
  WorkerConfig,
} from "./messages.ts";
import { ContentPacker } from "./pack/content_packer.ts";
import { BatchReader } from "./read/batch_reader.ts";
import { InHand } from "./read/in_hand.ts";
import { LargeFileRing, RingStoppedError } from "./read/large_file_ring.ts";

const port = workerPort();

function say(message: SaveMessage): void {
  port?.postMessage(message);
}

/** The way from this thread to the writer of the store. */
const writer: ObjectTarget = {
  addPack: (pack: FinishedPackFile) => say({ type: "pack", pack }),
  addRecipe: (nodes: readonly EncodedNode[]) => say({ type: "recipe", nodes }),
};

/** Reader and packer of this thread. */
class Thread {
  readonly sink: ObjectSink;
  readonly #packer: ContentPacker;
  readonly #reader: BatchReader;
  readonly #ring: SharedArrayBuffer;

  constructor(config: WorkerConfig, hasher: Hasher) {
    this.sink = new ObjectSink(config.sink, {
      ...{ hasher, target: writer },
      encoders: nativeEncoders,
    });
    const { isNaming } = config;
    this.#packer = new ContentPacker(this.sink, {
      hasher,
      target: writer,
      isNaming,
    });
    const inHand = new InHand(config.inHand);
    this.#reader = new BatchReader(this.#packer, { ...config, inHand });
    this.#ring = config.ring;
  }

  read(batch: FileBatch): void {
    const result = runAtOnce(this.#reader.read(batch));
    say({ type: "result", result });
  }

  readLarge(batch: FileBatch): void {
    // Counts of groups belong to one file.
    const ring = new LargeFileRing(this.#ring);
    try {
      say({ type: "result", result: this.#reader.readLarge(batch, ring) });
    } catch (error) {
      if (!(error instanceof RingStoppedError)) {
        ring.stop();
        throw error;
      }
    } finally {
      ring.finish();
    }
  }

  help(): void {
    const { newByteCount, newObjectCount } = this.sink;
    const ring = new LargeFileRing(this.#ring);
    try {
      ring.help(this.#packer.putGroup.bind(this.#packer));
    } catch (error) {
      // The reader waits for this group: it has to be told.
      ring.stop();
      throw error;
    }
    const counts = {
      newByteCount: this.sink.newByteCount - newByteCount,
      newObjectCount: this.sink.newObjectCount - newObjectCount,
    };
    say({ type: "counts", counts });
    say({ type: "helped" });
  }

  discard(): void {
    this.sink.discard();
    this.sink[Symbol.dispose]();
    this.#reader[Symbol.dispose]();
  }
}

let thread: Thread | undefined;

async function handle(message: ToSaveWorker): Promise<void> {
  switch (message.type) {
    case "begin": {
      const { config } = message;
      thread = new Thread(config, await hasherNamed(config.hasher));
      return say({ type: "ready" });
    }
    case "batch":
      return thread!.read(message.batch);
    case "large":
      return thread!.readLarge(message.batch);
    case "help":
      return thread!.help();
    case "reopen":
      thread!.sink.reopen(message.index);
      return say({ type: "answered" });
    case "finish":
      thread!.sink.finish();
      return say({ type: "answered" });
    case "discard":
      thread?.discard();
      thread = undefined;
  }
}

port?.onMessage((message) => handle(message as ToSaveWorker));

export {};
