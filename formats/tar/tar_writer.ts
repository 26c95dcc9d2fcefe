import { type Hasher, IdMismatchError } from "@snap/hash";
import { linkKey } from "@snap/manifest/diff";
import {
  decodeHoles,
  EntryKind,
  type Extras,
  isFileKind,
} from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import type { View, ViewEntry } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import { ACL_KEYWORDS, aclToText } from "./acl.ts";
import { type EntryHeader, writeEntryHeader } from "./entry_header.ts";
import { TypeFlag } from "./header.ts";
import type { PaxRecord } from "./pax.ts";
import { runsOf, sparseBlocks } from "./sparse.ts";
import type { TarOutput } from "./tar_output.ts";

/** Files up to this size are read at once. */
const WHOLE_SIZE_MAX = 1 << 20;
/** Data between holes is read in pieces of this size. */
const PIECE_SIZE = 4 << 20;
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

/** Options of {@linkcode TarWriter}. */
export interface TarWriterOptions extends StoreOptions {
  /** The hasher of the store. */
  readonly hasher: Hasher;
  /** Names that others are links to, also where they are not in the archive. */
  readonly firstNames?: FirstNames;
  /** Whether programs read it that know lists of rights as attributes only. */
  readonly isLayer?: boolean;
}

/** Writes entries of a snapshot, one after the other. */
export class TarWriter {
  /** Entries that were written. */
  entryCount = 0;
  readonly #view: View;
  readonly #base: number;
  readonly #output: TarOutput;
  readonly #options: TarWriterOptions;
  readonly #pacer: Pacer;
  readonly #links: FirstNames;

  /**
   * Writes nothing yet.
   *
   * @param view The snapshot.
   * @param from The directory that names begin in, or the one entry.
   * @param output Where the archive goes.
   */
  constructor(
    view: View,
    from: ViewEntry,
    output: TarOutput,
    options: TarWriterOptions,
  ) {
    this.#view = view;
    this.#base = from.kind === EntryKind.directory
      ? from.path.length === 0 ? 0 : from.path.length + 1
      : from.path.length - from.name.length;
    this.#output = output;
    this.#options = options;
    this.#links = options.firstNames ?? new Map();
    this.#pacer = new Pacer(options);
  }

  /** Writes an entry. */
  async add(entry: ViewEntry): Promise<void> {
    const turn = this.#pacer.yield();
    if (turn !== undefined) await turn;
    const name = this.#nameOf(entry);
    const first = this.#firstName(entry, name);
    if (first === undefined) await this.#write(entry, name);
    else await this.#writeHeader(entry, name, { type: "1", linkName: first });
    this.entryCount++;
  }

  /** Writes a file without content that only its name says something by. */
  async addMark(name: Uint8Array): Promise<void> {
    await writeEntryHeader(this.#output, {
      ...{ name, mode: 0, uid: 0, gid: 0, size: 0, mtime: 0, mtimeNs: 0 },
      ...{ type: TypeFlag.file, records: [] },
    });
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

  async #write(entry: ViewEntry, name: Uint8Array): Promise<void> {
    const extras = await this.#view.extras(entry, this.#options);
    const records = extras === undefined ? [] : await this.#records(extras);
    if (isFileKind(entry.kind)) {
      const holes = extras?.holes === undefined
        ? undefined
        : decodeHoles(await this.#view.readExtra(extras.holes, this.#options));
      if (holes !== undefined) {
        return await this.#writeSparse(entry, name, { holes, records });
      }
    }
    await this.#writeHeader(entry, name, {
      type: TYPES[entry.kind],
      records,
      ...isFileKind(entry.kind) && { size: entry.size },
      ...entry.kind === EntryKind.symlink && { linkName: entry.target },
      deviceMajor: entry.deviceMajor,
      deviceMinor: entry.deviceMinor,
    });
    if (isFileKind(entry.kind) && entry.size > 0) {
      await this.#writeContent(entry);
    }
  }

  async #writeHeader(
    entry: ViewEntry,
    name: Uint8Array,
    header: Partial<EntryHeader> & Pick<EntryHeader, "type">,
  ): Promise<void> {
    const { attributes } = entry;
    await writeEntryHeader(this.#output, {
      name,
      mode: attributes.mode,
      uid: attributes.uid,
      gid: attributes.gid,
      size: 0,
      mtime: attributes.mtimeSec,
      mtimeNs: attributes.mtimeNs,
      userName: attributes.userName,
      groupName: attributes.groupName,
      records: [],
      ...header,
    });
  }

  async #writeContent(entry: ViewEntry): Promise<void> {
    if (entry.size <= WHOLE_SIZE_MAX) {
      await this.#output.write(await this.#view.read(entry, this.#options));
    } else {
      for await (const piece of this.#view.stream(entry, this.#options)) {
        await this.#output.write(piece);
      }
    }
    this.#output.pad();
  }

  /** Writes a file with holes: a map of its data, then the data. */
  async #writeSparse(
    entry: ViewEntry,
    name: Uint8Array,
    { holes, records }: {
      readonly holes: Float64Array;
      readonly records: readonly PaxRecord[];
    },
  ): Promise<void> {
    const runs = runsOf(entry.size, holes);
    const map = sparseBlocks(runs);
    let size = map.length;
    for (let i = 1; i < runs.length; i += 2) size += runs[i];
    await this.#writeHeader(entry, sparseName(name), {
      type: TypeFlag.file,
      size,
      records: [
        ["GNU.sparse.major", "1"],
        ["GNU.sparse.minor", "0"],
        ["GNU.sparse.name", name],
        ["GNU.sparse.realsize", String(entry.size)],
        ...records,
      ],
    });
    await this.#output.write(map);
    await this.#writeRuns(entry, runs);
    this.#output.pad();
  }

  /** Writes the data of a file, which with zeros between has to be what its id says. */
  async #writeRuns(entry: ViewEntry, runs: readonly number[]): Promise<void> {
    const hash = this.#options.hasher.sparseStream();
    const passZeros = async (size: number): Promise<void> => {
      for (let left = size; left > 0;) {
        left -= hash.updateZeros(left);
        await this.#pacer.yield(1 << 20);
      }
    };
    let end = 0;
    for (let i = 0; i < runs.length; i += 2) {
      await passZeros(runs[i] - end);
      end = runs[i] + runs[i + 1];
      for (let offset = runs[i]; offset < end; offset += PIECE_SIZE) {
        const length = Math.min(PIECE_SIZE, end - offset);
        const range = { ...this.#options, offset, length };
        const piece = await this.#view.read(entry, range);
        hash.update(piece);
        await this.#output.write(piece);
      }
    }
    await passZeros(entry.size - end);
    const expected = entry.id, actual = hash.digest();
    if (actual !== expected) throw new IdMismatchError(expected, actual);
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
