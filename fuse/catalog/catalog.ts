/**
 * The virtual directories of a mount of all snapshots, answered by the main
 * thread. What is below a snapshot is answered by the workers.
 *
 * @module
 */
import {
  EINVAL,
  EIO,
  ENODATA,
  ENOENT,
  ENOTDIR,
  ESTALE,
} from "@snap/posix/constants";
import { type OwnerFiles, Owners } from "@snap/posix/owners";
import { Attributes } from "../session/attributes.ts";
import { CatalogTree } from "./catalog_tree.ts";
import { CatalogVolumes } from "./catalog_volumes.ts";
import { VirtualDirectory, type VirtualLink } from "./virtual_directory.ts";
import { type VirtualNode, VirtualReply } from "./virtual_reply.ts";
import type { CatalogRecord, CatalogSource } from "./catalog_source.ts";
import type { DirectoryBytes } from "../nodes/loaded_directory.ts";
import { NodeCursor } from "../nodes/node_cursor.ts";
import type { NodeTable } from "../nodes/node_table.ts";
import {
  EntryOut,
  GetxattrIn,
  GetxattrOut,
  Opcode,
  OpenOut,
  ReadIn,
  RequestHead,
} from "../device/protocol.ts";
import { Reply } from "../device/reply.ts";
import type { SessionFault } from "../session/session_parts.ts";

/** A reply that is known, and only has to be written. */
interface Answer {
  /** Writes the body, and returns 0 or a positive error number. */
  write(): number;
  /** The root of a snapshot that the reply tells the kernel of, counted already. */
  readonly snapshot?: number;
}

/** The parts that a {@linkcode Catalog} is made of. */
export interface CatalogParts {
  /** Which records and tags there are. */
  readonly source: CatalogSource;
  /** The nodes of the mount, shared with the workers. */
  readonly nodes: NodeTable;
  /** Reads tree and page of the root of a record. */
  loadRoot(record: CatalogRecord): Promise<DirectoryBytes>;
  /** Reads the index again; called after new records appeared. */
  refresh(): Promise<void>;
  /**
   * Sends a reply.
   *
   * @param reply Head and pieces; good until it returns.
   * @returns The number of bytes, or a negative error number.
   */
  send(reply: Reply): number;
  /** Called for each request that failed. */
  onFault(fault: SessionFault): void;
  /** Names of owners on this machine; without, owners have the numbers that were recorded. */
  readonly owners?: OwnerFiles;
  /** Owner of the virtual directories. */
  readonly uid: number;
  /** Group of the virtual directories. */
  readonly gid: number;
  /** The clock, in milliseconds since 1970; `Date.now` if left out. */
  readonly now?: () => number;
}

/**
 * Answers requests about virtual directories: `ids/TREE`, `tags/TAG/TIME`,
 * `tags/TAG/latest`. A new save appears within a second, without a remount.
 */
export class Catalog {
  readonly #parts: CatalogParts;
  readonly #tree: CatalogTree;
  readonly #volumes: CatalogVolumes;
  readonly #reply = new Reply();
  readonly #cursor = new NodeCursor();
  readonly #attributes: Attributes;
  readonly #virtual: VirtualReply;
  #isOutdated = false;
  #isStopped = false;
  #refreshing: Promise<void> | undefined;

