import {
  encodeExtras,
  encodeHoles,
  EntryKind,
  type ExtraValue,
  FILE_SIZE_MAX,
  INLINE_SIZE_MAX,
  XATTR_NAME_SIZE_MAX,
} from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import { Owners } from "@snap/posix/owners";
import {
  checkLinkTarget,
  EntryError,
  type NodeAttributes,
  OWNER_MAX,
} from "@snap/save/draft";
import type { ImportRun } from "../import_snapshot.ts";
import { ArchiveSyntaxError, ImportError, importError } from "../errors.ts";
import { ACL_KEYWORDS, aclFromText } from "./acl.ts";
import { holesOf } from "./sparse.ts";
import { type TarEntry, TarReader } from "./tar_reader.ts";

const XATTR = "SCHILY.xattr.";

/** Rules of an archive that says what goes of those before it. */
export interface TarRules {
  /** Takes an entry that is no entry but says what goes; tells whether it was that. */
  hides(path: Uint8Array): boolean;
  /** Learns of a node that an entry became. */
  added(node: number): void;
}

/** How {@linkcode addTar} adds entries. */
export interface AddTarOptions {
  /** Knows the numbers of owners that lists of rights name. */
  readonly owners?: Owners | undefined;
  /** What goes. */
  readonly rules?: TarRules;
}

/**
 * Adds the entries of a plain archive to a snapshot.
 *
 * @throws {ArchiveSyntaxError} If the archive is damaged, or ends too early.
 * @throws {ImportError} If it holds what no snapshot can hold.
 */
export async function addTar(
  run: ImportRun,
  archive: AsyncIterable<Uint8Array>,
  { owners = new Owners(), rules }: AddTarOptions = {},
): Promise<void> {
  const reader = new TarReader(archive);
  const adder = new TarAdder(run, reader, owners);
  for (;;) {
    const entry = await reader.next();
    if (entry === undefined) return;
    const turn = run.pacer.yield();
    if (turn !== undefined) await turn;
    try {
      if (rules?.hides(entry.path)) continue;
      const node = await adder.add(entry);
      rules?.added(node);
    } catch (error) {
      const fault = error instanceof EntryError ? importError(error) : error;
      if (!(fault instanceof ImportError)) throw fault;
      const where = `${fault.message}; byte ${entry.offset} of the archive`;
      throw new ImportError(where, fault.hint);
    }
  }
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  "0": EntryKind.file,
  "2": EntryKind.symlink,
  "3": EntryKind.characterDevice,
  "4": EntryKind.blockDevice,
  "5": EntryKind.directory,
  "6": EntryKind.fifo,
};

/** Adds entries of an archive to a snapshot, one after the other. */
class TarAdder {
  readonly #run: ImportRun;
  readonly #reader: TarReader;
  readonly #owners: Owners;

  constructor(run: ImportRun, reader: TarReader, owners: Owners) {
    this.#run = run;
    this.#reader = reader;
    this.#owners = owners;
  }

  async add(entry: TarEntry): Promise<number> {
    const { draft } = this.#run;
    const { path, type } = entry;
    const attributes = this.#attributes(entry);
    if (type === "1") return this.#link(entry, attributes);
    if (type === "2") checkLinkTarget(path, entry.linkPath);
    const node = draft.add(path, KINDS[type], attributes);
    const { nodes } = draft;
    nodes.setExtras(node, this.#extras(entry));
    if (type === "0") {
      nodes.setContent(node, entry.size, await this.#content(entry));
    } else if (type === "2") nodes.setTarget(node, entry.linkPath);
    else if (type === "3" || type === "4") {
      nodes.setDevice(node, entry.deviceMajor, entry.deviceMinor);
    }
    return node;
  }

  #link(entry: TarEntry, attributes: NodeAttributes): number {
    const { draft } = this.#run;
    const node = draft.find(entry.linkPath);
    if (node === undefined) {
      throw new ImportError(
        `Cannot import ${displayPath(entry.path)}: it is a link to ${
          displayPath(entry.linkPath)
        }, which is not in the archive before it`,
      );
    }
    draft.link(entry.path, node, attributes);
    return node;
  }

  #attributes(entry: TarEntry): NodeAttributes {
    const { mode, uid, gid, userName, groupName, mtimeSec, mtimeNs } = entry;
    for (const number of [uid, gid]) {
      if (number >= 0 && number <= OWNER_MAX) continue;
      throw new ImportError(
        `Cannot import ${
          displayPath(entry.path)
        }: the number of its owner must be 0 to ${OWNER_MAX}: found ${number}`,
      );
    }
    const { owners } = this.#run.draft;
    const owner = owners.intern(uid, gid, userName, groupName);
    return { mode, mtimeSec, mtimeNs, owner };
  }

