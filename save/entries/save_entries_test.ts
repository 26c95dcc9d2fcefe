import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { entryKindName } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { save } from "@snap/save";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { FaultStore } from "@snap/store/testing";
import type { MemoryStore } from "@snap/store/memory";
import {
  makeMemorySnapshots,
  noise,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import type { EntryInput } from "./entry_input.ts";
import { saveEntries, type SaveEntriesOptions } from "./save_entries.ts";

const large = noise(3_000_000, 1);

/** Gives bytes in pieces that are gone when the next is asked for. */
async function* inOneBuffer(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(70_001);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const piece = bytes.subarray(at, at + buffer.length);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
    buffer.fill(0);
  }
}

async function linesOf(
  snapshots: Snapshots<MemoryStore>,
  entries: readonly EntryInput[],
) {
  const { record } = await saveEntries(snapshots, entries, { now: () => 1500 });
  const view = await View.open(snapshots, record);
  const lines: string[] = [];
  for await (const entry of view.walk()) {
    const { mode, mtimeSec, mtimeNs, uid, gid } = entry.attributes;
    const what = entry.target.length > 0
      ? displayPath(entry.target)
      : [1, 2].includes(entry.kind)
      ? new TextDecoder().decode(await view.read(entry))
      : "";
    lines.push(
      `${displayPath(entry.path)} ${entryKindName(entry.kind)} ${
        mode.toString(8)
      } ${mtimeSec}.${mtimeNs} ${uid}:${gid} ${what}`.trim(),
    );
  }
  return lines;
}

Deno.test("entries from memory have the id of the same tree on a disk", async () => {
  using folder = new TemporaryFolder();
  const at = (path: string) => folder.join(path);
  mkdirSync(at("a/b/empty"), { recursive: true });
  writeFileSync(at("a/b/large"), large);
  writeFileSync(at("a/b/none"), "");
  writeFileSync(at("a-1"), "50%");
  writeFileSync(at("a/run"), "#!/bin/sh\n");
  chmodSync(at("a/run"), 0o755);
  writeFileSync(at("a/ü"), "ü");
  symlinkSync("../a-1", at("a/link"));
  const snapshots = await makeMemorySnapshots();
  const onDisk = await save(snapshots, folder.path);
  async function* entries(): AsyncGenerator<EntryInput> {
    yield { path: "a/link", target: "../a-1" };
    yield { path: "a/b/large", content: inOneBuffer(large) };
    yield { path: "a/ü", content: new Blob(["ü"]) };
    yield { path: "./a//run", kind: "executable", content: "#!/bin/sh\n" };
    yield { path: new TextEncoder().encode("a/b/none"), kind: "file" };
    yield { path: "a-1", content: new Response("50%").body! };
    yield { path: "a/b/empty/", kind: "directory" };
  }
  for (
    const shuffled of [entries(), (await Array.fromAsync(entries())).reverse()]
  ) {
    const saved = await saveEntries(snapshots, shuffled, { source: "build" });
    strictEqual(saved.id, onDisk.id);
    strictEqual(saved.newByteCount, 0);
    deepStrictEqual(saved.totals, onDisk.totals);
    strictEqual(saved.record.source, "build");
  }
  // Without the save before: all that a restore needs is there.
  const alone = await makeMemorySnapshots();
  strictEqual((await saveEntries(alone, entries())).id, onDisk.id);
  deepStrictEqual((await verify(alone, { data: true })).damages, []);
  await alone.close();
  await snapshots.close();
});

Deno.test("an entry has what it says, else what goes with its kind", async () => {
  const snapshots = await makeMemorySnapshots();
  deepStrictEqual(
    await linesOf(snapshots, [
      { path: "made/file", content: "1", mtimeSec: -5, mtimeNs: 7, uid: 4 },
      { path: "stat", content: "2", mode: 0o100755, gid: 2 ** 32 - 1 },
      { path: "file", content: "3", kind: "executable", mode: 0o4640 },
      { path: "date", content: "4", mtime: new Date(-1) },
      { path: "link", target: new Uint8Array([0xff]) },
      { path: "pipe", kind: "fifo" },
      { path: "null", kind: "characterDevice", deviceMajor: 1, deviceMinor: 3 },
    ]),
    [
      "date file 644 -1.999000000 0:0 4",
      "file file 4640 1.500000000 0:0 3",
      "link symlink 777 1.500000000 0:0 %FF",
      "made directory 755 -5.7 4:0",
      "made/file file 644 -5.7 4:0 1",
      "null characterDevice 644 1.500000000 0:0",
      "pipe fifo 644 1.500000000 0:0",
      "stat executable 755 1.500000000 0:4294967295 2",
    ],
  );
  await snapshots.close();
});

