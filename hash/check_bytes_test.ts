import { ok, strictEqual, throws } from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { checkBytes } from "./check_bytes.ts";
import { Chunker } from "./chunk/chunker.ts";
import { ChunkStream } from "./chunk/chunk_stream.ts";
import { TREE_CONTEXT } from "./hasher.ts";
import { compareBytes, equalBytes, idFromBytes } from "./id.ts";
import { nativeHasher } from "./native.ts";
import { wasmHasher } from "./wasm_hasher.ts";

/** What looks like bytes to JavaScript, and to whoever forgot to encode a text. */
const OTHERS: readonly unknown[] = [
  "hello",
  "",
  undefined,
  null,
  5,
  [1, 2],
  { length: 32 },
  new ArrayBuffer(32),
  new DataView(new ArrayBuffer(32)),
  new Int8Array(32),
  new Uint8ClampedArray(32),
  new Uint16Array(32),
  new Float64Array(32),
];

Deno.test("checkBytes takes bytes of all kinds, and says what it was given instead", () => {
  checkBytes(new Uint8Array(0), "content");
  checkBytes(new Uint8Array(new SharedArrayBuffer(3)), "content");
  checkBytes(new (class extends Uint8Array {})(3), "content");
  const foreign = runInNewContext("new Uint8Array(3)");
  ok(!(foreign instanceof Uint8Array));
  checkBytes(foreign, "content");
  for (
    const [value, found] of [["a", "string"], [null, "null"], [[], "Array"]]
  ) {
    throws(() => checkBytes(value, "content"), {
      name: "TypeError",
      message: `Cannot use ${found} as content: it is no Uint8Array`,
    });
  }
});

for (const hasher of [wasmHasher, nativeHasher()]) {
  Deno.test(`${hasher.name} hasher: what is not bytes is a TypeError`, () => {
    const out = new Uint8Array(32);
    for (const value of OTHERS as Uint8Array[]) {
      const calls: (() => unknown)[] = [
        () => hasher.idOf(value),
        () => hasher.hashInto(value, out),
        () => hasher.hashInto(out, value),
        () => hasher.deriveInto(TREE_CONTEXT, value, out),
        () => hasher.deriveInto(TREE_CONTEXT, out, value),
        () => hasher.stream().update(value),
        () => hasher.deriveStream(TREE_CONTEXT).update(value),
        () => hasher.sparseStream().update(value),
        () => hasher.stream().digestInto(value),
      ];
      for (const call of calls) throws(call, TypeError, `${call}: ${value}`);
    }
    ok(out.every((byte) => byte === 0));
    const stream = hasher.stream();
    throws(() => stream.update("hello" as unknown as Uint8Array), TypeError);
    strictEqual(stream.digest(), hasher.idOf(new Uint8Array(0)));
  });
}

Deno.test("ids and chunks: what is not bytes is a TypeError", async () => {
  const bytes = new Uint8Array(32);
  const chunker = new Chunker();
  for (const value of OTHERS as Uint8Array[]) {
    const calls: (() => unknown)[] = [
      () => idFromBytes(value),
      () => equalBytes(value, 0, bytes, 0, 4),
      () => equalBytes(bytes, 0, value, 0, 4),
      () => compareBytes(value, bytes),
      () => compareBytes(bytes, value),
      () => chunker.cut(value, 0, 1),
    ];
    for (const call of calls) throws(call, TypeError, `${call}: ${value}`);
  }
  const stream = new ChunkStream();
  const writer = stream.writable.getWriter();
  const reading = stream.readable.getReader().read().catch((error) => error);
  await writer.write("text" as unknown as Uint8Array).catch(() => {});
  await writer.close().catch(() => {});
  ok((await reading) instanceof TypeError);
});
