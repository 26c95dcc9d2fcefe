// Copies snapshots of one store to another over a message bus, and prints what a
// tracer would get: deno run -A examples/sync_over_bus.ts FROM TO
import { EventEmitter, once } from "node:events";
import process from "node:process";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { openFileStore } from "@snap/store/file";
import { type Observer, remotePeer, storePeer, sync } from "@snap/sync";
import { syncHandler } from "@snap/sync/serve";

const [from, to] = process.argv.slice(2);
const bus = new EventEmitter();
const signal = new AbortController().signal;

// The side that answers: subject `sync`, the answer to wherever the request says.
const answer = syncHandler(await openFileStore(to), { hasher });
bus.on("sync", async (reply: string, request: Uint8Array) => {
  bus.emit(reply, await answer(request, { right: "append", signal }));
});

// The side that asks. This is all of a transport: messages may be lost or repeated.
let count = 0;
const transport = {
  location: "the bus",
  async exchange(request: Uint8Array): Promise<Uint8Array> {
    const reply = `reply.${count++}`;
    const answered = once(bus, reply);
    bus.emit("sync", reply, request);
    return (await answered)[0];
  },
};

// What starts returns a span, which is handed to its end: `tracer.startSpan(name)` in
// OpenTelemetry, and `span.end()`.
interface Span {
  readonly name: string;
  readonly ms: number;
}
const start = (name: string): Span => ({ name, ms: performance.now() });
const end = (span: unknown, note: string): void => {
  const { name, ms } = span as Span;
  console.log(`${name}: ${note}, ${Math.round(performance.now() - ms)} ms`);
};
const observer: Observer = {
  sessionStarted: ({ to }) => start(`sync to ${to}`),
  sessionEnded: (span, { report }) =>
    end(span, `${report?.recordsCopied ?? 0} copied`),
  requestStarted: ({ verb }) => start(verb),
  requestEnded: (span, { bytes }) => end(span, `${bytes} bytes`),
};

const here = storePeer(await openFileStore(from), { hasher, location: from });
await sync(here, remotePeer(transport, { hasher }), { pull: false, observer });
