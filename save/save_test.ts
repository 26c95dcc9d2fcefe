import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import {
  LATER,
  makeTree,
  restoreAndCompare,
  saveAndCompare,
} from "../tests/_saves.ts";
import {
  leftovers,
  makeFileStore,
  makeMemorySnapshots,
  makeSnapshots,
  namesIn,
  noise,
  open,
  readDisk,
  readEverything,
  readSnapshot,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { save } from "./save.ts";
import { DEFAULT_SETTINGS } from "@snap/store/format";

const isRoot = Deno.uid() === 0;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;

for (const workers of [0, 1, 2]) {
  for (const settings of [DEFAULT_SETTINGS, SMALL_SETTINGS]) {
    Deno.test(`save keeps every kind of entry: ${workers} workers, ${settings.codec}`, async () => {
      using folder = new TemporaryFolder();
      makeTree(folder.path);
      if (isRoot) {
        const path = folder.path;
        const script =
          `mknod "$0/null" c 1 3; mknod "$0/loop" b 7 300; mkfifo "$0/fifo";
          chown 1234:5678 "$0/same"; chmod 4755 "$0/run"; chmod 1777 "$0/empty"`;
        new Deno.Command("sh", { args: ["-c", script, path] }).outputSync();
      }
      await using snapshots = await makeMemorySnapshots(settings);
      const result = await saveAndCompare(snapshots, folder.path, { workers });
      equal(result.fidelity, "full");
      equal(result.isNewRecord, true);
      equal(result.totals.hardLinkCount, 2);
      equal(result.totals.fileCount, 9);
      equal(result.totals.directoryCount, 4);
    });
  }
}

Deno.test("save gives one id for copies with other times, modes, chunk sizes and codecs", async () => {
  using folder = new TemporaryFolder();
  const ids = new Set<string>();
  const records = new Set<string>();
  for (const [i, umask] of ["002", "022", "077"].entries()) {
    const path = folder.join(umask);
    const script = `umask ${umask}; mkdir "$0"; cd "$0"; mkdir a a/b empty;
      echo hello > a/file; echo exe > a/b/run; chmod u+x a/b/run; ln -s a/file link;
      dd if=/dev/zero of=zeros bs=1000 count=500 2> /dev/null; seq 100000 > a/numbers;
      touch -d @${i}00000 a/file a/b a`;
    const { code } = new Deno.Command("sh", { args: ["-c", script, path] })
      .outputSync();
    equal(code, 0);
    const settings = {
      ...SMALL_SETTINGS,
      chunk: { ...SMALL_SETTINGS.chunk, sizeMax: 4096 << i, gearSeed: 77 + i },
      bundleSizeMax: 4096 << i,
      codec: ["none", "lz4", "zstd:3"][i],
    };
    await using snapshots = await makeMemorySnapshots(settings);
    const result = await saveAndCompare(snapshots, path, { workers: i });
    ids.add(result.id);
    records.add(result.record!.page);
  }
  equal(ids.size, 1);
  equal(records.size, 3);
});

Deno.test("save follows a link that is the source, and refuses what is no directory", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("real"));
  writeFileSync(folder.join("real", "file"), "x");
  symlinkSync("real", folder.join("link"));
  await using snapshots = await makeMemorySnapshots();
  const real = await save(snapshots, folder.join("real"));
  equal((await save(snapshots, folder.join("link"))).id, real.id);
  const file = folder.join("real", "file");
  await rejects(save(snapshots, file), { name: "DiskError", code: "ENOTDIR" });
  const gone = folder.join("gone");
  await rejects(save(snapshots, gone), { name: "DiskError", code: "ENOENT" });
  const path = new TextEncoder().encode(folder.join("real"));
  equal((await save(snapshots, path)).id, real.id);
});

