/**
 * A side of a sync, be it a store or a server.
 *
 * @module
 */
import type { Id } from "@snap/hash";
import type { CheckedFrame, IndexConfig } from "@snap/pack/sink";
import type { ObjectWriter } from "@snap/pack/write";
import type { AttributePage, Tree } from "@snap/manifest";
import type { IdSet, ObjectReads } from "@snap/snapshot/reach";
import type { NamedRecord, RecordName } from "@snap/snapshot/records";
import type { StoreOptions } from "@snap/store";
import type { Right } from "@snap/store/serve";
import type { StoreSettings } from "@snap/store/format";
import type { TagEntry } from "@snap/store/format";
import type { TagRow } from "../protocol/sections.ts";
import type { CopyOptions, Meter } from "../options.ts";
import type { SyncError } from "../errors.ts";

/** A side of a sync. `storePeer` and `remotePeer` make them. */
export interface Peer {
  /** Where it is: for messages. */
  readonly location: string;
  /** Whether each question to it is a request. */
  readonly isRemote: boolean;
  /**
   * Begins to speak with it.
   *
   * @param options What the other side has, and whether something will be written.
   * @returns The session.
   */
  connect(options: ConnectOptions): Promise<PeerSession>;
}

/** Records of a side, and those that it has forgotten, each sorted. */
export interface RecordSet {
  /** Records, sorted by their own id. */
  readonly live: readonly RecordName[];
  /** Ids of forgotten records. */
  readonly forgotten: readonly Id[];
}

/** Records that two sides have not in common. */
export interface RecordDifference {
  /** Records that only this side has. */
  readonly here: RecordSet;
  /** Records that only the other side has. */
  readonly there: RecordSet;
}

/** Records of the other side of a session. */
export interface OtherSide {
  /** The id of its store. */
  readonly storeId: string;
  /** Its records. */
  readonly records: RecordSet;
  /** Its tags. */
  readonly tags: readonly TagRow[];
}

/** Options of {@linkcode Peer.connect}. */
export interface ConnectOptions extends CopyOptions {
  /** Records of the other side: compared at once. */
  readonly other?: OtherSide;
  /** Counters. */
  readonly meter: Meter;
}

/** Self-description of a side. */
export interface PeerInfo {
  /** Where it is. */
  readonly location: string;
  /** The id of its store, 32 hex digits. */
  readonly storeId: string;
  /** How it packs objects. */
  readonly settings: StoreSettings;
  /** Permitted operations. */
  readonly right: Right;
}

/** A side that is spoken with. */
export interface PeerSession extends AsyncDisposable {
  /** Its self-description. */
  readonly info: PeerInfo;
  /** Whether each question to it is a request. */
  readonly isRemote: boolean;
  /** Requests so far. */
  readonly requestCount: number;
  /** Lists its records, and those that it has forgotten. */
  records(): Promise<RecordSet>;
  /** Compares with the records of the other side. */
  compare(other: RecordSet): Promise<RecordDifference>;
  /** Reads documents of records, in the order asked for; undefined for one that is gone. */
  readRecords(
    names: readonly RecordName[],
  ): Promise<(RecordDocument | undefined)[]>;
  /** Says how far its logs of tags go, of those that may differ. */
  tags(): Promise<readonly TagRow[]>;
  /** Reads the entries of a log. */
  tagEntries(tag: string): Promise<readonly TagEntry[]>;
  /** Adds entries to a log, but those that it has; says how many. */
  addTagEntries(tag: string, entries: readonly TagEntry[]): Promise<number>;
  /** Marks records as forgotten, and removes them. */
  forget(records: readonly Id[]): Promise<void>;
  /** Opens it to read objects. */
  openSource(): Promise<Source>;
  /** Opens it to add objects, and at most so many records. */
  openTarget(recordCount: number): Promise<Target>;
}

/** A record, and the bytes of its document. */
export interface RecordDocument {
  /** Its bytes. */
  readonly record: NamedRecord;
  /** Its document, as it stands in every store. */
  readonly bytes: Uint8Array;
}

/** Objects by columns. */
export interface ObjectList {
  /** How many. */
  readonly count: number;
  /** 32 bytes each. */
  readonly ids: Uint8Array;
  /** Kinds: content, also where it is stored as a recipe, tree, attributes; of remote recipes nodes. */
  readonly kinds: Uint8Array;
  /** Plain sizes; 0 where it is not known. */
  readonly sizes: Float64Array;
}