Deno.test("a path that comes again is what came last", async () => {
  const snapshots = await makeMemorySnapshots();
  deepStrictEqual(
    await linesOf(snapshots, [
      { path: "d/x", content: "old" },
      { path: "d", kind: "directory", mode: 0o700 },
      { path: "d/x", target: "y" },
      { path: "e", target: "y" },
      { path: "./e", content: "new" },
      { path: ".", kind: "directory", mode: 0o711 },
    ]),
    [
      "d directory 700 1.500000000 0:0",
      "d/x symlink 777 1.500000000 0:0 y",
      "e file 644 1.500000000 0:0 new",
    ],
  );
  await snapshots.close();
});

/** Entries that end a save, and what it says. */
const BAD: readonly (readonly [unknown, string, RegExp])[] = [
  [
    { path: "a/../b" },
    "EntryError",
    /^Cannot save a\/\.\.\/b: its path leads out/,
  ],
  [{ path: "/a" }, "EntryError", /^Cannot save \/a: its path is absolute$/],
  [{ path: "" }, "EntryError", /^Cannot save : its path is empty$/],
  [{ path: "." }, "EntryError", /^Cannot save \.: only a directory can be the/],
  [{ path: "a\0b" }, "EntryError", /^Cannot save a%00b: a name must not/],
  [{ path: "n".repeat(256) }, "EntryError", /1 to 255 bytes$/],
  [{ path: "\ud800" }, "EntryError", /a surrogate stands alone in its path$/],
  [
    { path: "d/".repeat(1025) + "f" },
    "EntryError",
    /nest more than 1024 deep$/,
  ],
  [
    { path: "file/x" },
    "EntryError",
    /^Cannot save file\/x: a parent of it is no directory: found file$/,
  ],
  [
    { path: "link/x" },
    "EntryError",
    /a parent of it is no directory: found symlink$/,
  ],
  [
    { path: "dir" },
    "EntryError",
    /^Cannot save dir: it came as directory, and comes as file$/,
  ],
  [
    { path: "file", kind: "directory", content: undefined },
    "EntryError",
    /it came as file, and comes as directory$/,
  ],
  [
    { path: "a", target: "b\0", content: undefined },
    "EntryError",
    /^Cannot save a: a target must not contain NUL$/,
  ],
  [
    { path: "a", kind: "symlink", content: undefined },
    "EntryError",
    /1 to 4095 bytes$/,
  ],
  [
    { path: 5 },
    "TypeError",
    /^Cannot save entry: its path must be text or a Uint8Array: found number$/,
  ],
  [undefined, "TypeError", /its path must be .*: found undefined$/],
  [
    { path: "a", content: undefined },
    "TypeError",
    /^Cannot save a: its kind, .*must be one of file, .*: found undefined$/,
  ],
  [
    { path: "a", kind: "link" },
    "TypeError",
    /must be one of .*: found "link"$/,
  ],
  [
    { path: "a", kind: "fifo" },
    "TypeError",
    /its kind must be a file as it has content: found "fifo"$/,
  ],
  [
    { path: "a", target: "b" },
    "TypeError",
    /its kind must be symlink as it has a target: found "file"$/,
  ],
  [
    { path: "a", content: 5 },
    "TypeError",
    /its content must be text, .*: found number$/,
  ],
  [
    { path: "a", content: Promise.resolve("b") },
    "TypeError",
    /: found Promise$/,
  ],
  [
    { path: "a", mode: "0644" },
    "TypeError",
    /its mode must be a number: found "0644"$/,
  ],
  [
    { path: "a", mode: 0o200000 },
    "RangeError",
    /its mode must be a whole number from 0 to 65535: found 65536$/,
  ],
  [{ path: "a", uid: -1 }, "RangeError", /its uid must be/],
  [{ path: "a", mtimeSec: 0.5 }, "RangeError", /its mtimeSec must be/],
  [
    { path: "a", mtimeSec: 1, mtimeNs: 1e9 },
    "RangeError",
    /its mtimeNs must be/,
  ],
  [
    { path: "a", mtime: 5 },
    "TypeError",
    /its mtime must be a valid Date: found number$/,
  ],
  [
    { path: "a", mtime: new Date(NaN) },
    "TypeError",
    /its mtime must be a valid Date: found Date$/,
  ],
];

