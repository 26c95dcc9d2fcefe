// Snapshots for tests, made by hand, so that any damage can be planted. Not part of the package.
import {
  ATTRIBUTES_CONTEXT,
  type Id,
  idFromBytes,
  TREE_CONTEXT,
} from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { encodeExtras, EntryKind, type Extras } from "@snap/manifest/extras";
import { buildIndex, type IndexPack, readPack } from "@snap/pack/index-writer";
import { type Codec, noneCodec } from "@snap/pack/codecs";
import { FrameBuilder, PackWriter } from "@snap/pack/write";
import { ObjectKind, packName, PackRole } from "@snap/pack";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import type { ReadStore } from "@snap/store";
import {
  encodeRecord,
  formatRecordName,
  type NamedRecord,
  type SnapshotRecord,
} from "@snap/snapshot/records";
import { contentId, latin, plainOf } from "./_test_bytes.ts";
import { changeTable, type TestRow } from "./_test_pack_table.ts";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import { AttributePageBuilder, TreeBuilder } from "./_manifest_builders.ts";

/** One entry of a described directory. */
export type TestEntry =
  & {
    readonly mode?: number;
    readonly mtimeSec?: number;
    readonly extras?: Extras;
  }
  & (
    | { readonly file: Uint8Array | string; readonly executable?: boolean }
    /** A file that claims an id and a size, whatever is stored. */
    | { readonly id: Uint8Array; readonly size: number }
    /** Large content: chunks, and how many zeros for a number; `id` makes it lie. */
    | {
      readonly chunks: readonly (Uint8Array | number)[];
      readonly id?: Uint8Array;
    }
    | { readonly directory: TestDirectory; readonly tree?: Uint8Array }
    /** A directory that was built before. */
    | { readonly built: TestRoot }
    | { readonly link: string }
    | { readonly fifo: true }
    | { readonly device: readonly [number, number] }
  );

/** A directory by the names of its entries: one character for each byte. */
export type TestDirectory = { readonly [name: string]: TestEntry };

export { contentId, latin, noise, plainOf } from "./_test_bytes.ts";

/** The ids of a directory that was built. */
export interface TestRoot {
  readonly tree: Uint8Array;
  readonly page: Uint8Array;
}

/** Options of {@linkcode TestSnapshots}. */
export interface TestOptions {
  readonly codec?: Codec;
  /** Plain bytes at which a frame is closed. */
  readonly frameSize?: number;
}

/** A store in memory, filled by hand. */
export class TestSnapshots {
  readonly store: MemoryStore = new MemoryStore();
  /** Names of the packs that {@linkcode TestSnapshots.flush} wrote, in order. */
  readonly packs: string[] = [];
  readonly #options: TestOptions;
  #pending: { bytes: Uint8Array; id: Uint8Array; kind: number }[] = [];
  readonly #have = new Set<string>();
  #counter = 0;

  constructor(options: TestOptions = {}) {
    this.#options = options;
  }

  /** Adds an object under any id, true or not. */
  addObject(bytes: Uint8Array, id: Uint8Array, kind: number): void {
    const key = `${kind}${idFromBytes(id)}`;
    if (bytes.length === 0 || this.#have.has(key)) return;
    this.#have.add(key);
    this.#pending.push({ bytes: bytes.slice(), id: id.slice(), kind });
  }

  /** Adds content. */
  addContent(bytes: Uint8Array): Uint8Array {
    const id = contentId(bytes);
    this.addObject(bytes, id, ObjectKind.content);
    return id;
  }

  /** Adds chunks and their recipe. */
  addLarge(
    chunks: readonly (Uint8Array | number)[],
    id: Uint8Array = contentId(plainOf(chunks)),
    kind: number = ObjectKind.content,
  ): Uint8Array {
    const builder = new RecipeBuilder({
      hasher: wasmHasher,
      onNode: (bytes, id) => this.addObject(bytes, id, ObjectKind.recipe),
    });
    for (const chunk of chunks) {
      if (typeof chunk === "number") builder.pushZeros(chunk);
      else builder.push(this.addContent(chunk), 0, chunk.length);
    }
    builder.finish({ id, kind });
    return id;
  }

  /** Adds trees and pages of a directory and all below. */
  addDirectory(directory: TestDirectory, own: TestEntry = NO_ENTRY): TestRoot {
    const names = Object.keys(directory).sort((a, b) => a < b ? -1 : 1);
    const tree = new TreeBuilder();
    const page = new AttributePageBuilder();
    const owner = page.internOwner(1000, 100, latin("ann"), latin("users"));
    const addRow = (entry: TestEntry): void => {
      const row = page.addRow();
      page.setTimes(row, entry.mtimeSec ?? 1_700_000_000, 5, 7, 9);
      page.setInode(row, row + 1, 0, 1, 0);
      page.setMode(row, entry.mode ?? 0o644);
      page.setOwner(row, owner);
      if (entry.extras !== undefined) {
        page.setExtras(row, encodeExtras(entry.extras));
      }
    };
    addRow(own);
    for (const name of names) {
      const entry = directory[name];
      const bytes = latin(name);
      const row = tree.add(bytes, 0, bytes.length, kindOf(entry));
      const below = this.#setRow(tree, row, entry);
      // As a save does: the extras of a directory are in its own page alone.
      const { extras: _, ...columns } = entry;
      if (below !== undefined) page.addPageId(below);
      addRow(below === undefined ? entry : columns);
    }
    const treeBytes = tree.build();
    const treeId = this.#derived(treeBytes, TREE_CONTEXT, ObjectKind.tree);
    page.setTreeId(treeId);
    const pageId = this.#derived(
      page.build(),
      ATTRIBUTES_CONTEXT,
      ObjectKind.attributes,
    );
    return { tree: treeId, page: pageId };
  }

