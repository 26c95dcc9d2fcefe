import { type HashStream, IdMismatchError } from "@snap/hash";
import { linkKey } from "@snap/manifest/diff";
import {
  decodeHoles,
  EntryKind,
  type Extras,
  isFileKind,
} from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import type { Snapshots } from "@snap/snapshot";
import type { View, ViewEntry } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import { BATCH_SIZE } from "../contents/content_batch.ts";
import type { Contents } from "../contents/contents.ts";
import { ACL_KEYWORDS, aclToText } from "./acl.ts";
import { type EntryHeader, writeEntryHeader } from "./entry_header.ts";
import { TypeFlag } from "./header.ts";
import type { PaxRecord } from "./pax.ts";
import { runsOf, sparseBlocks } from "./sparse.ts";
import type { TarOutput } from "./tar_output.ts";

/** Most entries that are known and not written: the contents of those ahead are being read. */
const PLANNED_MAX = 4096;
const SLASH = 0x2f;
const encoder = new TextEncoder();

/**
 * Names of files of which there are several, by what these have in common, with how
 * many are still to come.
 */
export type FirstNames = Map<
  string,
  { readonly name: Uint8Array; left: number }
>;

/** What {@linkcode TarWriter} writes, and where to. */
export interface TarWriterOptions extends StoreOptions {
  readonly snapshots: Snapshots;
  /** The snapshot. */
  readonly view: View;
  /** The contents of its files. */
  readonly contents: Contents;
  /** Where the archive goes. */
  readonly output: TarOutput;
  /** Names that others are links to, also where they are not in the archive. */
  readonly firstNames?: FirstNames;
  /** Whether programs read it that know lists of rights as attributes only. */
  readonly isLayer?: boolean;
  /** Called for each entry that was written. */
  readonly onEntry?: ((entry: ViewEntry) => void) | undefined;
}

/** An entry that is to be written. */
interface Planned {
  /** The entry; a mark has none. */
  readonly entry?: ViewEntry;
  readonly name: Uint8Array;
  /** The name that it is a link to. */
  readonly first?: Uint8Array;
  readonly records?: readonly PaxRecord[] | undefined;
  /** Data of a file that has any: pairs of offset and size. */
  readonly runs?: readonly number[] | undefined;
  /** Whether there are holes between these. */
  readonly isSparse?: boolean;
}

/** Writes entries of a snapshot, one after the other. */
export class TarWriter {
  /** Entries that were written. */
  entryCount = 0;
  readonly #view: View;
  readonly #base: number;
  readonly #output: TarOutput;
  readonly #contents: Contents;
  readonly #options: TarWriterOptions;
  readonly #pacer: Pacer;
  readonly #links: FirstNames;
  readonly #planned: Planned[] = [];

  /**
   * Writes nothing yet.
   *
   * @param from The directory that names begin in, or the one entry.
   */
  constructor(from: ViewEntry, options: TarWriterOptions) {
    this.#view = options.view;
    this.#contents = options.contents;
    this.#base = from.kind === EntryKind.directory
      ? from.path.length === 0 ? 0 : from.path.length + 1
      : from.path.length - from.name.length;
    this.#output = options.output;
    this.#options = options;
    this.#links = options.firstNames ?? new Map();
    this.#pacer = new Pacer(options);
  }

  /** Adds an entry, which is written when enough of what follows is known. */
  async add(entry: ViewEntry): Promise<void> {
    const turn = this.#pacer.yield();
    if (turn !== undefined) await turn;
    const name = this.#nameOf(entry);
    const first = this.#firstName(entry, name);
    const planned = first === undefined
      ? await this.#plan(entry, name)
      : { entry, name, first };
    await this.#push(planned);
  }

  /** Adds a file without content that only its name says something by. */
  async addMark(name: Uint8Array): Promise<void> {
    await this.#push({ name });
  }

