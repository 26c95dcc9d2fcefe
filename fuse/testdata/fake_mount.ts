import { idToBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { AttributePage, Tree } from "@snap/manifest";
import {
  encodeExtras,
  encodeHoles,
  EntryKind,
  type ExtraValue,
  isDeviceKind,
  isFileKind,
} from "@snap/manifest/extras";
import { Counters } from "../counters.ts";
import { NodeCursor, type OpenDirectory } from "../nodes/node_cursor.ts";
import type { Pieces } from "../device/pieces.ts";
import type { Reply } from "../device/reply.ts";
import type {
  SessionContents,
  SessionFault,
  SessionNodes,
  SessionOptions,
} from "../session/session_parts.ts";
import { type Outcome, Session } from "../session/session.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

const text = new TextEncoder();
const EMPTY_ID = idToBytes(wasmHasher.idOf(new Uint8Array(0)));

/** An entry of a made-up snapshot. */
export interface FakeEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly mode?: number;
  readonly mtime?: readonly [seconds: number, nanoseconds: number];
  readonly ctime?: readonly [seconds: number, nanoseconds: number];
  readonly inode?: readonly [low: number, high: number];
  readonly nlink?: number;
  readonly owner?: readonly [uid: number, gid: number];
  /** Content of a file; its size alone stands for zeros. */
  readonly content?: Uint8Array | number;
  readonly target?: string;
  readonly device?: readonly [major: number, minor: number];
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
  readonly holes?: readonly number[];
  /** Entries of a directory, in byte order of their names. */
  readonly entries?: readonly FakeEntry[];
}

/** Contents by ids that are made of numbers. */
export class FakeContents implements SessionContents {
  /** How often the next calls say that bytes are on their way. */
  pendingCount = 0;
  /** Thrown by the next calls. */
  error: Error | undefined;
  /** Calls of `release`. */
  releaseCount = 0;
  /** Size of a piece. */
  pieceSize = 4;
  readonly #contents: (Uint8Array | number)[] = [0];

  /** Keeps a content and returns its id. */
  add(content: Uint8Array | number): Uint8Array {
    const id = new Uint8Array(32);
    new DataView(id.buffer).setUint32(0, this.#contents.length, true);
    this.#contents.push(content);
    return id;
  }

  collect(
    id: Uint8Array,
    idStart: number,
    fileSize: number,
    offset: number,
    size: number,
    pieces: Pieces,
  ): boolean {
    if (offset < 0 || size <= 0 || offset + size > fileSize) {
      throw new RangeError("Cannot collect as the range is not in the file");
    }
    if (this.#mustWait()) return false;
    const content = this.#at(id, idStart);
    for (let at = offset; at < offset + size; at += this.pieceSize) {
      const end = Math.min(offset + size, at + this.pieceSize);
      pieces.push(
        typeof content === "number"
          ? new Uint8Array(end - at)
          : content.subarray(at, end),
      );
    }
    return true;
  }

  whole(id: Uint8Array, idStart: number, size: number): Uint8Array | undefined {
    if (this.#mustWait()) return undefined;
    const content = this.#at(id, idStart);
    return typeof content === "number" ? new Uint8Array(size) : content.slice();
  }

  release(): void {
    this.releaseCount++;
  }

  #at(id: Uint8Array, idStart: number): Uint8Array | number {
    const view = new DataView(id.buffer, id.byteOffset);
    return this.#contents[view.getUint32(idStart, true)];
  }

  #mustWait(): boolean {
    if (this.error !== undefined) throw this.error;
    return this.pendingCount > 0 && this.pendingCount-- > 0;
  }
}

/** Encodes extras; values above 1 KiB become contents. */
function extrasOf(entry: FakeEntry, contents: FakeContents): Uint8Array {
  const valueOf = (value: Uint8Array): ExtraValue =>
    value.length <= 1024
      ? { size: value.length, value }
      : { size: value.length, id: contents.add(value) };
  const xattrs = Object.entries(entry.xattrs ?? {})
    .map(([name, value]) => ({ name: text.encode(name), ...valueOf(value) }));
  return encodeExtras(
    entry.holes === undefined ? { xattrs } : {
      xattrs,
      holes: valueOf(encodeHoles(Float64Array.from(entry.holes))),
    },
  );
}

function addTreeRow(
  builder: TreeBuilder,
  entry: FakeEntry,
  contents: FakeContents,
): void {
  const name = text.encode(entry.name);
  const row = builder.add(name, 0, name.length, entry.kind);
  if (isFileKind(entry.kind)) {
    const content = entry.content ?? 0;
    const size = typeof content === "number" ? content : content.length;
    const id = size === 0 ? EMPTY_ID : contents.add(content);
    builder.setContent(row, size, id);
  } else if (entry.kind === EntryKind.directory) {
    builder.setTree(row, new Uint8Array(32).fill(1), 0);
  } else if (entry.kind === EntryKind.symlink) {
    builder.setTarget(row, text.encode(entry.target));
  } else if (isDeviceKind(entry.kind)) {
    builder.setDevice(row, ...entry.device!);
  }
}

function addPageRow(
  builder: AttributePageBuilder,
  entry: FakeEntry,
  contents: FakeContents,
): void {
  const row = builder.addRow();
  const none = new Uint8Array(0);
  const [uid, gid] = entry.owner ?? [1000, 100];
  builder.setMode(row, entry.mode ?? 0o644);
  builder.setOwner(row, builder.internOwner(uid, gid, none, none));
  builder.setTimes(
    row,
    ...(entry.mtime ?? [1795153578, 123456789]),
    ...(entry.ctime ?? [1795153579, 500000000]),
  );
  builder.setInode(row, ...(entry.inode ?? [0, 0]), entry.nlink ?? 1, 0);
  builder.setExtras(row, extrasOf(entry, contents));
}

interface FakeDirectory extends OpenDirectory {
  readonly firstChild: number;
}

/** Nodes of a made-up snapshot: the root is 1, the entries of a directory are numbered on when it is added. */
export class FakeNodes implements SessionNodes {
  /** Nodes whose directory is on its way. */
  readonly pending: Set<number> = new Set();
  /** Thrown when a directory is opened. */
  error: Error | undefined;
  /** References of the kernel by node. */
  readonly references: Map<number, number> = new Map();
  readonly #nodes: NodeCursor[] = [];
  readonly #directories: Map<number, FakeDirectory> = new Map();

