// Holes of files that are read and written: found as the kernel tells them, kept where bytes are zeros.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { HOLE_SIZE_MIN } from "@snap/manifest/extras";
import { EINVAL, ENXIO, SEEK_DATA, SEEK_HOLE } from "@snap/posix/constants";
import { STAT_BLOCKS, STAT_SIZE, StatTable } from "@snap/posix/stat-table";
import { seededTest } from "../../tests/_prng.ts";
import { diskCalls } from "../best_calls.ts";
import { openTarget } from "../target/open_target.ts";
import { FileReader } from "./source_file.ts";
import { BACK_ENDS, bytes, hooked, tempDir } from "../testdata/temp_dir.ts";

/** A file of a size of which some blocks are stored. */
function fileOf(size: number, blocks: number): StatTable {
  const stats = new StatTable(1);
  stats.f64[STAT_SIZE] = size;
  stats.f64[STAT_BLOCKS] = blocks;
  return stats;
}

/** What is found in a file whose data lies in some ranges; and how often the kernel was asked. */
function holesOf(
  stats: StatTable,
  lseek: (offset: number, whence: number) => number,
): { holes: number[]; asked: number } {
  using dir = tempDir();
  writeFileSync(`${dir.path}/file`, "");
  let asked = 0;
  const calls = hooked(diskCalls(), {
    lseek: (_fd, offset, whence) => {
      assert.ok(++asked < 1000);
      return lseek(offset, whence);
    },
  });
  using reader = new FileReader(dir.path, calls);
  reader.open(bytes(""), bytes("file"));
  return { holes: [...reader.holes(stats, 0)], asked };
}

/** Seeks in data that lies in ranges. */
function seekIn(data: readonly [number, number][], size: number) {
  return (offset: number, whence: number): number => {
    if (whence === SEEK_DATA) {
      const next = data.find(([, end]) => end > offset);
      return next === undefined ? -ENXIO : Math.max(offset, next[0]);
    }
    assert.equal(whence, SEEK_HOLE);
    const inside = data.find(([start, end]) => start <= offset && offset < end);
    return inside === undefined ? offset : Math.min(inside[1], size);
  };
}

Deno.test("FileReader tells holes of 64 KiB and more, and no smaller ones", () => {
  const min = HOLE_SIZE_MIN;
  const size = 10 * min;
  const stats = fileOf(size, 1);
  for (
    const [hole, isTold] of [[min - 1, false], [min, true], [
      min + 1,
      true,
    ]] as const
  ) {
    const first = seekIn([[hole, size]], size);
    assert.deepEqual(holesOf(stats, first).holes, isTold ? [0, hole] : []);
    const middle = seekIn([[0, 7], [7 + hole, size]], size);
    assert.deepEqual(holesOf(stats, middle).holes, isTold ? [7, hole] : []);
    const last = seekIn([[0, size - hole]], size);
    assert.deepEqual(
      holesOf(stats, last).holes,
      isTold ? [size - hole, hole] : [],
    );
  }
  const two = seekIn([[min, 2 * min], [4 * min, 4 * min + 1]], size);
  assert.deepEqual(holesOf(stats, two).holes, [
    0,
    min,
    2 * min,
    2 * min,
    4 * min + 1,
    6 * min - 1,
  ]);
});

Deno.test("FileReader looks for holes only where blocks are missing", () => {
  const size = 4 * HOLE_SIZE_MIN;
  const all = seekIn([], size);
  assert.equal(holesOf(fileOf(size, size / 512), all).asked, 0);
  assert.deepEqual(holesOf(fileOf(size, size / 512 - 1), all).holes, [0, size]);
  assert.equal(holesOf(fileOf(HOLE_SIZE_MIN - 1, 0), all).asked, 0);
  const smallest = seekIn([], HOLE_SIZE_MIN);
  assert.deepEqual(holesOf(fileOf(HOLE_SIZE_MIN, 0), smallest).holes, [
    0,
    HOLE_SIZE_MIN,
  ]);
});

