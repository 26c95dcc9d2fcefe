import { deepEqual, throws } from "node:assert/strict";
import { LocalFiles } from "./local_files.ts";
import { noise, TestFolder } from "../../tests/_test_trees.ts";

Deno.test("LocalFiles reads frames in any order, near and far", () => {
  using folder = new TestFolder();
  const one = noise(3_000_000, 1), two = noise(100_000, 2);
  folder.file("packs/one", one);
  folder.file("packs/two", two);
  using files = new LocalFiles(`${folder.path}/`);
  const reads: [string, Uint8Array, number, number][] = [
    ["packs/one", one, 72, 100],
    ["packs/one", one, 172, 5000],
    ["packs/one", one, 5172, 600_000],
    ["packs/one", one, 650_000, 10],
    ["packs/two", two, 0, 100_000],
    ["packs/one", one, 660_000, 300],
    ["packs/one", one, 2_999_990, 10],
    ["packs/one", one, 100, 50],
    ["packs/one", one, 150, 1_000_000],
    ["packs/one", one, 1_000_150, 1_999_850],
  ];
  for (const [name, bytes, offset, size] of reads) {
    deepEqual(
      files.frame(name, offset, size),
      bytes.subarray(offset, offset + size),
    );
  }
});

Deno.test("LocalFiles refuses ranges past the end, and goes on", () => {
  using folder = new TestFolder();
  folder.file("packs/one", noise(1000, 1));
  using files = new LocalFiles(`${folder.path}/`);
  files.frame("packs/one", 0, 900);
  throws(
    () => files.frame("packs/one", 900, 101),
    /Cannot read packs\/one as it needs 101 bytes at 900: found 100/,
  );
  throws(() => files.readAt("packs/one", 2000, new Uint8Array(5)), RangeError);
  throws(() => files.frame("packs/none", 0, 5), { code: "ENOENT" });
  deepEqual(files.frame("packs/one", 900, 100), noise(1000, 1).subarray(900));
});

Deno.test("LocalFiles has few files open at once", () => {
  using folder = new TestFolder();
  for (let i = 0; i < 50; i++) folder.file(`packs/${i}`, noise(100, i));
  using files = new LocalFiles(`${folder.path}/`);
  for (let i = 0; i < 100; i++) {
    deepEqual(files.frame(`packs/${i % 50}`, 0, 100), noise(100, i % 50));
  }
  // Other tests of the same process have files open, too.
  let openCount = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const path = linkOf(`/proc/self/fd/${name}`);
    if (path.startsWith(folder.path)) openCount++;
  }
  deepEqual(openCount > 0 && openCount <= 32, true);
});

/** Where a link leads; nothing when it is gone meanwhile. */
function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
