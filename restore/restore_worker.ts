/**
 * The worker of a restore. Started by the engine, of no use otherwise.
 *
 * @module
 */
import { hasherNamed } from "@snap/hash/named";
import {
  FetchAnswers,
  FetchedRanges,
  FetchMemory,
  WAIT,
} from "@snap/pack/recipe-content";
import { nativeDecoders } from "@snap/posix/decoders";
import { workerPort } from "@snap/posix/worker-port";
import { localSource, type RestoreSource } from "./write/restore_source.ts";
import { Restorer } from "./write/writer.ts";
import type {
  FromRestoreWorker,
  RestoreBatch,
  RestoreWorkerConfig,
  ToRestoreWorker,
} from "./messages.ts";

const port = workerPort();
let restorer: Restorer | undefined;
/** Ranges that main fetches for this worker; absent where it opens the files of the store itself. */
let fetched: FetchedRanges | undefined;

function say(message: FromRestoreWorker): void {
  port?.postMessage(message);
}

async function begin(config: RestoreWorkerConfig): Promise<void> {
  restorer = new Restorer(config, {
    hasher: await hasherNamed(config.hasher),
    decoders: nativeDecoders,
    source: openSource(config),
  });
  say({ type: "ready" });
}

function openSource(config: RestoreWorkerConfig): RestoreSource {
  const { source, worker } = config;
  if (source.kind === "local") {
    return localSource((name) => source.prefix + name);
  }
  const ranges = new FetchedRanges({
    memory: new FetchMemory(source.memory),
    answers: new FetchAnswers(source.answers),
    ask: (wants) => say({ type: "fetch", worker, wants }),
  });
  fetched = ranges;
  return { makeRanges: () => ranges.apart(), isFar: true };
}

/** Writes a batch, unless all are told to stop: then what is half written is removed. */
function restoreBatch(batch: RestoreBatch): void {
  if (restorer!.isStopped) return;
  const steps = restorer!.restore(batch);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return say({ type: "result", result: step.value });
    if (step.value === WAIT) fetched!.sleep(() => restorer!.isStopped);
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

port?.onMessage((message) => handle(message as ToRestoreWorker));

export {};