Deno.test("save stores an empty directory, and one whose bytes are a file's", async () => {
  using folder = new TemporaryFolder();
  await using snapshots = await makeMemorySnapshots();
  const source = folder.join("source");
  mkdirSync(join(source, "inner"), { recursive: true });
  writeFileSync(join(source, "inner", "file"), "content");
  const first = await save(snapshots, source);
  const reader = await snapshots.reader();
  // The raw bytes of the tree and of its page become files of the next snapshot.
  for (
    const [name, kind, id] of [["tree", 3, "tree"], [
      "page",
      4,
      "page",
    ]] as const
  ) {
    const bytes = await reader.readObject(
      Buffer.from(first.record![id], "hex"),
      kind,
    );
    writeFileSync(join(source, name), bytes);
    mkdirSync(join(source, `${name}s`));
  }
  await saveAndCompare(snapshots, source);
  // The other way round: the file first, the tree after it.
  await using fresh = await makeMemorySnapshots();
  const both = await saveAndCompare(fresh, source);
  await restoreAndCompare(fresh, both.record!, readDisk(source));
  rmSync(join(source, "tree"));
  rmSync(join(source, "page"));
  rmdirs(source, "trees", "pages");
  const last = await saveAndCompare(fresh, source);
  equal(last.id, first.id);
  equal(await readEverything(fresh), 2);
});

function rmdirs(path: string, ...names: string[]): void {
  for (const name of names) rmSync(join(path, name), { recursive: true });
}

Deno.test("save keeps extended attributes, large ones too, and counts them", async () => {
  using folder = new TemporaryFolder("/dev/shm");
  const script =
    `cd "$0"; mkdir dir; echo a > file; echo b > dir/plain; ln -s file link`;
  new Deno.Command("sh", { args: ["-c", script, folder.path] }).outputSync();
  const { posix } = await import("@snap/posix");
  const set = (name: string, attribute: string, value: Uint8Array): number => {
    const path = new TextEncoder().encode(`${folder.join(name)}\0`);
    const key = new TextEncoder().encode(`${attribute}\0`);
    return posix!.lsetxattr(path, key, value);
  };
  const attribute = isRoot ? "trusted.snap" : "user.snap";
  const isPossible = set("file", attribute, noise(10, 1)) >= 0;
  await using snapshots = await makeMemorySnapshots();
  if (!isPossible) return console.warn("No extended attributes here: skipped");
  ok(set("file", `${attribute}2`, noise(3000, 2)) >= 0);
  ok(set("dir", attribute, noise(2000, 3)) >= 0);
  const first = await saveAndCompare(snapshots, folder.path, LATER);
  equal(first.totals.xattrCount, 2);
  const second = await save(snapshots, folder.path, LATER);
  equal(second.isNewRecord, false);
  equal(second.totals.xattrCount, 2);
  ok(set("dir", attribute, noise(2000, 4)) >= 0);
  const third = await save(snapshots, folder.path, LATER);
  equal(third.id, first.id);
  equal(third.isNewRecord, true);
  notEqual(third.record!.page, first.record!.page);
});

Deno.test("save keeps holes", async () => {
  using folder = new TemporaryFolder("/dev/shm");
  const path = folder.join("sparse");
  const script =
    `truncate -s 40M "$0"; printf x | dd of="$0" bs=1 seek=20000000 conv=notrunc 2> /dev/null`;
  new Deno.Command("sh", { args: ["-c", script, path] }).outputSync();
  for (const workers of [0, 2]) {
    await using snapshots = await makeMemorySnapshots();
    const result = await saveAndCompare(snapshots, folder.path, { workers });
    equal(result.totals.holeCount, 1);
    equal(result.totals.byteCount, 40 * 2 ** 20);
    ok(result.storedByteCount < 100_000, `${result.storedByteCount}`);
  }
});

Deno.test("save leaves its own store and sockets out", async () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "x");
  await using snapshots = await makeSnapshots(folder.join("deep-store"));
  symlinkSync("deep-store", folder.join("link"));
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(folder.join("socket"), resolve);
  await promise;
  const result = await save(snapshots, folder.path);
  equal(result.socketCount, 1);
  const listing = await readSnapshot(snapshots, result.record!);
  deepEqual([...listing.keys()], ["", "file", "link"]);
  await new Promise((done) => server.close(done));
});

