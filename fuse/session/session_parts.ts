/**
 * The parts of a session: nodes, contents, and a way to the device.
 *
 * @module
 */
import type { Counters } from "../counters.ts";
import type { OwnerFiles } from "@snap/posix/owners";
import type { NodeTable } from "../nodes/node_table.ts";
import type { Pieces } from "../device/pieces.ts";
import type { Reply } from "../device/reply.ts";

/** The nodes that the kernel may ask for. */
export type SessionNodes = Pick<
  NodeTable,
  "select" | "open" | "remember" | "forget" | "pathOf"
>;

/** The bytes of files. */
export interface SessionContents {
  /**
   * Collects bytes of a content.
   *
   * @param id Bytes that hold the 32 bytes of its id.
   * @param offset First byte that is wanted.
   * @param size Number of bytes, not past the end.
   * @param pieces Gets the views; they are good until {@linkcode SessionContents.release}.
   * @returns Whether they are there, `false` while they are on their way.
   * @throws {Error} If they are damaged, missing or cannot be read.
   */
  collect(
    id: Uint8Array,
    idStart: number,
    fileSize: number,
    offset: number,
    size: number,
    pieces: Pieces,
  ): boolean;
  /**
   * Reads a whole small content.
   *
   * @param id Bytes that hold the 32 bytes of its id.
   * @returns The bytes, owned by the caller, or `undefined` while they are on their way.
   * @throws {Error} If they are damaged, missing or cannot be read.
   */
  whole(id: Uint8Array, idStart: number, size: number): Uint8Array | undefined;
  /** Releases the views that were collected. */
  release(): void;
}

/** A request that got EIO. */
export interface SessionFault {
  /** Name of the opcode, such as `READ`. */
  readonly action: string;
  /** Path of the node below its volume. */
  readonly path: Uint8Array;
  /** The error that was thrown. */
  readonly error: unknown;
}

/** The parts that a session is made of. */
export interface SessionParts {
  readonly nodes: SessionNodes;
  readonly contents: SessionContents;
  /** Counters of answered requests, bytes read and faults. */
  readonly counters: Counters;
  /**
   * A word that all sessions of a mount share, zero at first: flags that INIT agreed on,
   * whichever session answered it. See `Agreed`.
   */
  readonly agreed: Int32Array;
  /**
   * Sends a reply.
   *
   * @param reply Head and pieces; good until it returns.
   * @returns The number of bytes, or a negative error number.
   */
  send(reply: Reply): number;
  /** Called for each request that got EIO. */
  onFault(fault: SessionFault): void;
}

export interface SessionOptions {
  /** Whether nodes with a number in the upper half, and node 1, are virtual and answered elsewhere. */
  readonly isAll: boolean;
  /** Whether any entry has extended attributes. */
  readonly hasXattrs: boolean;
  /** Whether other users may look: the kernel then checks modes and access control lists. */
  readonly isShared: boolean;
  /** Names of owners on this machine; without, owners have the numbers that were recorded. */
  readonly owners?: OwnerFiles;
  /** Whether any file has recorded holes. */
  readonly hasHoles: boolean;
  /** Totals for `statfs`. */
  readonly totals: {
    readonly entryCount: number;
    /** Plain bytes of all files. */
    readonly byteCount: number;
  };
}