  async #content(entry: TarEntry): Promise<Uint8Array> {
    const { size, path, sparse } = entry;
    if (size > FILE_SIZE_MAX) {
      throw new ImportError(
        `Cannot import ${displayPath(path)}: it has more than 2^53 - 1 bytes`,
      );
    }
    const { content, limit } = this.#run;
    const holes = sparse === undefined ? [] : holesOf(sparse);
    let holeSize = 0;
    for (let i = 1; i < holes.length; i += 2) holeSize += holes[i];
    limit.take(holeSize);
    content.begin(size, holeSize);
    await this.#reader.read(content);
    return await content.end();
  }

  #extras(entry: TarEntry): Uint8Array | undefined {
    const xattrs = new Map<string, Uint8Array>();
    for (const [keyword, value] of entry.records) {
      if (keyword.startsWith(XATTR)) {
        xattrs.set(attributeName(keyword.slice(XATTR.length)), value);
      }
    }
    for (const [name, keyword] of ACL_KEYWORDS) {
      const value = entry.records.get(keyword);
      if (value !== undefined) {
        xattrs.set(name, this.#acl(entry, keyword, value));
      }
    }
    const holes = entry.sparse && encodeHoles(holesOf(entry.sparse));
    if (xattrs.size === 0 && (holes === undefined || holes.length === 0)) {
      return undefined;
    }
    return encodeExtras({
      xattrs: Array.from(xattrs, ([name, value]) => ({
        name: nameBytes(entry, name),
        ...this.#value(value),
      })),
      ...holes && holes.length > 0 && { holes: this.#value(holes) },
    });
  }

  /** A value as it stands in a page, or the id of its content where it is large. */
  #value(bytes: Uint8Array): ExtraValue {
    const size = bytes.length;
    return size <= INLINE_SIZE_MAX
      ? { size, value: bytes }
      : { size, id: this.#run.content.put(bytes) };
  }

  #acl(entry: TarEntry, keyword: string, value: Uint8Array): Uint8Array {
    const text = new TextDecoder().decode(value);
    const bytes = aclFromText(text, this.#owners);
    if (bytes !== undefined) return bytes;
    throw new ArchiveSyntaxError(
      `Cannot import ${
        displayPath(entry.path)
      }: its pax record ${keyword} is no list of rights, or names an owner that is not known here`,
      entry.offset,
    );
  }
}

/** As GNU tar writes it: a name with = or % in it. */
function attributeName(keyword: string): string {
  return keyword.replace(/%3D/g, "=").replace(/%25/g, "%");
}

function nameBytes({ path }: TarEntry, name: string): Uint8Array {
  const bytes = Uint8Array.from(name, (one) => one.charCodeAt(0));
  if (bytes.length >= 1 && bytes.length <= XATTR_NAME_SIZE_MAX) {
    if (!bytes.includes(0)) return bytes;
  }
  throw new ImportError(
    `Cannot import ${
      displayPath(path)
    }: the name of an extended attribute must have 1 to ${XATTR_NAME_SIZE_MAX} bytes without NUL: found ${
      displayPath(bytes.subarray(0, 60))
    }`,
  );
}