  constructor(parts: CatalogParts) {
    this.#parts = parts;
    const { source, uid, gid, now = Date.now } = parts;
    this.#virtual = new VirtualReply(this.#reply, {
      uid,
      gid,
      startMs: now(),
    });
    this.#attributes = new Attributes({
      owners: new Owners(parts.owners),
      holes: undefined,
      onFault: () => {},
    });
    this.#tree = new CatalogTree(source, {
      now,
      onNewRecords: () => this.#isOutdated = true,
      onError: (error) => this.#fault("LIST", error),
    });
    this.#volumes = new CatalogVolumes({
      nodes: parts.nodes,
      newest: (names) => this.#tree.newest(names),
      loadRoot: async (record) => {
        await this.#refresh();
        return await parts.loadRoot(record);
      },
      now,
    });
  }

  /**
   * Answers a request. Several may be under way at once.
   *
   * @param request Its bytes, which do not change until the promise resolves
   */
  async handle(request: Uint8Array): Promise<void> {
    this.#volumes.sweep();
    const view = new DataView(
      request.buffer,
      request.byteOffset,
      request.byteLength,
    );
    const opcode = view.getUint32(RequestHead.opcode, true);
    let answer: Answer;
    try {
      answer = await this.#answer(opcode, view, request);
    } catch (error) {
      this.#fault(opcode === Opcode.LOOKUP ? "LOOKUP" : "READDIR", error);
      answer = failure(EIO);
    }
    if (this.#isStopped) return;
    const reply = this.#reply;
    reply.begin(
      view.getUint32(RequestHead.unique, true),
      view.getUint32(RequestHead.unique + 4, true),
    );
    const errno = answer.write();
    reply.finish(errno);
    const { send, nodes } = this.#parts;
    const sent = send(reply);
    // The caller may have been interrupted: then the kernel does not know the node.
    if (answer.snapshot !== undefined && (sent < 0 || errno !== 0)) {
      nodes.forget(answer.snapshot, 1);
    }
  }

  /** Stops all replies, also those to requests that are under way. */
  stop(): void {
    this.#isStopped = true;
  }

  async #answer(
    opcode: number,
    view: DataView,
    request: Uint8Array,
  ): Promise<Answer> {
    const node = await this.#tree.node(
      view.getUint32(RequestHead.node, true),
    );
    if (node === undefined) return failure(ESTALE);
    switch (opcode) {
      case Opcode.GETATTR:
        return done(() => this.#virtual.writeAttributes(node));
      case Opcode.GETXATTR:
        return failure(ENODATA);
      case Opcode.LISTXATTR:
        return this.#noXattrs(view);
    }
    if (!(node instanceof VirtualDirectory)) {
      return opcode === Opcode.READLINK
        ? this.#target(node)
        : failure(opcode === Opcode.LOOKUP ? ENOTDIR : EINVAL);
    }
    switch (opcode) {
      case Opcode.LOOKUP:
        return await this.#lookup(node, request);
      case Opcode.OPENDIR:
        return done(() => this.#reply.addZeros(OpenOut.size));
      case Opcode.READDIR:
      case Opcode.READDIRPLUS:
        await this.#tree.fill(node);
        return done(() => this.#list(node, opcode, view));
    }
    return failure(EINVAL);
  }

  async #lookup(
    directory: VirtualDirectory,
    request: Uint8Array,
  ): Promise<Answer> {
    const end = request.indexOf(0, RequestHead.size);
    const name = new TextDecoder().decode(
      request.subarray(RequestHead.size, end < 0 ? request.length : end),
    );
    if (name === "." || name === "..") {
      const id = name === "." ? directory.id : directory.parentId;
      const node = await this.#tree.node(id);
      return node === undefined ? failure(ESTALE) : this.#entry(node);
    }
    await this.#tree.fill(directory);
    const entry = directory.get(name);
    if (entry === undefined) return failure(ENOENT);
    if ("directory" in entry) return this.#entry(entry.directory);
    if ("link" in entry) return this.#entry(entry.link);
    const place = `${directory.id}/${name}`;
    const snapshot = await this.#volumes.open(place, entry.records);
    return {
      snapshot,
      write: () => this.#writeSnapshot(snapshot),
    };
  }

  /** The root of a snapshot never changes, but another one may come to stand there. */
  #writeSnapshot(idLow: number): number {
    if (!this.#parts.nodes.select(idLow, 0, this.#cursor)) return ESTALE;
    const at = this.#reply.addZeros(EntryOut.size);
    this.#attributes.writeEntry(this.#reply.view, at, this.#cursor);
    this.#virtual.limit(at);
    return 0;
  }

  #entry(node: VirtualNode): Answer {
    return done(() => this.#virtual.writeEntry(node));
  }

  #target({ target }: VirtualLink): Answer {
    return done(() => {
      this.#reply.pieces.push(new TextEncoder().encode(target));
    });
  }

  #noXattrs(view: DataView): Answer {
    const size = view.getUint32(RequestHead.size + GetxattrIn.byteCount, true);
    return done(() => {
      if (size === 0) this.#reply.addZeros(GetxattrOut.size);
    });
  }

  #list(directory: VirtualDirectory, opcode: number, view: DataView): void {
    const at = RequestHead.size + ReadIn.offset;
    const start = view.getUint32(at, true) +
      view.getUint32(at + 4, true) * 2 ** 32;
    this.#virtual.writeList(directory, start, {
      size: view.getUint32(RequestHead.size + ReadIn.byteCount, true),
      isPlus: opcode === Opcode.READDIRPLUS,
    });
  }

  /** The index is read again before the first look-up after records appeared. */
  async #refresh(): Promise<void> {
    if (this.#isOutdated) {
      this.#isOutdated = false;
      this.#refreshing = this.#parts.refresh().catch((error) => {
        this.#isOutdated = true;
        throw error;
      });
      this.#refreshing.catch(() => {}); // It is awaited below.
    }
    await this.#refreshing;
  }

  #fault(action: string, error: unknown): void {
    this.#parts.onFault({ action, path: new Uint8Array(0), error });
  }
}

function done(write: () => void): Answer {
  return {
    write: () => {
      write();
      return 0;
    },
  };
}

function failure(errno: number): Answer {
  return { write: () => errno };
}