  /** Writes all that was added. */
  async finish(): Promise<void> {
    while (this.#planned.length > 0) await this.#writeFirst();
  }

  async #push(planned: Planned): Promise<void> {
    this.#planned.push(planned);
    if (planned.runs !== undefined) {
      this.#contents.want(planned.entry!, planned.runs);
    }
    while (
      this.#planned.length > 0 &&
      (this.#contents.isFull || this.#planned.length > PLANNED_MAX)
    ) await this.#writeFirst();
  }

  /** The name in the archive; directories end with a slash. */
  #nameOf({ path, kind }: ViewEntry): Uint8Array {
    const name = path.subarray(this.#base);
    if (kind !== EntryKind.directory) return name;
    if (path.length <= this.#base) return encoder.encode("./");
    const directory = new Uint8Array(name.length + 1);
    directory.set(name);
    directory[name.length] = SLASH;
    return directory;
  }

  /** The name under which the file is in the archive already. */
  #firstName(entry: ViewEntry, name: Uint8Array): Uint8Array | undefined {
    if (entry.row < 0 || entry.kind === EntryKind.directory) return undefined;
    const key = linkKey(entry.tree, entry.page, entry.row);
    if (key === undefined) return undefined;
    const known = this.#links.get(key);
    if (known === undefined) {
      const left = entry.attributes.nlink - 1;
      this.#links.set(key, { name: name.slice(), left });
      return undefined;
    }
    if (--known.left === 0) this.#links.delete(key);
    const isFirst = Buffer.compare(known.name, name) === 0;
    return isFirst ? undefined : known.name;
  }

  /** Learns all of an entry but its content. */
  async #plan(entry: ViewEntry, name: Uint8Array): Promise<Planned> {
    const { kind, size } = entry;
    const extras = kind === EntryKind.directory
      ? await this.#view.extras(entry, this.#options)
      : entry.extras;
    const records = extras && await this.#records(extras);
    if (!isFileKind(kind)) return { entry, name, records };
    const holes = extras?.holes && decodeHoles(
      await this.#view.readExtra(extras.holes, this.#options),
    );
    const runs = holes ? runsOf(size, holes) : size > 0 ? [0, size] : undefined;
    return { entry, name, records, runs, isSparse: holes !== undefined };
  }

