/**
 * The worker of exports: reads contents, or compresses. Started by the engine, of no
 * use otherwise.
 *
 * @module
 */
import { hasherNamed } from "@snap/hash/named";
import { workerPort } from "@snap/posix/worker-port";
import { BlockEncoder } from "./compress/block_encoder.ts";
import { BatchReader } from "./contents/batch_reader.ts";
import type {
  FromFormatsWorker,
  ReadConfig,
  ToFormatsWorker,
} from "./messages.ts";

const port = workerPort();
const encoder = new BlockEncoder();
let reader: BatchReader | undefined;

function say(message: FromFormatsWorker): void {
  port?.postMessage(message);
}

async function begin(config: ReadConfig | undefined): Promise<void> {
  if (config !== undefined) {
    reader = new BatchReader(config, await hasherNamed(config.hasher));
  }
  say({ type: "ready" });
}

async function handle(message: ToFormatsWorker): Promise<void> {
  switch (message.type) {
    case "begin":
      return await begin(message.config);
    case "read": {
      const { batch } = message;
      const failed = reader!.read(batch);
      return say({ type: "result", result: { number: batch.number, failed } });
    }
    case "compress":
      return say({ type: "result", result: encoder.encode(message.block) });
    case "close":
      reader?.[Symbol.dispose]();
      reader = undefined;
  }
}

port?.onMessage((message) => handle(message as ToFormatsWorker));

export {};
