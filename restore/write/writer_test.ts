// Batches of files written by hand-made batches: what ends one, what costs one file, what is left open.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { type DiskCalls, diskCalls } from "@snap/disk";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openIndex } from "@snap/pack/read";
import { EIO, errnos } from "@snap/posix/constants";
import {
  makeFileStore,
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import {
  FilePlan,
  FRAME_EMPTY,
  FRAME_RECIPE,
  KEEP,
  type RestoreBatch,
  type RestoreBatchResult,
  type RestorerConfig,
  RestoreStatus,
} from "../messages.ts";
import { localSource, type RestoreSource } from "./restore_source.ts";
import { Restorer, STEP_SIZE } from "./writer.ts";
import { save } from "@snap/save";

const { failed, left, stopped, unchanged, written } = RestoreStatus;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What making a file is said to cost. */
const FILE_COST = 16 * 1024;

/** A file of a batch, in the one frame that there is. */
interface File {
  readonly name: string;
  readonly content: Uint8Array;
  /** Where it is said to lie in the frame, and its size, if these lie. */
  readonly offset?: number;
  readonly size?: number;
  readonly id?: Uint8Array;
  readonly plan?: FilePlan;
  readonly mode?: number;
}

function idOf(bytes: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  wasmHasher.hashInto(bytes, id);
  return id;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function endsOf(parts: readonly Uint8Array[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(parts, ({ length }) => end += length);
}

/** The stored bytes of the frame of a batch. */
const storedFrames = new WeakMap<Uint32Array, Uint8Array>();

/** Writes the pack of a batch into a folder; gives what its path begins with. */
function writePack(folder: TemporaryFolder, batch: RestoreBatch): string {
  const frame = storedFrames.get(batch.frames)!;
  mkdirSync(folder.join("packs/aa"), { recursive: true });
  const path = folder.join("packs/aa/none");
  writeFileSync(path, joined([new Uint8Array(72), frame]));
  return `${folder.path}/`;
}

/** A batch of files in the root; their contents are one frame, stored as it is. */
function batchOf(files: readonly File[]): RestoreBatch {
  const contents = files.map(({ content }) => content);
  const ends = endsOf(contents);
  const frame = joined(contents);
  const names = files.map(({ name }) => encode(name));
  const kept = new Uint32Array(files.length).fill(KEEP);
  const frames = Uint32Array.of(0, 72, frame.length, frame.length, 0);
  storedFrames.set(frames, frame);
  return {
    number: 7,
    count: files.length,
    paths: new Uint8Array(0),
    fresh: new Uint8Array(1),
    pathEnds: Uint32Array.of(0),
    directories: new Uint32Array(files.length),
    names: joined(names),
    nameEnds: endsOf(names),
    ids: joined(files.map(({ content, id = idOf(content) }) => id)),
    sizes: Float64Array.from(
      files,
      ({ content, size }) => size ?? content.length,
    ),
    modes: Uint32Array.from(files, ({ mode = KEEP }) => mode),
    uids: kept,
    gids: kept,
    mtimeSecs: new Float64Array(files.length),
    mtimeNs: kept,
    plans: Uint8Array.from(files, ({ plan = FilePlan.create }) => plan),
    packs: ["packs/aa/none"],
    frames,
    frameOf: Int32Array.from(
      files,
      ({ content }) => content.length === 0 ? FRAME_EMPTY : 0,
    ),
    offsets: Uint32Array.from(
      files,
      ({ content, offset }, i) => offset ?? ends[i] - content.length,
    ),
    extras: [],
  };
}

/** Calls of the disk, counted, of which some fail. */
class Calls {
  readonly names: string[] = [];
  readonly open = new Set<number>();
  /** Gives the answer of a call that fails. */
  fault: (name: string, number: number) => number = () => 0;
  readonly calls: DiskCalls;

  constructor(inner: DiskCalls = diskCalls()) {
    this.calls = new Proxy(inner, {
      get: (target, key) => {
        const value = target[key as keyof DiskCalls];
        if (typeof value !== "function") return value;
        const call = value.bind(target) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => this.#run(String(key), call, args);
      },
    });
  }

  #run(
    name: string,
    call: (...args: unknown[]) => unknown,
    args: unknown[],
  ): unknown {
    this.names.push(name);
    const number = this.names.filter((one) => one === name).length;
    const fault = this.fault(name, number);
    if (name === "close") ok(this.open.delete(args[0] as number), "foreign");
    if (fault < 0 && name !== "close") return fault;
    const result = call(...args);
    const isOpening = ["open", "openAt", "openAt2"].includes(name);
    if (isOpening && (result as number) >= 0) this.open.add(result as number);
    return fault < 0 ? fault : result;
  }
}

/** Writes a batch into a folder, and closes everything. */
function restore(
  folder: TemporaryFolder,
  batch: RestoreBatch,
  options: Partial<RestorerConfig> & {
    readonly disk?: Calls;
    readonly storePrefix?: string;
    readonly source?: RestoreSource;
  } = {},
): RestoreBatchResult & { readonly steps: number } {
  const { disk = new Calls(), storePrefix, source, ...config } = options;
  const control = new SharedArrayBuffer(8);
  let steps = 0;
  using packs = new TemporaryFolder();
  const prefix = storePrefix ?? writePack(packs, batch);
  try {
    using restorer = new Restorer({
      target: encode(folder.path),
      indexTables: [],
      isDry: false,
      xattrs: false,
      control,
      worker: 0,
      ...config,
    }, {
      hasher: wasmHasher,
      calls: disk.calls,
      source: source ?? localSource((name) => prefix + name),
    });
    const run = restorer.restore(batch);
    for (;;) {
      const step = run.next();
      if (step.done) {
        equal(new Int32Array(control)[1], 0, "its progress is handed over");
        return { ...step.value, steps };
      }
      steps++;
    }
  } finally {
    deepEqual([...disk.open], [], "all is closed");
  }
}

const FIVE: readonly File[] = [1, 2, 3, 4, 5].map((seed) => ({
  name: `${seed}`,
  content: noise(100 * seed, seed),
}));

function filesIn(folder: TemporaryFolder): string[] {
  return readdirSync(folder.path).sort();
}

Deno.test("Restorer writes the files of a batch", () => {
  using folder = new TemporaryFolder();
  const empty = { name: "6", content: new Uint8Array(0) };
  const result = restore(folder, batchOf([...FIVE, empty]));
  deepEqual([...result.status], Array(6).fill(written));
  equal(result.number, 7);
  equal(result.writtenByteCount, 1500);
  for (const { name, content } of [...FIVE, empty]) {
    deepEqual(new Uint8Array(readFileSync(folder.join(name))), content);
  }
});

for (
  const [code, isOver] of [
    ["ENOSPC", true],
    ["EDQUOT", true],
    ["EROFS", true],
    ["EIO", false],
    ["EACCES", false],
  ] as const
) {
  const what = isOver ? "ends with" : "goes on after";
  Deno.test(`a batch ${what} ${code} of the target`, () => {
    for (const call of ["openAt", "pwrite"]) {
      using folder = new TemporaryFolder();
      const disk = new Calls();
      disk.fault = (name, number) =>
        name === call && number === 2 ? -errnos[code] : 0;
      const result = restore(folder, batchOf(FIVE), { disk });
      const rest = isOver ? stopped : written;
      deepEqual([...result.status], [written, failed, rest, rest, rest], call);
      deepEqual(result.errors.map(({ index }) => index), [1]);
      deepEqual(filesIn(folder), isOver ? ["1"] : ["1", "3", "4", "5"]);
      equal(result.writtenByteCount, isOver ? 100 : 1300);
      const creates = disk.names.filter((name) => name === "openAt").length;
      equal(creates, isOver ? 2 : 5, "nothing is made after the end");
    }
  });
}

Deno.test("an error that is none of the target is no file's fault, and is thrown", () => {
  using folder = new TemporaryFolder();
  const disk = new Calls();
  const wrong = new TypeError("a mistake");
  disk.fault = (name, number) => {
    if (name === "pwrite" && number === 2) throw wrong;
    return 0;
  };
  throws(() => restore(folder, batchOf(FIVE), { disk }), wrong);
  deepEqual(filesIn(folder), ["1"], "nothing half written stays");
});

Deno.test("an attribute that cannot be set costs nothing else", () => {
  using folder = new TemporaryFolder();
  const disk = new Calls();
  disk.fault = (name, number) => name === "fchmod" && number === 2 ? -EIO : 0;
  const files = FIVE.map((file) => ({ ...file, mode: 0o640 }));
  const result = restore(folder, batchOf(files), { disk });
  deepEqual([...result.status], Array(5).fill(written));
  deepEqual(result.errors.map(({ index, code }) => [index, code]), [[
    1,
    "EIO",
  ]]);
  equal(lstatSync(folder.join("3")).mode & 0o777, 0o640);
});

Deno.test("each file is checked by its own id, also where it lies in the place of another", () => {
  using folder = new TemporaryFolder();
  const content = noise(100, 1);
  const other = idOf(noise(100, 2));
  const half = idOf(content);
  half[31] ^= 1;
  const same = { content, offset: 0 };
  const batch = batchOf([
    { name: "a", ...same },
    { name: "b", ...same, id: other },
    { name: "c", ...same },
    { name: "d", ...same, id: half },
    { name: "e", ...same, size: 99 },
    { name: "f", ...same, offset: 1 },
    { name: "g", ...same },
  ]);
  const result = restore(folder, batch);
  deepEqual([...result.status], [
    written,
    left,
    written,
    left,
    left,
    left,
    written,
  ]);
  deepEqual(filesIn(folder), ["a", "c", "g"], "nothing is made of the others");
});

Deno.test("a file that is said to lie past its frame is left, and costs no other", () => {
  using folder = new TemporaryFolder();
  const content = noise(100, 1);
  const batch = batchOf([
    { name: "a", content },
    { name: "b", content: noise(100, 2), offset: 101 },
    { name: "c", content: noise(100, 3), offset: 2 ** 31 },
    { name: "d", content },
  ]);
  deepEqual([...restore(folder, batch).status], [written, left, left, written]);
});

Deno.test("a frame that cannot be decoded costs its files, not the next batch", () => {
  using folder = new TemporaryFolder();
  const batch = batchOf(FIVE);
  const broken = { ...batch, frames: batch.frames.slice() };
  storedFrames.set(broken.frames, storedFrames.get(batch.frames)!);
  broken.frames[4] = 1; // Not LZ4.
  deepEqual([...restore(folder, broken).status], Array(5).fill(left));
  deepEqual(filesIn(folder), []);
  deepEqual([...restore(folder, batch).status], Array(5).fill(written));
});

Deno.test("what stands there stays until the new file is complete, whichever call fails", () => {
  const old = "old content";
  for (const plan of [FilePlan.replace, FilePlan.compare]) {
    for (let at = 1, isOver = false; !isOver; at++) {
      ok(at < 100);
      using folder = new TemporaryFolder();
      writeFileSync(folder.join("file"), old);
      const content = noise(old.length, 1);
      const disk = new Calls();
      let count = 0;
      let failedCall = "";
      disk.fault = (name) => {
        if (name === "geteuid" || ++count !== at) return 0;
        failedCall = name;
        return -EIO;
      };
      const file = { name: "file", content, plan, mode: 0o600 };
      let result: RestoreBatchResult | undefined;
      try {
        result = restore(folder, batchOf([file]), { disk });
      } catch (error) {
        equal((error as { code?: string }).code, "EIO");
      }
      isOver = failedCall === "";
      const now = new Uint8Array(readFileSync(folder.join("file")));
      if (result?.status[0] === written) deepEqual(now, content);
      else deepEqual(now, encode(old), failedCall);
      if (failedCall !== "unlinkAt") {
        deepEqual(filesIn(folder), ["file"], failedCall);
      }
    }
  }
});

Deno.test("large content ends with an error of the target, and is left when it is damaged", async () => {
  using folder = new TemporaryFolder();
  const source = folder.join("source");
  mkdirSync(source);
  const content = noise(100_000, 1);
  writeFileSync(`${source}/file`, content);
  const store = await makeFileStore(folder.join("store"), SMALL_SETTINGS);
  await using snapshots = await open(store);
  await save(snapshots, source);
  const { index } = await openIndex(store, { hasher: wasmHasher });
  const indexTables = index.tables;
  const local = { storePrefix: `${store.path}/`, indexTables };
  const batch = batchOf([{ name: "file", content }]);
  const large = { ...batch, frameOf: Int32Array.of(FRAME_RECIPE) };
  const outcomes: [string, string, number][] = [
    ["pwrite", "ENOSPC", failed],
    ["pwrite", "EIO", failed],
    ["renameAt", "EIO", failed],
    ["", "", written],
  ];
  for (const [call, code, status] of outcomes) {
    using target = new TemporaryFolder();
    const disk = new Calls();
    disk.fault = (name) => name === call ? -errnos[code] : 0;
    const result = restore(target, large, { ...local, disk });
    deepEqual([...result.status], [status], call);
    deepEqual(
      result.errors.map((error) => error.code),
      code === "" ? [] : [code],
    );
    deepEqual(filesIn(target), code === "" ? ["file"] : []);
  }
  using target = new TemporaryFolder();
  const nothing = { ...local, indexTables: [] };
  deepEqual([...restore(target, large, nothing).status], [left]);
  deepEqual(filesIn(target), [], "nothing half written stays");
});

Deno.test("bytes that are damaged are taken anew where they may have been a copy, once", () => {
  const batch = batchOf(FIVE);
  const stored = storedFrames.get(batch.frames)!;
  const flipped = stored.slice();
  flipped[700] ^= 1; // Of the fourth file.
  for (const isOwnDamage of [false, true]) {
    let takes = 0, isFresh = false;
    const ranges = {
      wanted: [],
      take: () => (takes++, isFresh && !isOwnDamage ? stored : flipped),
      hint: () => {},
      distrust: () => !isFresh && (isFresh = true),
      forgetWanted: () => {},
    };
    using folder = new TemporaryFolder();
    const source = { makeRanges: () => ranges, isFar: true };
    const { status } = restore(folder, batch, { source });
    const fourth = isOwnDamage ? left : written;
    deepEqual([...status], [written, written, written, fourth, written]);
    equal(takes, 2);
    deepEqual(
      new Uint8Array(readFileSync(folder.join("5"))),
      FIVE[4].content,
    );
  }
});

Deno.test("a file that is there already is not written again", () => {
  using folder = new TemporaryFolder();
  const [file] = FIVE;
  restore(folder, batchOf([file]));
  const disk = new Calls();
  const again = batchOf([{ ...file, plan: FilePlan.compare }]);
  deepEqual([...restore(folder, again, { disk }).status], [unchanged]);
  ok(!disk.names.includes("pwrite"));
});

Deno.test("a dry run says what it would do, and writes nothing", () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("1"), FIVE[0].content);
  writeFileSync(folder.join("2"), "");
  mkdirSync(folder.join("4"));
  const plans = [
    FilePlan.compare,
    FilePlan.replace,
    FilePlan.create,
    FilePlan.clear,
  ];
  const files = plans.map((plan, i) => ({ ...FIVE[i], plan }));
  const disk = new Calls();
  const result = restore(folder, batchOf(files), { isDry: true, disk });
  deepEqual([...result.status], [unchanged, written, written, written]);
  equal(result.writtenByteCount, 900);
  for (
    const call of ["pwrite", "renameAt", "unlinkAt", "ftruncate", "fchmod"]
  ) {
    ok(!disk.names.includes(call), call);
  }
  equal(existsSync(folder.join("3")), false);
});

Deno.test("a directory in the place of a file is left to who may remove it", () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("1"));
  const batch = batchOf([{ ...FIVE[0], plan: FilePlan.clear }]);
  deepEqual([...restore(folder, batch).status], [left]);
  ok(lstatSync(folder.join("1")).isDirectory());
});

Deno.test("a batch lets others have their turn after so many bytes, what a file costs counted with them", () => {
  using folder = new TemporaryFolder();
  const few = Array.from(
    { length: STEP_SIZE / FILE_COST - 1 },
    (_, i) => ({ name: `${i}`, content: Uint8Array.of(i) }),
  );
  const steps = (files: File[]) =>
    restore(folder, batchOf(files), { isDry: true }).steps;
  equal(steps(few), 0);
  const more = { name: "more", content: Uint8Array.of(1) };
  equal(steps([...few, more]), 1);
});
