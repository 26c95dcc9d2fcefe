// Reads packs and indexes by docs/FORMAT.md alone, with none of the code that wrote them.
import { deepEqual, equal } from "node:assert/strict";
import { crc32 } from "node:zlib";
import { idOf, INDEX_OPTIONS, makePack } from "./_testing.ts";
import { buildIndex } from "./index_writer/index_builder.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  new TextDecoder().decode(bytes.subarray(start, end));
const PLAINS = ["hello", "world", "again"].map(text);
const pack = makePack([PLAINS.slice(0, 2), PLAINS.slice(2)]);

Deno.test("a pack is what FORMAT.md says", () => {
  const { bytes } = pack;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u32 = (at: number): number => view.getUint32(at, true);
  equal(ascii(bytes, 0, 8), "snapPACK");
  deepEqual([u32(8), u32(12), u32(16), u32(20)], [1, 0, 0, 0]);
  deepEqual(bytes.slice(24, 40), new Uint8Array(16).fill(7));
  deepEqual(bytes.slice(40, 72), new Uint8Array(32).fill(1));
  equal(ascii(bytes, 72, 87), "helloworldagain");
  const footer = bytes.length - 64;
  const table = u32(footer);
  deepEqual(
    [table, u32(footer + 4), u32(footer + 8), u32(footer + 12)],
    [87, 2 * 20 + 3 * 48, 2, 3],
  );
  deepEqual(
    bytes.slice(footer + 16, footer + 48),
    idOf(bytes.subarray(table, footer)),
  );
  deepEqual([u32(footer + 48), u32(footer + 52)], [1, 0]);
  equal(ascii(bytes, footer + 56, footer + 64), "snapPEND");
  const frames = [0, 1].map((i) =>
    [0, 4, 8, 12, 16].map((at) => u32(table + 20 * i + at))
  );
  deepEqual(frames, [
    [72, 10, 10, crc32(text("helloworld")), 0],
    [82, 5, 5, crc32(text("again")), 0],
  ]);
  const objects = [0, 1, 2].map((i) => {
    const at = table + 40 + 48 * i;
    const id = bytes.slice(at, at + 32).toHex();
    return [id, u32(at + 32), u32(at + 36), u32(at + 40), u32(at + 44)];
  });
  const expected = [
    [idOf(PLAINS[0]).toHex(), 1, 0, 0, 5],
    [idOf(PLAINS[1]).toHex(), 1, 0, 5, 5],
    [idOf(PLAINS[2]).toHex(), 1, 1, 0, 5],
  ].sort((a, b) => a[0] < b[0] ? -1 : 1);
  deepEqual(objects, expected);
});

Deno.test("an index is what FORMAT.md says", () => {
  const [{ bytes }] = buildIndex([pack], INDEX_OPTIONS);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u32 = (at: number): number => view.getUint32(at, true);
  equal(ascii(bytes, 0, 8), "snapINDX");
  deepEqual([72, 76, 80, 84].map(u32), [1, 2, 3, 0]);
  equal(view.getBigUint64(88, true), BigInt(INDEX_OPTIONS.timeMs));
  equal(u32(96), 4096);
  equal(bytes.length, 4 * 4096);
  const first = PLAINS.map((plain) => idOf(plain).toHex()).sort()[0];
  equal(u32(128), parseInt(first.slice(0, 8), 16));
  deepEqual(bytes.slice(132, 164), idOf(bytes.subarray(0, 132)));
  for (const page of [4096, 8192, 12288]) {
    equal(u32(page + 4092), crc32(bytes.subarray(page, page + 4092)));
  }
  deepEqual(bytes.slice(4096, 4128), pack.id);
  deepEqual(
    [32, 36, 40, 44].map((at) => u32(4096 + at)),
    [pack.bytes.length, 1, 0, 2],
  );
  deepEqual([8192, 8212].map(u32), [72, 82]);
  equal(bytes.slice(12288, 12320).toHex(), first);
});
