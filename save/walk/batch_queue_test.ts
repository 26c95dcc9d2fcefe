import { deepEqual, equal, ok } from "node:assert/strict";
import { StatTable } from "@snap/posix/stat-table";
import { statTable } from "../../tests/_stat_rows.ts";
import { BatchQueue, type QueuedBatch } from "./batch_queue.ts";
import { PendingDirectory } from "./pending_directory.ts";

/** A directory of files of given sizes, without a disk. */
function directoryOf(path: string, sizes: readonly number[]): PendingDirectory {
  const names = sizes.map((_, i) => `${path}${i}`);
  const ends = new Uint32Array(sizes.length);
  names.forEach((name, i) => ends[i] = (ends[i - 1] ?? 0) + name.length);
  return new PendingDirectory(
    {
      path: new TextEncoder().encode(path),
      rowsMax: sizes.length,
      first: 0,
      count: sizes.length,
      names: new TextEncoder().encode(names.join("")),
      ends,
      stats: statTable(...sizes.map((size) => ({ size }))),
    },
    undefined,
    0,
  );
}

function queueAll(
  largeSizeMin: number,
  ...directories: PendingDirectory[]
): QueuedBatch[] {
  const batches: QueuedBatch[] = [];
  const queue = new BatchQueue(largeSizeMin, (batch) => batches.push(batch));
  for (const directory of directories) {
    for (let row = 0; row < directory.count; row++) queue.add(directory, row);
  }
  queue.flush();
  queue.flush();
  equal(queue.batchCount, batches.length);
  return batches;
}

Deno.test("BatchQueue ends a batch at 256 files", () => {
  const batches = queueAll(Infinity, directoryOf("a", Array(600).fill(1)));
  deepEqual(batches.map(({ rows }) => rows.length), [256, 256, 88]);
  deepEqual(batches.map(({ batch }) => batch.number), [0, 1, 2]);
  deepEqual(batches.map(({ byteCount }) => byteCount), [256, 256, 88]);
});

Deno.test("BatchQueue ends a batch at 4 MiB", () => {
  const sizes = [3_000_000, 1_000_000, 300_000, 9_000_000, 1, 2];
  const batches = queueAll(Infinity, directoryOf("a", sizes));
  deepEqual(batches.map(({ rows }) => rows), [[0, 1, 2], [3], [4, 5]]);
});

Deno.test("BatchQueue gives a large file a batch of its own", () => {
  const batches = queueAll(1000, directoryOf("a", [1, 2, 1000, 3, 5000, 999]));
  deepEqual(
    batches.map(({ rows, isShared }) => [rows, isShared]),
    [[[0, 1], false], [[2], true], [[3], false], [[4], true], [[5], false]],
  );
});

Deno.test("BatchQueue copies names and stats by directory, and waits for each file", () => {
  const one = directoryOf("one", [1, 2, 3]);
  const two = directoryOf("two", [4]);
  const [{ batch, directories, rows }] = queueAll(Infinity, one, two);
  equal(batch.parts.length, 2);
  equal(one.waiting, 4);
  equal(two.waiting, 2);
  deepEqual(directories, [one, one, one, two]);
  deepEqual(rows, [0, 1, 2, 0]);
  const texts = batch.parts.map((part) => {
    const stats = StatTable.fromBuffer(part.stats, part.ends.length);
    const start = (i: number): number => i === 0 ? 0 : part.ends[i - 1];
    return Array.from(part.ends, (end, i) => {
      const name = part.names.subarray(start(i), end);
      return `${new TextDecoder().decode(name)} ${stats.size(i)}`;
    });
  });
  deepEqual(texts, [["one0 1", "one1 2", "one2 3"], ["two0 4"]]);
  ok(batch.parts.every(({ directory }) => directory.length === 3));
});
