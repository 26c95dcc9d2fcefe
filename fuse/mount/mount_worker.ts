/**
 * The worker of a mount. Started by {@linkcode mount}, of no use otherwise.
 *
 * @module
 */
import type { Hasher } from "@snap/hash";
import { hasherNamed } from "@snap/hash/named";
import { SharedFrameCache } from "@snap/pack/cache";
import { nativeDecoders } from "@snap/posix/decoders";
import { errorRecord, workerPort } from "@snap/posix/worker-port";
import { posix } from "@snap/posix";
import { DeviceLoop } from "../device/device_loop.ts";
import { MountControl } from "./mount_control.ts";
import type {
  FromMountWorker,
  MountWorkerConfig,
  ToMountWorker,
} from "./mount_messages.ts";
import {
  FetchAnswers,
  FetchedRanges,
  FetchMemory,
  Objects,
  type Ranges,
  TableList,
} from "@snap/pack/objects";
import { ServedContents } from "../content/served_contents.ts";
import { ReplyWriter } from "../device/reply_writer.ts";
import { Counters } from "../counters.ts";
import { FileContents } from "../content/file_contents.ts";
import { NodeTable } from "../nodes/node_table.ts";
import { posixRanges } from "../content/posix_files.ts";
import { Session } from "../session/session.ts";
import type { SessionFault } from "../session/session_parts.ts";

const NO_PATH = new Uint8Array(0);
const port = workerPort();
let hasher: Hasher | undefined;

function say(message: FromMountWorker): void {
  port?.postMessage(message);
}

function tellFault({ action, path, error }: SessionFault): void {
  const bytes = path.slice();
  say({ kind: "fault", action, path: bytes, error: errorRecord(error) });
}

/** Answers requests until the mount ends; the event loop stands still meanwhile. */
function serve(config: MountWorkerConfig): void {
  const { number, device, wakes, source, spinUs, deadlineMs } = config;
  const fetched = source.kind === "local" ? undefined : new FetchedRanges({
    memory: new FetchMemory(source.memory),
    answers: new FetchAnswers(source.answers),
    ask: (wants) => say({ kind: "fetch", wants }),
  });
  const local = source.kind === "local"
    ? posixRanges(source.prefix)
    : undefined;
  const counters = new Counters(config.counters, number);
  const control = new MountControl(config.control);
  const session = sessionOf(config, fetched ?? local!, counters);
  const loop = new DeviceLoop({
    posix: posix!,
    device,
    wake: wakes[number],
    others: wakes.filter((_, i) => i !== number),
    control,
    session,
    fetched,
    counters,
    spinUs,
    deadlineMs,
    forward: (request) => say({ kind: "request", request }),
    interrupt: (uniqueLow, uniqueHigh) =>
      say({ kind: "interrupt", uniqueLow, uniqueHigh }),
    onInit: () => say({ kind: "running" }),
    onFault: (action, error) => tellFault({ action, path: NO_PATH, error }),
  });
  // Not `using`: Node 22 runs the source as it is.
  try {
    say({ kind: "ended", errno: loop.run() });
  } finally {
    local?.[Symbol.dispose]();
  }
}

function sessionOf(
  config: MountWorkerConfig,
  ranges: Ranges,
  counters: Counters,
): Session {
  const objects = new Objects({
    ranges,
    cache: new SharedFrameCache(config.cache),
    hasher: hasher!,
    decoders: nativeDecoders,
    tables: new TableList(config.tables),
    keeper: {
      search: () => say({ kind: "search" }),
      tellDamage: (name, error) =>
        say({ kind: "damagedTable", name, error: errorRecord(error) }),
    },
  });
  const contents = new FileContents({
    objects,
    served: new ServedContents(config.served),
    onServedInFull: ({ id, size }) =>
      say({ kind: "served", id: id.slice(), size }),
  });
  const writer = new ReplyWriter(posix!, config.device);
  return new Session({
    nodes: new NodeTable(config.nodes, { objects }),
    contents,
    counters,
    agreed: new MountControl(config.control).agreed,
    send: (reply) => writer.send(reply),
    onFault: tellFault,
  }, config.session);
}

async function handle(message: ToMountWorker): Promise<void> {
  if (message.kind === "prepare") hasher = await hasherNamed(message.hasher);
  else serve(message.config);
}

port?.onMessage((message) => handle(message as ToMountWorker));
