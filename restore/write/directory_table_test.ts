import { deepEqual, equal } from "node:assert/strict";
import { DirectoryTable } from "./directory_table.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("DirectoryTable gives back what was put in, however much", () => {
  const table = new DirectoryTable();
  const numbersOf = (i: number) => ({
    mode: i % 4096,
    uid: 0xffffffff - i,
    gid: i,
    mtimeSec: -i * 1e9,
    mtimeNs: i,
  });
  table.add(-1, new Uint8Array(0), numbersOf(0), true);
  for (let i = 1; i < 2000; i++) {
    const name = encode("n".repeat(i % 255) + i % 10);
    equal(table.add(Math.floor(i / 2), name, numbersOf(i), i % 3 === 0), i);
  }
  equal(table.count, 2000);
  for (let i = 1; i < 2000; i++) {
    equal(table.parent(i), Math.floor(i / 2));
    equal(table.isNew(i), i % 3 === 0);
    deepEqual(table.name(i), encode("n".repeat(i % 255) + i % 10));
    deepEqual(table.numbers(i), numbersOf(i));
  }
  deepEqual(table.path(0), new Uint8Array(0));
  deepEqual(table.path(5), encode("n1/nn2/nnnnn5"));
});
