import { deepEqual, equal, ok } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { InHand } from "./in_hand.ts";
import { save } from "../save.ts";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import {
  makeMemorySnapshots,
  noise,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";

Deno.test("InHand counts what all threads read, and takes back what is read again", () => {
  const buffer = new SharedArrayBuffer(8);
  const one = new InHand(buffer), two = new InHand(buffer);
  one.nextFile();
  one.add(10);
  two.add(2 ** 40);
  equal(one.byteCount, 2 ** 40 + 10);
  one.nextFile();
  one.add(5);
  one.forgetFile();
  one.add(6);
  equal(two.byteCount, 2 ** 40 + 16);
  equal(one.take(), 16);
  equal(one.take(), 0);
  two.add(-16);
  equal(two.byteCount, 2 ** 40);
});

for (const workers of [0, 1, 2]) {
  Deno.test(`progress moves inside a large file: ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    const size = 36_000_000;
    const bytes = noise(size, 1).map((byte) => byte & 15);
    writeFileSync(folder.join("file"), bytes);
    // Much slower than progress is told, on any machine.
    const settings = { ...DEFAULT_SETTINGS, codec: "zstd:12" };
    await using snapshots = await makeMemorySnapshots(settings);
    const seen: number[] = [];
    const { progress } = await save(snapshots, folder.path, {
      workers,
      onProgress: ({ byteCount }) => seen.push(byteCount),
    });
    equal(progress.byteCount, size);
    equal(seen.at(-1), size);
    deepEqual(seen, [...seen].sort((a, b) => a - b));
    const between = seen.filter((count) => count > 0 && count < size);
    ok(between.length > 0, `${seen}`);
  });
}
