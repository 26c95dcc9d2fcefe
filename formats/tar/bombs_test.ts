// Archives of few bytes that stand for many.
import { ok, rejects, strictEqual } from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { makeMemorySnapshots } from "../../tests/_snapshots.ts";
import { END, entry, imported, joined, pax, refused } from "./_testing.ts";
import { importTar } from "./import_tar.ts";
import { writePax } from "./pax.ts";

const MIB = 1024 * 1024;
/** 64 MiB of zeros in some 6 KB. */
const zeros = zstdCompressSync(new Uint8Array(64 * MIB));

/** An archive that never ends, compressed: how many frames of it were read is counted. */
function endless(head: Uint8Array) {
  const source = {
    count: 0,
    onFrame: (_count: number) => {},
    async *[Symbol.asyncIterator]() {
      yield new Uint8Array(zstdCompressSync(head));
      for (;;) {
        source.onFrame(++source.count);
        yield new Uint8Array(zeros);
      }
    },
  };
  return source;
}

const huge = entry("a", { size: 2 ** 32 });
const heads: Readonly<Record<string, Uint8Array>> = {
  "a file of zeros": joined(pax(["size", String(2 ** 50)]), huge),
  "zeros behind the end": joined(entry("a"), END),
};

for (const [name, head] of Object.entries(heads)) {
  Deno.test(`${name} without end: a limit or a signal ends the import`, async () => {
    const snapshots = await makeMemorySnapshots();
    const limited = endless(head);
    await rejects(importTar(snapshots, limited, { sizeMax: 512 * MIB }), {
      name: "ImportError",
      message: /^Cannot import more than 536870912 plain bytes/,
    });
    ok(limited.count <= 10, `${limited.count} frames were read`);
    const over = new AbortController();
    const stopped = endless(head);
    stopped.onFrame = (count) => {
      if (count === 4) over.abort(new Error("over"));
    };
    const { signal } = over;
    await rejects(importTar(snapshots, stopped, { signal }), /over/);
    ok(stopped.count <= 6, `${stopped.count} frames were read`);
    strictEqual((await snapshots.records()).length, 0);
    await snapshots[Symbol.asyncDispose]();
  });
}

Deno.test("a map of holes may not tell of more than an import takes", async () => {
  const holes = (size: number) =>
    joined(
      pax(["GNU.sparse.size", String(size)], ["GNU.sparse.map", "0,4"]),
      entry("a", {}, "1234"),
      END,
    );
  strictEqual((await imported(holes(2 ** 30))).totals.byteCount, 2 ** 30);
  const message = /^Cannot import more than 17592186044416 plain bytes; byte/;
  await refused(holes(2 ** 45), message);
  const two = joined(holes(2 ** 30).subarray(0, -1024), holes(2 ** 30));
  await refused(two, /more than 2000000000 plain bytes/, { sizeMax: 2e9 });
});

Deno.test("records for all entries are few", async () => {
  const globals = (count: number, value: string) =>
    Array.from(
      { length: count },
      (_, i) => entry("g", { type: "g" }, writePax([[`key${i}`, value]])),
    );
  const most = /at most 1024 records of 1048576 bytes together hold for all/;
  await imported(joined(...globals(90, "x"), entry("a"), END));
  await refused(joined(...globals(1025, "x"), entry("a"), END), most);
  const large = globals(9, "x".repeat(120_000));
  await refused(joined(...large, entry("a"), END), most);
});
