import { deepEqual, equal } from "node:assert/strict";
import { openTarget } from "@snap/disk/target";
import { FileSink } from "./file_sink.ts";
import { TestFolder } from "../../tests/_test_trees.ts";

const NAME = new TextEncoder().encode("file");

/** Writes rows of data (true) and zeros (false); gives the content and how much is stored. */
function write(
  rows: readonly [isData: boolean, size: number][],
  holes: number[] | undefined,
): { content: Uint8Array; stored: number } {
  using folder = new TestFolder();
  using target = openTarget(folder.path);
  using file = target.createFile(target.root, NAME);
  const list = holes === undefined ? undefined : Float64Array.from(holes);
  const sink = new FileSink(file, list);
  let offset = 0;
  for (const [isData, size] of rows) {
    if (isData) sink.write(new Uint8Array(size).fill(7), offset);
    else sink.writeZeros(size, offset);
    offset += size;
  }
  sink.finish(offset);
  file.finish();
  const path = folder.at("file");
  return {
    content: Deno.readFileSync(path),
    stored: Deno.statSync(path).blocks! * 512,
  };
}

function expected(rows: readonly [boolean, number][]): Uint8Array {
  const parts = rows.map(([isData, size]) =>
    new Uint8Array(size).fill(isData ? 7 : 0)
  );
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const K = 1024;

Deno.test("FileSink writes zeros where no hole is recorded", () => {
  const rows: [boolean, number][] = [[true, K], [false, 300 * K], [true, K]];
  const { content, stored } = write(rows, undefined);
  deepEqual(content, expected(rows));
  equal(stored >= 302 * K, true);
});

Deno.test("FileSink leaves holes out that lie in runs of zeros", () => {
  const rows: [boolean, number][] = [
    [true, 64 * K],
    [false, 512 * K],
    [true, 64 * K],
    [false, 256 * K],
  ];
  const { content, stored } = write(rows, [
    128 * K,
    128 * K,
    320 * K,
    64 * K,
    640 * K,
    256 * K,
  ]);
  deepEqual(content, expected(rows));
  equal(stored <= (896 - 448) * K, true, `${stored}`);
  equal(stored >= (896 - 448 - 64) * K, true, `${stored}`);
});

Deno.test("FileSink makes one hole of several runs, and ends the file in it", () => {
  const rows: [boolean, number][] = [
    [true, 4 * K],
    [false, 100 * K],
    [false, 100 * K],
    [false, 52 * K],
  ];
  const { content, stored } = write(rows, [4 * K, 252 * K]);
  deepEqual(content, expected(rows));
  equal(stored <= 8 * K, true, `${stored}`);
});

Deno.test("FileSink writes data where a hole was said to be", () => {
  const rows: [boolean, number][] = [[true, 100 * K], [false, 100 * K]];
  const { content } = write(rows, [0, 2 ** 40]);
  deepEqual(content, expected(rows));
});

Deno.test("FileSink takes holes that end before, between and after runs", () => {
  const rows: [boolean, number][] = [
    [false, 10],
    [true, 10],
    [false, 10],
    [true, 10],
    [false, 10],
  ];
  for (let start = 0; start < 50; start += 3) {
    for (let size = 1; size < 50 - start; size += 4) {
      deepEqual(write(rows, [start, size]).content, expected(rows));
    }
  }
});
