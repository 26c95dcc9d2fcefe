/**
 * The worker of a copy from folder to folder. Started by the engine, of no use
 * otherwise.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { hasherNamed } from "@snap/hash/named";
import { ObjectIndex } from "@snap/pack/index";
import { LocalRanges, nodeFiles } from "@snap/pack/recipe-content";
import { type FinishedPackFile, ObjectSink } from "@snap/pack/sink";
import { nativeDecoders, nativeEncoders } from "@snap/posix/decoders";
import { runAtOnce } from "@snap/posix/pacer";
import { workerPort } from "@snap/posix/worker-port";
import type {
  FromMoveWorker,
  MoveWorkerConfig,
  ToMoveWorker,
} from "./move/messages.ts";
import { Mover } from "./move/mover.ts";

/** Bytes that are read at once where frames follow each other. */
const AHEAD_SIZE = 1 << 20;

const port = workerPort();

function say(message: FromMoveWorker): void {
  port?.postMessage(message);
}

/** Mover and sink of this thread. */
class Thread implements Disposable {
  readonly sink: ObjectSink;
  readonly mover: Mover;
  readonly #ranges: LocalRanges;

  constructor(config: MoveWorkerConfig, hasher: Hasher) {
    const { sourcePrefix, tables } = config;
    const target = {
      addPack: (pack: FinishedPackFile) => say({ type: "pack", pack }),
    };
    this.sink = new ObjectSink(config.sink, {
      ...{ hasher, target },
      encoders: nativeEncoders,
    });
    const ranges = new LocalRanges({
      pathOf: (name) => sourcePrefix + name,
      calls: nodeFiles,
      aheadSize: AHEAD_SIZE,
    });
    this.#ranges = ranges;
    const index = new ObjectIndex({ cacheSize: 8 << 20 });
    index.addTables(tables);
    this.mover = new Mover({
      ranges,
      index: () => index,
      hasher,
      decoders: nativeDecoders,
      isFar: false,
      taker: this.sink,
    });
  }

  [Symbol.dispose](): void {
    this.sink.discard();
    this.sink[Symbol.dispose]();
    this.#ranges[Symbol.dispose]();
  }
}

let thread: Thread | undefined;

async function handle(message: ToMoveWorker): Promise<void> {
  switch (message.type) {
    case "begin": {
      const { config } = message;
      thread = new Thread(config, await hasherNamed(config.hasher));
      return say({ type: "ready" });
    }
    case "batch": {
      const result = runAtOnce(thread!.mover.move(message.batch));
      return say({ type: "result", result });
    }
    case "reopen":
      thread!.sink.reopen(message.index);
      return say({ type: "answered" });
    case "finish":
      thread!.sink.finish();
      return say({ type: "answered" });
    case "discard":
      thread?.[Symbol.dispose]();
      thread = undefined;
  }
}

port?.onMessage((message) => handle(message as ToMoveWorker));

export {};