  /** Makes the nodes of a root directory and all below. */
  constructor(root: FakeEntry, contents: FakeContents) {
    this.#nodes.length = 2;
    this.#addDirectory(root, 1, 1, contents);
    const { tree, page } = this.#directories.get(1)!;
    this.#nodes[1] = cursorOf(1, tree, page, -1, EntryKind.directory);
  }

  #addDirectory(
    directory: FakeEntry,
    id: number,
    parentId: number,
    contents: FakeContents,
  ): void {
    const entries = directory.entries ?? [];
    const trees = new TreeBuilder();
    const pages = new AttributePageBuilder();
    pages.setTreeId(new Uint8Array(32));
    addPageRow(pages, directory, contents);
    for (const entry of entries) {
      addTreeRow(trees, entry, contents);
      addPageRow(pages, entry, contents);
      if (entry.kind === EntryKind.directory) {
        pages.addPageId(new Uint8Array(32).fill(2));
      }
    }
    const tree = Tree.decode(trees.build());
    const page = AttributePage.decode(pages.build());
    const firstChild = this.#nodes.length;
    const nodeId = (row: number): number => firstChild + row;
    const found = { tree, page, id, parentId, firstChild, nodeId };
    this.#directories.set(id, found);
    entries.forEach(({ kind }, row) =>
      this.#nodes.push(cursorOf(firstChild + row, tree, page, row, kind))
    );
    entries.forEach((entry, row) => {
      if (entry.kind !== EntryKind.directory) return;
      this.#addDirectory(entry, firstChild + row, id, contents);
    });
  }

  select(idLow: number, idHigh: number, cursor: NodeCursor): boolean {
    const node = idHigh === 0 ? this.#nodes[idLow] : undefined;
    if (node === undefined) return false;
    cursor.id = node.id;
    cursor.volume = node.volume;
    cursor.tree = node.tree;
    cursor.page = node.page;
    cursor.row = node.row;
    cursor.kind = node.kind;
    return true;
  }

  open(cursor: NodeCursor): OpenDirectory | undefined {
    if (this.error !== undefined) throw this.error;
    if (this.pending.has(cursor.id)) return undefined;
    const found = this.#directories.get(cursor.id);
    if (found === undefined) {
      throw new RangeError("Cannot open as it is no directory");
    }
    return found;
  }

  remember(idLow: number): void {
    this.#count(idLow, 1);
  }

  forget(idLow: number, count: number): void {
    this.#count(idLow, -count);
  }

  #count(id: number, count: number): void {
    if (this.#nodes[id] === undefined) {
      throw new RangeError(`Cannot count as there is no such node: ${id}`);
    }
    this.references.set(id, (this.references.get(id) ?? 0) + count);
  }

  pathOf(idLow: number): Uint8Array {
    return text.encode(`node ${idLow}`);
  }
}

function cursorOf(
  id: number,
  tree: Tree,
  page: AttributePage,
  row: number,
  kind: EntryKind,
): NodeCursor {
  return Object.assign(new NodeCursor(), { id, tree, page, row, kind });
}

/** A session over a made-up snapshot, which keeps what is sent. */
export class FakeMount {
  readonly contents: FakeContents = new FakeContents();
  readonly nodes: FakeNodes;
  readonly counters: Counters = Counters.create(1);
  readonly agreed: Int32Array = new Int32Array(1);
  readonly faults: SessionFault[] = [];
  /** Replies that were sent, in full. */
  readonly sent: Uint8Array[] = [];
  /** The result of `send` when it is not 0. */
  sendErrno = 0;
  readonly session: Session;

  /** Makes a mount of a root directory. */
  constructor(root: FakeEntry, options?: Partial<SessionOptions>) {
    this.nodes = new FakeNodes(root, this.contents);
    this.session = new Session({
      nodes: this.nodes,
      contents: this.contents,
      counters: this.counters,
      agreed: this.agreed,
      send: (reply) => this.#send(reply),
      onFault: (fault) => this.faults.push(fault),
    }, {
      isAll: false,
      hasXattrs: true,
      isShared: false,
      hasHoles: true,
      totals: { entryCount: 3, byteCount: 8193 },
      ...options,
    });
  }

  /** Handles a request. */
  handle(request: Uint8Array): Outcome {
    return this.session.handle(request);
  }

  /** Handles a request, and returns the one reply to it. */
  ask(request: Uint8Array): Uint8Array {
    this.sent.length = 0;
    this.session.handle(request);
    if (this.sent.length !== 1) {
      throw new RangeError(`Cannot ask: ${this.sent.length} replies`);
    }
    return this.sent[0];
  }

  #send(reply: Reply): number {
    const bytes = new Uint8Array(reply.size);
    bytes.set(reply.head.subarray(0, reply.headSize));
    let at = reply.headSize;
    for (let i = 0; i < reply.pieces.count; i++) {
      bytes.set(reply.pieces.views[i], at);
      at += reply.pieces.views[i].length;
    }
    this.sent.push(bytes);
    return this.sendErrno === 0 ? bytes.length : -this.sendErrno;
  }
}
