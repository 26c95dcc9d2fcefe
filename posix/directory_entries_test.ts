import assert from "node:assert/strict";
import { DirectoryEntries } from "./directory_entries.ts";

/** Puts a record into the bytes, with rubbish after the NUL as the kernel leaves it. */
function put(
  entries: DirectoryEntries,
  start: number,
  name: string,
  type: number,
): number {
  const size = Math.ceil((20 + name.length) / 8) * 8;
  const { bytes } = entries;
  bytes.fill(0xaa, start, start + size);
  bytes[start + 16] = size & 0xff;
  bytes[start + 17] = size >> 8;
  bytes[start + 18] = type;
  for (let i = 0; i < name.length; i++) {
    bytes[start + 19 + i] = name.charCodeAt(i);
  }
  bytes[start + 19 + name.length] = 0;
  return start + size;
}

function names(entries: DirectoryEntries): string[] {
  const found = [];
  for (let i = 0; i < entries.count; i++) {
    found.push(new TextDecoder().decode(entries.name(i)));
  }
  return found;
}

Deno.test("DirectoryEntries takes names of every length, without the dots", () => {
  const entries = new DirectoryEntries();
  const want = ["...", ".a", "..b"];
  for (let length = 1; length <= 255; length++) want.push("x".repeat(length));
  let end = put(entries, put(entries, 0, ".", 4), "..", 4);
  for (const name of want) end = put(entries, end, name, 8);
  assert.equal(entries.parse(end), want.length);
  assert.deepEqual(names(entries), want);
  assert(entries.types.subarray(0, entries.count).every((type) => type === 8));
  assert.equal(entries.bytes[entries.nameEnds[7]], 0);
  assert.equal(entries.parse(0), 0);
  assert.deepEqual(names(entries), []);
});

Deno.test("DirectoryEntries has room for the smallest names", () => {
  const entries = new DirectoryEntries(512);
  let end = 0;
  while (end + 24 <= 512) end = put(entries, end, "a", 0);
  assert.equal(entries.parse(end), 21);
});

Deno.test("DirectoryEntries stops at a record that is cut or of no size", () => {
  const entries = new DirectoryEntries();
  const end = put(entries, put(entries, 0, "a", 8), "b", 8);
  assert.equal(entries.parse(end - 1), 1);
  entries.bytes[24 + 16] = 0;
  assert.equal(entries.parse(end), 1);
  assert.throws(() => new DirectoryEntries(511), RangeError);
});
