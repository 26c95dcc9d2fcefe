// Imports an archive into a store that is there, and prints the most memory that it took,
// in KiB: an archive of so many entries, or the newest snapshot of another store, which is
// exported meanwhile.
//   deno run -A tests/_archive_peak.ts STORE COUNT|OTHER
import { readFileSync } from "node:fs";
import { exportTar, importTar } from "@snap/formats/tar";
import { View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";
import type { Snapshots } from "@snap/snapshot";
import { open } from "./_snapshots.ts";

const BLOCK = 512;
const PIECE = 2048 * BLOCK;

/** A header of ustar. */
function header(out: Uint8Array, name: string, size: number): void {
  const put = (at: number, text: string) =>
    new TextEncoder().encodeInto(text, out.subarray(at));
  out.fill(0);
  put(0, name);
  put(100, "0000644\x000000000\x000000000\0");
  put(124, `${size.toString(8).padStart(11, "0")}\x0000000000001\0        0`);
  put(257, "ustar\x0000");
  const sum = out.reduce((sum, byte) => sum + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
}

/** Empty files, a hundred in each directory but for the last half, which are in one. */
async function* manyEntries(count: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < count;) {
    const piece = new Uint8Array(PIECE);
    for (let at = 0; at < PIECE && done < count; at += BLOCK, done++) {
      const folder = Math.min(done, count / 2) / 100 | 0;
      const name = `some/folder-${folder}/a-file-with-a-name-${done}.txt`;
      header(piece.subarray(at, at + BLOCK), name, 0);
    }
    yield await Promise.resolve(piece);
  }
  yield new Uint8Array(2 * BLOCK);
}

/** What a snapshot is as an archive. */
function archiveOf(snapshots: Snapshots): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const exporting = async () => {
    const [record] = await snapshots.records();
    const view = await View.open(snapshots, record);
    const write = (bytes: Uint8Array) => writer.write(bytes.slice());
    await exportTar(view, view.root, { write }, { snapshots });
    await writer.close();
  };
  exporting().catch((error) => writer.abort(error));
  return readable;
}

const [storePath, from] = Deno.args;
await using snapshots = await open(await openFileStore(storePath));
if (/^\d+$/.test(from)) await importTar(snapshots, manyEntries(Number(from)));
else {
  await using source = await open(await openFileStore(from));
  await importTar(snapshots, archiveOf(source));
}
const status = readFileSync("/proc/self/status", "utf8");
console.log(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]);
