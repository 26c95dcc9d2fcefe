// A store that says whatever a test wants: trees are encoded without any check.
import {
  ATTRIBUTES_CONTEXT,
  type Id,
  idFromBytes,
  TREE_CONTEXT,
} from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { EntryKind } from "@snap/manifest/extras";
import { buildIndex, type IndexPack } from "@snap/pack/index-writer";
import { type CodecTag, noneCodec } from "@snap/pack/codecs";
import { FrameBuilder, PackWriter } from "@snap/pack/write";
import { ObjectKind, packName, PackRole } from "@snap/pack";
import {
  encodeRecord,
  formatRecordName,
  type NamedRecord,
} from "@snap/snapshot/records";
import {
  DEFAULT_SETTINGS,
  formatSettings,
  initStore,
} from "@snap/store/format";
import { openSnapshots, type Snapshots } from "@snap/snapshot";
import type { WriteStore } from "@snap/store";
import { crc32 } from "node:zlib";
import { AttributePageBuilder } from "./_manifest_builders.ts";

/** Text as bytes, one for each character. */
export function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** A row of a tree: any name, and what it is said to be. */
export interface HostileRow {
  readonly name: string;
  readonly kind?: number;
  /** 32 bytes; of the content if left out. */
  readonly id?: Uint8Array;
  readonly content?: string;
  /** The value column; the size of the content if left out. */
  readonly value?: number;
  readonly target?: string;
  /** A directory. */
  readonly below?: HostileDirectory;
  readonly mode?: number;
  readonly inode?: number;
  readonly nlink?: number;
  readonly extras?: Uint8Array;
}

/** The ids of a directory. */
export interface HostileDirectory {
  readonly tree: Uint8Array;
  readonly page: Uint8Array;
}

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly id: Uint8Array;
  readonly kind: number;
}

/** Gathers objects, then writes them as one pack with an index and a record. */
export class HostileStore {
  readonly #objects = new Map<string, StoredObject>();
  readonly #bombs: {
    stored: Uint8Array;
    tag: CodecTag;
    object: StoredObject;
  }[] = [];

  /** Adds an object under an id, true or not. */
  add(bytes: Uint8Array, id: Uint8Array, kind: number): void {
    if (bytes.length === 0) return;
    this.#objects.set(`${kind} ${idFromBytes(id)}`, { bytes, id, kind });
  }

  /** Adds content. */
  content(bytes: Uint8Array): Uint8Array {
    const id = new Uint8Array(32);
    wasmHasher.hashInto(bytes, id);
    this.add(bytes, id, ObjectKind.content);
    return id;
  }

  /** Adds content whose frame has these stored bytes. */
  stored(stored: Uint8Array, tag: CodecTag, plain: Uint8Array): Uint8Array {
    const id = new Uint8Array(32);
    wasmHasher.hashInto(plain, id);
    const object = { bytes: plain, id, kind: ObjectKind.content };
    this.#bombs.push({ stored, tag, object });
    return id;
  }

  /** Adds a directory of any rows, in the order given. */
  directory(
    rows: readonly HostileRow[],
    change: (tree: Uint8Array) => Uint8Array = (tree) => tree,
  ): HostileDirectory {
    const bytes = change(encodeRows(rows, (content) => this.content(content)));
    const tree = new Uint8Array(32);
    wasmHasher.deriveInto(TREE_CONTEXT, bytes, tree);
    this.add(bytes, tree, ObjectKind.tree);
    return { tree, page: this.page(rows, tree) };
  }

  /** Adds a page for rows, that names any tree. */
  page(rows: readonly HostileRow[], tree: Uint8Array): Uint8Array {
    const builder = new AttributePageBuilder();
    builder.setTreeId(tree);
    const owner = builder.internOwner(
      0,
      0,
      new Uint8Array(0),
      new Uint8Array(0),
    );
    for (const row of [{ name: "", mode: 0o755 }, ...rows] as HostileRow[]) {
      const at = builder.addRow();
      builder.setMode(at, row.mode ?? 0o644);
      builder.setOwner(at, owner);
      builder.setTimes(at, 1000, 0, 1000, 0);
      builder.setInode(at, row.inode ?? at + 1, 0, row.nlink ?? 1, 0);
      if (row.extras !== undefined) builder.setExtras(at, row.extras);
      if (row.below !== undefined) builder.addPageId(row.below.page);
    }
    const bytes = builder.build();
    const id = new Uint8Array(32);
    wasmHasher.deriveInto(ATTRIBUTES_CONTEXT, bytes, id);
    this.add(bytes, id, ObjectKind.attributes);
    return id;
  }

  /** Writes everything into a store. */
  async write<Store extends WriteStore>(
    store: Store,
    root: HostileDirectory,
    entryCount = 1000,
  ): Promise<{ snapshots: Snapshots<Store>; record: NamedRecord }> {
    await initStore(store, formatSettings(DEFAULT_SETTINGS));
    const pack = await this.#writePack(store);
    const saveId = new Uint8Array(16), salt = new Uint8Array(32);
    const options = { saveId, salt, timeMs: 0, hasher: wasmHasher };
    for (const { name, bytes } of buildIndex([pack], options)) {
      await store.create(name, bytes);
    }
    const record = recordOf(root, entryCount);
    const bytes = encodeRecord(record, { saveId, salt });
    const id: Id = wasmHasher.idOf(bytes);
    const writer = "00".repeat(16);
    const named = { ...record, record: id, writer, saveId: writer };
    await store.create(formatRecordName(named), bytes);
    const snapshots = await openSnapshots(store, { hasher: wasmHasher });
    return { snapshots, record: named };
  }

  async #writePack(store: WriteStore): Promise<IndexPack> {
    const parts: Uint8Array[] = [];
    const writer = new PackWriter({
      sink: { write: (bytes) => void parts.push(bytes.slice()) },
      role: PackRole.data,
      saveId: new Uint8Array(16),
      salt: new Uint8Array(32),
      codec: noneCodec,
      hasher: wasmHasher,
    });
    for (const { bytes, id, kind } of this.#objects.values()) {
      const frame = new FrameBuilder();
      frame.add(bytes, id, 0, kind);
      writer.addFrame(frame.plain(), frame.rows);
    }
    for (const { stored, tag, object } of this.#bombs) {
      const { bytes, id, kind } = object;
      const frame = new FrameBuilder();
      frame.add(bytes, id, 0, kind);
      const place = {
        plainSize: bytes.length,
        codecTag: tag,
        crc: crc32(stored),
      };
      writer.addStoredFrame(stored, place, frame.rows);
    }
    const pack = writer.finish();
    const whole = new Uint8Array(
      await new Blob(parts as BlobPart[]).arrayBuffer(),
    );
    await store.create(packName(pack.id), whole);
    return pack;
  }
}