  /** Writes what was added as a data pack and a tree pack, and an index of them. */
  async flush(options: { readonly index?: boolean } = {}): Promise<void> {
    const packs: IndexPack[] = [];
    for (const role of [PackRole.data, PackRole.trees]) {
      const objects = this.#pending.filter(({ kind }) =>
        (kind === ObjectKind.content) === (role === PackRole.data)
      );
      if (objects.length === 0) continue;
      packs.push(await this.#writePack(objects, role));
    }
    this.#pending = [];
    if (options.index === false || packs.length === 0) return;
    await this.#writeIndex(packs);
  }

  /** Writes a record. */
  async addRecord(
    root: TestRoot,
    body: Partial<SnapshotRecord> = {},
  ): Promise<NamedRecord> {
    const second = String(this.#counter++ % 60).padStart(2, "0");
    const minute = String(Math.floor(this.#counter / 60) % 60).padStart(2, "0");
    const time = `2026-11-20T05:${minute}:${second}.000000000Z`;
    const record: SnapshotRecord = {
      tree: idFromBytes(root.tree),
      page: idFromBytes(root.page),
      time,
      startTime: time,
      host: "here",
      user: "ann",
      source: "/data",
      totals: NO_TOTALS,
      unreadable: { count: 0, first: [] },
      changed: { count: 0, first: [] },
      fidelity: "full",
      program: "test",
      ...body,
    };
    const saveId = new Uint8Array(16).fill(7);
    const salt = new Uint8Array(32).fill(++this.#counter);
    const bytes = encodeRecord(record, { saveId, salt });
    const id: Id = wasmHasher.idOf(bytes);
    const writer = "07".repeat(16);
    const file = { tree: record.tree, record: id, writer };
    await this.store.create(formatRecordName(file), bytes);
    return { ...record, ...file, saveId: writer };
  }

  /** Adds a directory, writes packs and index, and records it. */
  async save(
    directory: TestDirectory,
    body: Partial<SnapshotRecord> = {},
  ): Promise<NamedRecord> {
    const root = this.addDirectory(directory);
    await this.flush();
    return await this.addRecord(root, body);
  }

  /** Writes an index that says something else of the first pack than its table. */
  async lieInIndex(change: (rows: TestRow[]) => void): Promise<void> {
    const packs: IndexPack[] = [];
    for (const name of this.packs) {
      const size = (await this.store.size(name))!;
      const entry = { name, size };
      packs.push(await readPack(this.store, entry, { hasher: wasmHasher }));
    }
    packs[0] = { ...packs[0], table: changeTable(packs[0].table, change) };
    for await (const batch of this.store.list("index/")) {
      for (const { name } of batch) await this.store.remove(name);
    }
    await this.#writeIndex(packs);
  }

  /** Opens the store. */
  async open(): Promise<Snapshots<MemoryStore>> {
    await initStore(this.store, formatSettings(DEFAULT_SETTINGS));
    return await openSnapshots(this.store, { hasher: wasmHasher });
  }

  /** Copies the store into a folder: a store whose files a program may open itself. */
  async copyToFiles(folder: string): Promise<ReadStore> {
    const { writeFileSync } = await import("node:fs");
    const { store } = this;
    const localPath = (name: string): string =>
      `${folder}/${name.replaceAll("/", "_")}`;
    for await (const batch of store.list("")) {
      for (const { name } of batch) {
        writeFileSync(localPath(name), await store.read(name));
      }
    }
    return {
      read: (name, options) => store.read(name, options),
      size: (name) => store.size(name),
      list: (prefix) => store.list(prefix),
      localPath,
    };
  }

  /** Replaces a file of the store by what `change` makes of it. */
  async damage(
    name: string,
    change: (bytes: Uint8Array) => Uint8Array | void,
  ): Promise<void> {
    const bytes = await this.store.read(name);
    const changed = change(bytes) ?? bytes;
    await this.store.remove(name);
    await this.store.create(name, changed);
  }

  async #writeIndex(packs: readonly IndexPack[]): Promise<void> {
    const tables = buildIndex(packs, {
      saveId: new Uint8Array(16).fill(7),
      salt: new Uint8Array(32).fill(++this.#counter),
      timeMs: 1_800_000_000_000,
      hasher: wasmHasher,
    });
    for (const { name, bytes } of tables) await this.store.create(name, bytes);
  }

  #setRow(
    tree: TreeBuilder,
    row: number,
    entry: TestEntry,
  ): Uint8Array | undefined {
    if ("file" in entry) {
      const bytes = typeof entry.file === "string"
        ? latin(entry.file)
        : entry.file;
      tree.setContent(row, bytes.length, this.addContent(bytes));
    } else if ("chunks" in entry) {
      const id = this.addLarge(entry.chunks, entry.id);
      tree.setContent(row, plainOf(entry.chunks).length, id);
    } else if ("size" in entry) tree.setContent(row, entry.size, entry.id);
    else if ("link" in entry) tree.setTarget(row, latin(entry.link));
    else if ("device" in entry) tree.setDevice(row, ...entry.device);
    else if ("built" in entry) {
      tree.setTree(row, entry.built.tree);
      return entry.built.page;
    } else if ("directory" in entry) {
      const below = this.addDirectory(entry.directory, entry);
      tree.setTree(row, entry.tree ?? below.tree);
      return below.page;
    }
    return undefined;
  }

  #derived(
    bytes: Uint8Array,
    context: typeof TREE_CONTEXT | typeof ATTRIBUTES_CONTEXT,
    kind: number,
  ): Uint8Array {
    const id = new Uint8Array(32);
    wasmHasher.deriveInto(context, bytes, id);
    this.addObject(bytes, id, kind);
    return id;
  }

  async #writePack(
    objects: readonly { bytes: Uint8Array; id: Uint8Array; kind: number }[],
    role: PackRole,
  ): Promise<IndexPack> {
    const { codec = noneCodec, frameSize = 4096 } = this.#options;
    const parts: Uint8Array[] = [];
    const writer = new PackWriter({
      sink: { write: (bytes) => void parts.push(bytes.slice()) },
      role,
      saveId: new Uint8Array(16).fill(7),
      salt: new Uint8Array(32).fill(++this.#counter),
      codec,
      hasher: wasmHasher,
    });
    const frame = new FrameBuilder();
    for (const { bytes, id, kind } of objects) {
      frame.add(bytes, id, 0, kind);
      if (frame.size < frameSize) continue;
      writer.addFrame(frame.plain(), frame.rows);
      frame.clear();
    }
    if (frame.size > 0) writer.addFrame(frame.plain(), frame.rows);
    const pack = writer.finish();
    const name = packName(pack.id);
    await this.store.create(name, plainOf(parts));
    this.packs.push(name);
    return pack;
  }
}

const NO_ENTRY: TestEntry = { fifo: true, mode: 0o755 };

/** Totals of nothing. */
export const NO_TOTALS: SnapshotRecord["totals"] = {
  entryCount: 0,
  fileCount: 0,
  directoryCount: 0,
  byteCount: 0,
  xattrCount: 0,
  hardLinkCount: 0,
  holeCount: 0,
};

function kindOf(entry: TestEntry): EntryKind {
  if ("file" in entry) {
    return entry.executable === true ? EntryKind.executable : EntryKind.file;
  }
  if ("directory" in entry || "built" in entry) return EntryKind.directory;
  if ("link" in entry) return EntryKind.symlink;
  if ("fifo" in entry) return EntryKind.fifo;
  return "device" in entry ? EntryKind.characterDevice : EntryKind.file;
}