  async #writeFirst(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const planned = this.#planned.shift()!;
    const { entry, name, first, runs } = planned;
    if (entry === undefined) return await this.#writeMark(name);
    this.entryCount++;
    if (first !== undefined) {
      await this.#writeHeader(planned, { type: "1", linkName: first });
    } else if (planned.isSparse) await this.#writeSparse(planned);
    else {
      const { kind } = entry;
      const writing = this.#writeHeader(planned, {
        type: TYPES[kind],
        size: isFileKind(kind) ? entry.size : 0,
        ...kind === EntryKind.symlink && { linkName: entry.target },
        deviceMajor: entry.deviceMajor,
        deviceMinor: entry.deviceMinor,
      });
      if (writing !== undefined) await writing;
      if (runs !== undefined) await this.#writeRuns(entry, runs);
    }
    this.#options.onEntry?.(entry);
  }

  async #writeMark(name: Uint8Array): Promise<void> {
    await writeEntryHeader(this.#output, {
      ...{ name, mode: 0, uid: 0, gid: 0, size: 0, mtime: 0, mtimeNs: 0 },
      ...{ type: TypeFlag.file, records: [] },
    });
  }

  #writeHeader(
    { entry, name, records = [] }: Planned,
    header: Partial<EntryHeader> & Pick<EntryHeader, "type">,
  ): Promise<void> | undefined {
    const { attributes } = entry!;
    return writeEntryHeader(this.#output, {
      ...{ name, records },
      mode: attributes.mode,
      uid: attributes.uid,
      gid: attributes.gid,
      size: 0,
      mtime: attributes.mtimeSec,
      mtimeNs: attributes.mtimeNs,
      userName: attributes.userName,
      groupName: attributes.groupName,
      ...header,
    });
  }

  /** Writes a file with holes: a map of its data, then the data. */
  async #writeSparse(planned: Planned): Promise<void> {
    const { name, runs = [], records = [] } = planned;
    const entry = planned.entry!;
    const map = sparseBlocks(runs);
    let size = map.length;
    for (let i = 1; i < runs.length; i += 2) size += runs[i];
    await this.#writeHeader({
      entry,
      name: sparseName(name),
      records: [
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.name", name],
        ["GNU.sparse.realsize", String(entry.size)],
        ...records,
      ],
    }, { type: TypeFlag.file, size });
    await this.#output.write(map);
    await this.#writeRuns(entry, runs);
  }

  /** Writes the data of a file. */
  async #writeRuns(entry: ViewEntry, runs: readonly number[]): Promise<void> {
    if (runs[1] === entry.size && entry.size <= BATCH_SIZE) {
      await this.#writePiece();
    } else await this.#writePieces(entry, runs);
    this.#output.pad();
  }

  /** Writes data piece by piece, which with zeros between has to be what its id says. */
  async #writePieces(entry: ViewEntry, runs: readonly number[]): Promise<void> {
    const { hasher } = this.#options.snapshots;
    const isWhole = runs[1] === entry.size;
    const hash = isWhole ? hasher.stream() : hasher.sparseStream();
    let end = 0;
    for (let i = 0; i < runs.length; i += 2) {
      await this.#hashZeros(hash, runs[i] - end);
      end = runs[i] + runs[i + 1];
      for (let left = runs[i + 1]; left > 0;) {
        left -= await this.#writePiece(hash);
        this.#options.signal?.throwIfAborted();
      }
    }
    await this.#hashZeros(hash, entry.size - end);
    const expected = entry.id, actual = hash.digest();
    if (actual !== expected) throw new IdMismatchError(expected, actual);
  }

  async #hashZeros(hash: HashStream, size: number): Promise<void> {
    for (let left = size; left > 0;) {
      left -= hash.updateZeros(left);
      await this.#pacer.yield(1 << 20);
    }
  }

  /** Writes the next piece; gives its size. */
  async #writePiece(hash?: HashStream): Promise<number> {
    const next = this.#contents.next();
    const piece = next instanceof Uint8Array ? next : await next;
    hash?.update(piece);
    const writing = this.#output.write(piece);
    if (writing !== undefined) await writing;
    return piece.length;
  }

  /** Records of extended attributes and lists of rights. */
  async #records(extras: Extras): Promise<PaxRecord[]> {
    const records: PaxRecord[] = [];
    for (const xattr of extras.xattrs) {
      const value = await this.#view.readExtra(xattr, this.#options);
      const keyword = this.#options.isLayer
        ? undefined
        : ACL_KEYWORDS.get(String.fromCharCode(...xattr.name));
      const text = keyword === undefined ? undefined : aclToText(value);
      records.push(
        text === undefined
          ? [attributeKeyword(xattr.name), value]
          : [keyword!, text],
      );
    }
    return records;
  }
}

const TYPES: Readonly<Record<EntryKind, string>> = {
  [EntryKind.file]: TypeFlag.file,
  [EntryKind.executable]: TypeFlag.file,
  [EntryKind.directory]: TypeFlag.directory,
  [EntryKind.symlink]: TypeFlag.symlink,
  [EntryKind.fifo]: TypeFlag.fifo,
  [EntryKind.characterDevice]: TypeFlag.characterDevice,
  [EntryKind.blockDevice]: TypeFlag.blockDevice,
};

/** The name in the header of a file with holes, for programs that do not know them. */
function sparseName(name: Uint8Array): Uint8Array {
  const end = name.lastIndexOf(SLASH) + 1;
  const middle = encoder.encode("GNUSparseFile.0/");
  const all = new Uint8Array(name.length + middle.length);
  all.set(name.subarray(0, end));
  all.set(middle, end);
  all.set(name.subarray(end), end + middle.length);
  return all;
}

/** As GNU tar writes it: a keyword has no equals sign. */
function attributeKeyword(name: Uint8Array): Uint8Array {
  const bytes = Array.from(encoder.encode("SCHILY.xattr."));
  for (const byte of name) {
    if (byte === 0x25) bytes.push(...encoder.encode("%25"));
    else if (byte === 0x3d) bytes.push(...encoder.encode("%3D"));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