Deno.test("FileReader ends a hole with the file, whatever the kernel says", () => {
  const size = 4 * HOLE_SIZE_MIN;
  const stats = fileOf(size, 0);
  // The file has grown meanwhile.
  const grown = (_: number, whence: number) =>
    whence === SEEK_DATA ? size + 1 : 0;
  assert.deepEqual(holesOf(stats, grown).holes, [0, size]);
  // A file system without holes, and one that goes in circles.
  assert.deepEqual(holesOf(stats, () => -EINVAL), { holes: [], asked: 1 });
  assert.deepEqual(holesOf(stats, () => 0), { holes: [], asked: 2 });
  assert.deepEqual(holesOf(stats, () => size), { holes: [], asked: 1 });
});

for (const [name, inner] of BACK_ENDS) {
  seededTest(
    `${name} target writes every byte that is no zero, whatever holes are said to be`,
    (prng) => {
      using dir = tempDir();
      using target = openTarget(dir.path, { calls: inner });
      for (let round = 0; round < 4; round++) {
        const size = 1 + prng.below(60);
        const content = new Uint8Array(size);
        const holes: number[] = [];
        for (let at = 0; at < size;) {
          const run = 1 + prng.below(10);
          const isHole = prng.below(2) === 0;
          if (isHole) holes.push(at, run);
          // Now and then the list lies, and bytes are no zeros in a hole.
          if (!isHole || prng.below(4) === 0) {
            content.fill(1 + prng.below(255), at, at + run);
          }
          at += run + prng.below(3);
        }
        const file = bytes(`${round}`);
        using made = target.createFile(target.root, file);
        for (let at = 0; at < size;) {
          const end = Math.min(size, at + 1 + prng.below(25));
          made.writeSparse(
            content.subarray(at, end),
            at,
            Float64Array.from(holes),
          );
          at = end;
        }
        made.setSize(size);
        made.finish();
        assert.deepEqual(
          new Uint8Array(readFileSync(`${dir.path}/${round}`)),
          content,
          `${holes}`,
        );
      }
    },
  );
}

Deno.test("target leaves out holes of zeros, to the byte", () => {
  using dir = tempDir();
  const inner = diskCalls();
  const writes: number[][] = [];
  const calls = hooked(inner, {
    pwrite: (fd, out, offset) => {
      writes.push([offset, out.length]);
      return inner.pwrite(fd, out, offset);
    },
  });
  using target = openTarget(dir.path, { calls });
  const holes = Float64Array.of(10, 10, 30, 10, 50, 10);
  const cases: [string, number, number, number[][]][] = [
    ["none", 0, 10, [[0, 10]]],
    ["up to a hole and into it", 0, 11, [[0, 10]]],
    ["a hole alone", 10, 20, []],
    ["within a hole", 12, 15, []],
    ["from a hole on", 19, 22, [[20, 2]]],
    ["behind a hole", 20, 22, [[20, 2]]],
    ["two holes", 5, 45, [[5, 5], [20, 10], [40, 5]]],
    ["all", 0, 70, [[0, 10], [20, 10], [40, 10], [60, 10]]],
    ["after all", 60, 70, [[60, 10]]],
  ];
  for (const [title, start, end, expected] of cases) {
    writes.length = 0;
    using file = target.createFile(target.root, bytes("file"));
    file.writeSparse(new Uint8Array(end - start), start, holes);
    assert.deepEqual(writes, expected, title);
  }
  writes.length = 0;
  using file = target.createFile(target.root, bytes("file"));
  const last = new Uint8Array(30);
  last[19] = 1; // The last byte of a hole that is said to be one.
  file.writeSparse(last, 0, holes);
  assert.deepEqual(writes, [[0, 30]]);
});

Deno.test("target writes all where the system takes little at a time", () => {
  using dir = tempDir();
  const inner = diskCalls();
  const calls = hooked(inner, {
    pwrite: (fd, out, offset) => inner.pwrite(fd, out.subarray(0, 7), offset),
  });
  using target = openTarget(dir.path, { calls });
  const content = Uint8Array.from({ length: 100 }, (_, i) => i + 1);
  using file = target.createFile(target.root, bytes("file"));
  file.write(content.subarray(0, 50), 0);
  file.writeSparse(content.subarray(50), 50, new Float64Array(0));
  file.finish();
  const written = new Uint8Array(readFileSync(`${dir.path}/file`));
  assert.deepEqual(written, content);
});