Deno.test("a bad entry ends a save: no record, its stream is cancelled", async () => {
  const snapshots = await makeMemorySnapshots();
  for (const [bad, name, message] of BAD) {
    let cancelCount = 0, isReturned = false;
    const content = new ReadableStream({ cancel: () => void cancelCount++ });
    const entry = bad === undefined ? bad : { content, ...bad as object };
    const entries = function* () {
      try {
        yield { path: "file", content: "1" };
        yield { path: "link", target: "dir" };
        yield { path: "dir/x", content: "1" };
        yield entry as unknown as EntryInput;
      } finally {
        isReturned = true;
      }
    };
    await rejects(saveEntries(snapshots, entries()), { name, message });
    ok(isReturned, String(message));
    const isWaiting = entry !== undefined &&
      Object.values(entry).includes(content);
    strictEqual(cancelCount, isWaiting ? 1 : 0, String(message));
  }
  deepStrictEqual(await snapshots.records(), []);
  strictEqual((await saveEntries(snapshots, [])).totals.entryCount, 0);
  await snapshots.close();
});

async function fails(
  entry: EntryInput,
  expected: object,
  options?: SaveEntriesOptions,
): Promise<void> {
  const snapshots = await makeMemorySnapshots();
  await rejects(
    saveEntries(snapshots, [{ path: "b", content: "" }, entry], options),
    expected,
  );
  deepStrictEqual(await snapshots.records(), []);
  await snapshots.close();
}

Deno.test("content that fails ends a save, and the error names its path", async () => {
  const cause = new Error("the compiler crashed");
  async function* broken() {
    yield large;
    throw cause;
  }
  await fails({ path: "a/b", content: broken() }, {
    name: "EntryError",
    message: "Cannot save a/b: its content failed: the compiler crashed",
    cause,
  });
  let isReturned = false;
  async function* text() {
    try {
      yield "text" as unknown as Uint8Array;
    } finally {
      isReturned = true;
    }
  }
  await fails({ path: "a", content: text() }, {
    message: /^Cannot save a: its content failed: .*no Uint8Array$/,
  });
  ok(isReturned);
});

Deno.test("a store that fails ends a save: the error is its own, the stream is cancelled", async () => {
  const inner = (await makeMemorySnapshots(SMALL_SETTINGS)).store;
  const at = [{ call: 1, fault: "error" as const }];
  const store = new FaultStore(inner, { at, actions: ["adopt"] });
  const snapshots = await openSnapshots(store, { hasher });
  let pieceCount = 0, isCancelled = false;
  const content = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(noise(1 << 20, pieceCount++)),
    cancel: () => void (isCancelled = true),
  });
  const entries = [{ path: "endless", content }];
  await rejects(saveEntries(snapshots, entries), { name: "StoreError" });
  ok(isCancelled);
  deepStrictEqual(await snapshots.records(), []);
  const { id } = await saveEntries(snapshots, [{ path: "a", content: "a" }]);
  match(id, /^\w{64}$/);
  await snapshots.close();
});

Deno.test("a signal ends a save that waits for content or entries, and cancels the stream", async () => {
  const over = new AbortController();
  const { signal } = over;
  const reason = new Error("over");
  let cancelled: unknown;
  const content = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (cancelled !== undefined) return;
      controller.enqueue(new Uint8Array(10));
      over.abort(reason);
      return new Promise(() => {});
    },
    cancel: (why) => void (cancelled = why),
  }, { highWaterMark: 0 });
  await fails({ path: "a", content }, reason, { signal });
  strictEqual(cancelled, reason);

  const other = new AbortController();
  const snapshots = await makeMemorySnapshots();
  async function* stalled(): AsyncGenerator<EntryInput> {
    yield { path: "a", content: "a" };
    queueMicrotask(() => other.abort(reason));
    await new Promise(() => {});
  }
  await rejects(
    saveEntries(snapshots, stalled(), { signal: other.signal }),
    reason,
  );
  deepStrictEqual(await snapshots.records(), []);
  await snapshots.close();
});

Deno.test("what is no list of entries is refused by its name", async () => {
  const snapshots = await makeMemorySnapshots();
  const entries = { path: "a" } as unknown as EntryInput[];
  await rejects(saveEntries(snapshots, entries), {
    name: "TypeError",
    message: /^Cannot save as entries must be iterable, .*: found Object$/,
  });
  match((await saveEntries(snapshots, new Set<EntryInput>())).id, /^\w{64}$/);
  await snapshots.close();
});