function recordOf(root: HostileDirectory, entryCount: number) {
  const none = { count: 0, first: [] };
  return {
    tree: idFromBytes(root.tree),
    page: idFromBytes(root.page),
    time: "2026-11-20T05:46:18.000000000Z",
    startTime: "2026-11-20T05:46:18.000000000Z",
    host: "here",
    user: "ann",
    source: "/data",
    totals: {
      entryCount,
      fileCount: 0,
      directoryCount: 0,
      byteCount: 0,
      xattrCount: 0,
      hardLinkCount: 0,
      holeCount: 0,
    },
    unreadable: none,
    changed: none,
    fidelity: "full" as const,
    program: "test",
  };
}

/** The bytes of a tree as `docs/FORMAT.md` has them, with no check at all. */
function encodeRows(
  rows: readonly HostileRow[],
  put: (content: Uint8Array) => Uint8Array,
): Uint8Array {
  const names = latin(rows.map(({ name }) => name).join(""));
  const targets = latin(rows.map(({ target }) => target ?? "").join(""));
  const count = rows.length;
  const bytes = new Uint8Array(16 + 45 * count + names.length + targets.length);
  const view = new DataView(bytes.buffer);
  bytes.set(latin("TRE1"));
  [count, names.length, targets.length].forEach((value, i) =>
    view.setUint32(4 + 4 * i, value, true)
  );
  let nameEnd = 0, targetEnd = 0;
  rows.forEach((row, i) => {
    const content = latin(row.content ?? "");
    const kind = row.kind ??
      (row.below !== undefined
        ? EntryKind.directory
        : row.target !== undefined
        ? EntryKind.symlink
        : EntryKind.file);
    const isContent = kind <= EntryKind.executable;
    const id = row.id ?? row.below?.tree ??
      (isContent ? put(content) : new Uint8Array(32));
    const isLink = kind === EntryKind.symlink;
    const value = row.value ??
      (isContent ? content.length : isLink ? targetEnd : 0);
    bytes.set(id, 16 + 32 * i);
    view.setUint32(16 + 32 * count + 8 * i, value % 2 ** 32, true);
    const high = isLink ? row.target!.length : Math.floor(value / 2 ** 32);
    view.setUint32(20 + 32 * count + 8 * i, high, true);
    nameEnd += row.name.length;
    targetEnd += row.target?.length ?? 0;
    view.setUint32(16 + 40 * count + 4 * i, nameEnd, true);
    bytes[16 + 44 * count + i] = kind;
  });
  bytes.set(names, 16 + 45 * count);
  bytes.set(targets, 16 + 45 * count + names.length);
  return bytes;
}
