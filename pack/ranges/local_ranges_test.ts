import { deepEqual, throws } from "node:assert/strict";
import { FILES_OPEN_MAX, LocalRanges } from "./local_ranges.ts";
import { nodeFiles } from "./node_files.ts";
import { NotFoundError } from "@snap/store";
import { noise, TestFolder } from "../../tests/_test_trees.ts";

function rangesIn(folder: TestFolder): LocalRanges {
  return new LocalRanges({
    pathOf: (name) => `${folder.path}/${name}`,
    calls: nodeFiles,
    aheadSize: 512 * 1024,
  });
}

Deno.test("LocalRanges reads frames in any order, near and far", () => {
  using folder = new TestFolder();
  const one = noise(3_000_000, 1), two = noise(100_000, 2);
  folder.file("packs/one", one);
  folder.file("packs/two", two);
  using files = rangesIn(folder);
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
      files.take(name, offset, size),
      bytes.subarray(offset, offset + size),
    );
  }
});

Deno.test("LocalRanges refuses ranges past the end, and goes on", () => {
  using folder = new TestFolder();
  folder.file("packs/one", noise(1000, 1));
  using files = rangesIn(folder);
  files.take("packs/one", 0, 900);
  throws(
    () => files.take("packs/one", 900, 101),
    /Cannot read packs\/one as 101 bytes are wanted at 900: found 100/,
  );
  throws(() => files.take("packs/one", 2000, 5), { code: "SHORT" });
  throws(() => files.take("packs/none", 0, 5), NotFoundError);
  deepEqual(files.take("packs/one", 900, 100), noise(1000, 1).subarray(900));
});

Deno.test("LocalRanges has few files open at once", () => {
  using folder = new TestFolder();
  for (let i = 0; i < 100; i++) folder.file(`packs/${i}`, noise(100, i));
  using files = rangesIn(folder);
  for (let i = 0; i < 200; i++) {
    deepEqual(files.take(`packs/${i % 100}`, 0, 100), noise(100, i % 100));
  }
  // Other tests of the same process have files open, too.
  let openCount = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const path = linkOf(`/proc/self/fd/${name}`);
    if (path.startsWith(folder.path)) openCount++;
  }
  deepEqual(openCount > 0 && openCount <= FILES_OPEN_MAX, true);
});

/** Where a link leads; nothing when it is gone meanwhile. */
function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