/** A directory that a record reaches and none of the bases. */
export interface WalkedDirectory {
  /** The id of the tree. */
  readonly treeId: Uint8Array;
  /** The tree. */
  readonly tree: Tree;
  /** The id of the page. */
  readonly pageId: Uint8Array;
  /** The page. */
  readonly page: AttributePage;
  /** Contents that it names and that no base has at the same place. */
  readonly contents: ObjectList;
}

/** A large object, whose root is added last. */
export interface LargeObject {
  /** Its id. */
  readonly id: Uint8Array;
  /** Its kind: content, tree, attributes. */
  readonly kind: number;
  /** Its plain size. */
  readonly size: number;
  /** The root of its recipe. */
  readonly root: Uint8Array;
  /** Whether its chunks were seen to be it, in this process. */
  readonly isProven: boolean;
}

/** An object that could not be had from the source. */
export interface LostObject {
  /** Its id, 32 bytes. */
  readonly id: Uint8Array;
  /** Why. */
  readonly error: SyncError;
}

/** Where objects come from. */
export interface Source extends AsyncDisposable {
  /**
   * Goes through what records reach and the bases do not.
   *
   * @param records The records.
   * @param bases Records that the target has with all that they reach.
   * @returns Directories, each checked, a parent before what is below.
   */
  walk(
    records: readonly NamedRecord[],
    bases: readonly NamedRecord[],
    options?: {
      /** Directories that were seen, and are passed over. */
      readonly seen?: IdSet;
      /** Reader of the bases at the target, where that is a store. */
      readonly baseReader?: ObjectReads | undefined;
    },
  ): AsyncGenerator<WalkedDirectory>;
  /** Whether it holds so much for the target that it has to be moved now. */
  readonly isFull: boolean;
  /**
   * Hands objects to the target, each checked.
   *
   * @param objects The objects.
   * @param target Where they go.
   * @returns Those that could not be had.
   */
  move(objects: ObjectList, target: Target): Promise<LostObject[]>;
}

/** Threads with sinks of a writer. */
export interface SinkThreads {
  /** Ends the packs that are in hand. */
  finish(): Promise<void>;
  /** Takes another index. */
  reopen(index: IndexConfig): Promise<void>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** What came of {@linkcode Target.commit}. */
export interface Committed {
  /** Records that were written. */
  readonly count: number;
  /** Objects that the next one lacks; none if there is no next one. */
  readonly missing: ObjectList;
}

/** Where objects go. */
export interface Target extends AsyncDisposable {
  /** How it packs objects. */
  readonly settings: StoreSettings;
  /** The writer of a store in this process: whose sinks threads may use. */
  readonly writer?: ObjectWriter;
  /** Reader of trees of records that it has, if that is a store in this process. */
  readonly reader?: ObjectReads | undefined;
  /** Whether only the roots of large objects are wanted: the rest is asked for by what they name. */
  readonly takesRootsOnly?: boolean;
  /** Whether a standing record proves what it reaches, as far as that is known here. */
  trustsRecord(record: Id): boolean;
  /**
   * Tells which objects have to be brought, and takes it as a promise that they
   * will: asked again, it lacks them no more.
   *
   * @param objects The objects.
   * @returns For each 1 if it has to be brought.
   */
  missing(objects: ObjectList): Promise<Uint8Array>;
  /**
   * Takes threads that write by sinks of {@linkcode Target.writer}: they finish
   * before it, and are closed with it.
   */
  attach(threads: SinkThreads): void;
  /** Forgets the promises: something could not be had. */
  forgetPromises(): void;
  /**
   * Takes a frame whose objects were checked.
   *
   * @param frame The frame; its bytes are good until the call returns.
   */
  takeFrame(frame: CheckedFrame): unknown;
  /** Resolves when there is room for more. */
  settled(): Promise<void>;
  /** Adds the root of a large object, all of whose chunks and nodes were taken. */
  addRoot(large: LargeObject): void;
  /** Proves and adds roots, and makes all that was taken durable. */
  finish(): Promise<void>;
  /**
   * Writes records whose objects are all there, in order, up to one of which
   * something is missing.
   *
   * @param documents The records.
   * @param bases Records that they share most with.
   * @returns How many were written, and what the next one lacks.
   */
  commit(
    documents: readonly RecordDocument[],
    bases: readonly NamedRecord[],
  ): Promise<Committed>;
  /** Ends the session after the records. */
  confirm(): Promise<void>;
}

/** Options of a session that all its parts share. */
export type SessionOptions = Omit<ConnectOptions, "other"> & StoreOptions;
