import { deepEqual, equal, ok } from "node:assert/strict";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DiskError } from "@snap/disk";
import { FileReader } from "@snap/disk/file";
import type { MemoryStore } from "@snap/store/memory";
import {
  makeMemorySnapshots,
  noise,
  readDisk,
  readSnapshot,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { save, type SaveResult } from "../save.ts";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import type { Snapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";

/** Calls back after each read of a file and after each check of it, counted from 1. */
class DiskHook implements Disposable {
  readonly #read = FileReader.prototype.read;
  readonly #isUnchanged = FileReader.prototype.isUnchanged;

  constructor(hook: Hook) {
    const read = this.#read, isUnchanged = this.#isUnchanged;
    let reads = 0, checks = 0;
    FileReader.prototype.read = function (out, offset, enough): number {
      const size = read.call(this, out, offset, enough);
      hook.onRead?.(++reads);
      return size;
    };
    FileReader.prototype.isUnchanged = function (expected, row): boolean {
      const isSame = isUnchanged.call(this, expected, row);
      hook.onCheck?.(++checks);
      return isSame;
    };
  }

  [Symbol.dispose](): void {
    FileReader.prototype.read = this.#read;
    FileReader.prototype.isUnchanged = this.#isUnchanged;
  }
}

interface Hook {
  readonly onRead?: (number: number) => void;
  readonly onCheck?: (number: number) => void;
}

/** A directory with one file, and a store in memory. */
class Changing implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly source: string;
  readonly path: string;
  readonly snapshots: Snapshots<MemoryStore>;

  private constructor(snapshots: Snapshots<MemoryStore>, bytes: Uint8Array) {
    this.source = this.#folder.path;
    this.path = this.#folder.join("file");
    this.snapshots = snapshots;
    writeFileSync(this.path, bytes);
  }

  static async make(bytes: Uint8Array): Promise<Changing> {
    return new Changing(await makeMemorySnapshots(), bytes);
  }

  async save(hook: Hook): Promise<SaveResult> {
    using _hook = new DiskHook(hook);
    return await save(this.snapshots, this.source);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder[Symbol.dispose]();
    await this.snapshots[Symbol.asyncDispose]();
  }
}

/** Sizes of the ways a file is read: into a frame, whole, in pieces. */
const SIZES = { small: 1000, whole: 300_000, pieces: 6_000_000 };

for (const [name, size] of Object.entries(SIZES)) {
  Deno.test(`BatchReader reads a file again that was touched meanwhile: ${name}`, async () => {
    await using changing = await Changing.make(noise(size, 1));
    const { path, source, snapshots } = changing;
    const result = await changing.save({
      onCheck: (number) => number === 1 && utimesSync(path, 3, 3),
      onRead: (number) => number === 1 && utimesSync(path, 1, 1),
    });
    deepEqual(result.errors, []);
    // Touched again after the second attempt had begun.
    equal(result.changed.length, 1);
    const listing = await readSnapshot(snapshots, result.record!);
    equal(
      listing.get("file")!.content,
      readDisk(source).get("file")!.content,
    );
  });

  Deno.test(`BatchReader reads a file again that was written meanwhile: ${name}`, async () => {
    await using changing = await Changing.make(noise(size, 1));
    const { path, source, snapshots } = changing;
    const result = await changing.save({
      onRead: (number) =>
        number === 1 && writeFileSync(path, noise(size + 77, 2)),
    });
    deepEqual([result.changed, result.errors], [[], []]);
    deepEqual(
      await readSnapshot(snapshots, result.record!),
      readDisk(source),
    );
    equal(result.totals.byteCount, size + 77);
  });

  Deno.test(`BatchReader stores a file that never holds still as last read: ${name}`, async () => {
    await using changing = await Changing.make(noise(size, 1));
    const { path, snapshots } = changing;
    const result = await changing.save({
      onRead: (number) => appendFileSync(path, noise(10, number)),
    });
    deepEqual(result.errors, []);
    deepEqual(result.changed, [new TextEncoder().encode("file")]);
    deepEqual(result.record!.changed, { count: 1, first: ["file"] });
    const listing = await readSnapshot(snapshots, result.record!);
    const { byteCount } = result.totals;
    ok(size <= byteCount && byteCount < readFileSync(path).length);
    // Exactly the first bytes of what the file is now.
    truncateSync(path, byteCount);
    equal(
      listing.get("file")!.content,
      readDisk(changing.source).get("file")!.content,
    );
  });

  for (const left of [0, 1, 20_000, 100_000, 200_000, 5_000_000]) {
    if (left >= size) continue;
    for (const bytes of ["noise", "zeros"]) {
      Deno.test(`BatchReader stores a file of ${bytes} that shrinks to ${left} bytes: ${name}`, async () => {
        const content = bytes === "zeros"
          ? new Uint8Array(size)
          : noise(size, 1);
        await using changing = await Changing.make(content);
        const { path, source, snapshots } = changing;
        const result = await changing.save({
          onRead: (number) => number === 1 && utimesSync(path, 1, 1),
          // Before the second attempt, which expects the whole.
          onCheck: (number) => number === 1 && truncateSync(path, left),
        });
        deepEqual(result.errors, []);
        equal(result.changed.length, 1);
        const listing = await readSnapshot(snapshots, result.record!);
        equal(
          listing.get("file")!.content,
          readDisk(source).get("file")!.content,
        );
        equal(result.totals.byteCount, left);
      });
    }
  }
}

Deno.test("BatchReader stores a recipe that was promised although the file fails then", async () => {
  await using changing = await Changing.make(noise(6_000_000, 1));
  const { path, source, snapshots } = changing;
  copyFileSync(path, `${path}2`);
  const result = await changing.save({
    onRead: (number) => {
      if (number === 1) utimesSync(path, 1, 1);
      if (number === 3) throw new DiskError("read", encode("file"), "EIO");
    },
  });
  deepEqual(result.errors.map(({ code }) => code), ["EIO"]);
  const listing = await readSnapshot(snapshots, result.record!);
  deepEqual([...listing.keys()], ["", "file2"]);
  equal(
    listing.get("file2")!.content,
    readDisk(source).get("file2")!.content,
  );
});

Deno.test("BatchReader leaves a file out that vanishes, and says so", async () => {
  await using changing = await Changing.make(noise(1000, 1));
  const { source, snapshots } = changing;
  const gone = join(source, "gone");
  writeFileSync(gone, "gone");
  const result = await changing.save({
    onRead: () => rmSync(gone, { force: true }),
  });
  deepEqual(
    result.errors.map(({ action, code, path }) => [action, code, path]),
    [["open", "ENOENT", encode("gone")]],
  );
  deepEqual(result.record!.unreadable, { count: 1, first: ["gone"] });
  const listing = await readSnapshot(snapshots, result.record!);
  deepEqual([...listing.keys()], ["", "file"]);
});

Deno.test("BatchReader follows no link that has taken the place of a file", async () => {
  await using changing = await Changing.make(noise(1000, 1));
  const victim = join(changing.source, "victim");
  writeFileSync(victim, "file");
  const result = await changing.save({
    onRead: () => {
      rmSync(victim, { force: true });
      symlinkSync("/etc/passwd", victim);
    },
  });
  deepEqual(result.errors.map(({ code }) => code), ["ELOOP"]);
  const { snapshots } = changing;
  const listing = await readSnapshot(snapshots, result.record!);
  deepEqual([...listing.keys()], ["", "file"]);
});

Deno.test("BatchReader waits for no fifo that has taken the place of a file", async () => {
  await using changing = await Changing.make(noise(1000, 1));
  const victim = join(changing.source, "victim");
  writeFileSync(victim, "file");
  const result = await changing.save({
    onRead: (number) => {
      if (number > 1) return;
      rmSync(victim);
      const { code } = new Deno.Command("mkfifo", { args: [victim] })
        .outputSync();
      equal(code, 0);
    },
  });
  const { snapshots } = changing;
  const listing = await readSnapshot(snapshots, result.record!);
  deepEqual([...listing.keys()], ["", "file"]);
  equal(result.errors.length, 1);
});

/** Saves a directory of the system, and gives what its files turned out to be. */
async function saveSystem(
  path: string,
): Promise<SaveResult & { files: number }> {
  await using snapshots = await makeMemorySnapshots();
  const result = await save(snapshots, path);
  const listing = await readSnapshot(snapshots, result.record!);
  let files = 0;
  for (const [name, { kind, content }] of listing) {
    if (kind !== "file") continue;
    equal(content, readDisk(path).get(name)!.content, name);
    files++;
  }
  return { ...result, files };
}

for (
  const [path, type] of [["/proc/tty", "proc"], [
    "/sys/class/net/lo/queues/rx-0",
    "sysfs",
  ]]
) {
  Deno.test(
    `save reads files to their end whatever size they are said to have: ${type}`,
    {
      ignore: !existsSync(path),
    },
    async () => {
      const result = await saveSystem(path);
      deepEqual([result.changed, result.errors], [[], []]);
      ok(result.files > 0);
      ok(result.totals.byteCount > 0);
      deepEqual(result.unreal, [{ path: new Uint8Array(0), type }]);
    },
  );
}

/** Makes reads of a file find as many bytes as wanted, of which the file says nothing. */
class EndlessFile implements Disposable {
  readonly #read = FileReader.prototype.read;
  reads = 0;

  constructor(sizeMax: number, onRead: (number: number) => void = () => {}) {
    FileReader.prototype.read = (out, offset) => {
      onRead(++this.reads);
      const size = Math.max(0, Math.min(out.length, sizeMax - offset));
      out.fill(7, 0, size);
      return size;
    };
  }

  [Symbol.dispose](): void {
    FileReader.prototype.read = this.#read;
  }
}

const { sizeMax } = DEFAULT_SETTINGS.chunk;

for (const told of [0, 10, 300_000, 4_194_304, 4_194_305, 6_000_000]) {
  const sizes = told > 10 ? [] : [-1, 0, 1].map((by) => sizeMax - told + by);
  for (const more of [1, 100_000, 9_000_000, ...sizes]) {
    Deno.test(`BatchReader reads ${more} bytes behind the ${told} that a file says it has`, async () => {
      await using changing = await Changing.make(noise(told, 1));
      const { source, snapshots } = changing;
      using _file = new EndlessFile(told + more);
      const result = await save(snapshots, source);
      deepEqual([result.changed, result.errors], [[], []]);
      equal(result.totals.byteCount, told + more);
      const view = await View.open(snapshots, result.record!);
      const entry = await view.lookup(encode("file"));
      deepEqual(
        Buffer.compare(
          await view.read(entry!),
          new Uint8Array(told + more).fill(7),
        ),
        0,
      );
    });
  }
}

Deno.test("BatchReader does not chase a file that says nothing of its size and grows", async () => {
  await using changing = await Changing.make(noise(10, 1));
  const { path, source, snapshots } = changing;
  using file = new EndlessFile(Infinity, (number) => {
    if (number >= 3) appendFileSync(path, "more");
  });
  const result = await save(snapshots, source);
  deepEqual(result.changed, [encode("file")]);
  ok(file.reads < 10, `${file.reads} reads`);
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