Deno.test("save gives a chain of directories deeper than the limit as an error", async () => {
  using folder = new TemporaryFolder();
  const script =
    `cd "$0"; i=0; while [ $i -lt 1030 ]; do mkdir d; cd d; i=$((i+1)); done; touch end`;
  const { code } = new Deno.Command("sh", { args: ["-c", script, folder.path] })
    .outputSync();
  equal(code, 0);
  await using snapshots = await makeMemorySnapshots();
  const result = await save(snapshots, folder.path);
  deepEqual(result.errors.map((error) => error.code), ["EDEPTH"]);
  equal(result.totals.directoryCount, 1024);
  await readSnapshot(snapshots, result.record!);
  new Deno.Command("rm", { args: ["-rf", folder.join("d")] }).outputSync();
});

Deno.test("save with dryRun stores nothing and says what would be new", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  const store = await makeFileStore(folder.join("store"));
  await using snapshots = await open(store);
  for (const workers of [0, 2]) {
    const dry = await save(snapshots, source, { workers, dryRun: true });
    equal(dry.record, undefined);
    equal(dry.isNewRecord, false);
    deepEqual(await namesIn(store), ["config/1"]);
    deepEqual(leftovers(store), []);
    ok(dry.progress.newByteCount > 200_000);
  }
  const dry = await save(snapshots, source, { dryRun: true });
  const real = await save(snapshots, source);
  equal(dry.id, real.id);
  deepEqual(dry.totals, real.totals);
  equal(dry.progress.newByteCount, real.progress.newByteCount);
  equal(dry.progress.newObjectCount, real.progress.newObjectCount);
});

Deno.test("save reports progress that ends with everything", async () => {
  using folder = new TemporaryFolder();
  makeTree(folder.path);
  for (const workers of [0, 2]) {
    await using snapshots = await makeMemorySnapshots();
    const seen: { fileCount: number; isWalked: boolean }[] = [];
    const result = await save(snapshots, folder.path, {
      workers,
      onProgress: (progress) => seen.push({ ...progress }),
    });
    ok(seen.length >= 1);
    equal(seen.at(-1)!.fileCount, result.totals.fileCount);
    equal(seen.at(-1)!.isWalked, true);
    equal(result.progress.byteCount, result.totals.byteCount);
    equal(result.progress.foundByteCount, result.totals.byteCount);
  }
});

Deno.test("save says what it could not read", { ignore: !isRoot }, async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  makeTree(source);
  writeFileSync(join(source, "secret"), "secret");
  chmodSync(join(source, "secret"), 0);
  for (
    const [name, mode] of [["closed", 0], ["listed", 0o444], [
      "entered",
      0o111,
    ]] as const
  ) {
    mkdirSync(join(source, name));
    writeFileSync(join(source, name, "inner"), "inner");
    chmodSync(join(source, name), mode);
  }
  const program = new URL("../tests/_save_as.ts", import.meta.url).pathname;
  await using _store = await makeSnapshots(folder.join("store"));
  for (const workers of ["0", "2"]) {
    const { stdout, stderr, code } = await new Deno.Command("setpriv", {
      // Root without what lets it read everything.
      args: [
        "--bounding-set=-dac_override,-dac_read_search",
        Deno.execPath(),
        "run",
        "--cached-only",
        "--no-lock",
        `--config=${CONFIG}`,
        "-A",
        program,
        folder.join("store"),
        source,
        workers,
      ],
    }).output();
    equal(code, 0, new TextDecoder().decode(stderr));
    const { errors, unreadable, entries } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    deepEqual(
      errors.sort(),
      [
        ["listed/inner", "EACCES"],
        ["closed", "EACCES"],
        ["entered", "EACCES"],
        ["secret", "EACCES"],
      ].sort(),
    );
    equal(unreadable.count, 4);
    equal(entries.includes("text"), true);
    equal(entries.includes("secret"), false);
    equal(entries.includes("listed"), true);
  }
});
