import { constants } from "node:fs";
import { type Field, PACKET, type Packet, PacketError } from "./packet.ts";
import type { SftpConnection } from "./connection.ts";
import { type DiskSpace, SftpStatusError, STATUS } from "./status_error.ts";

/** How a file is opened. */
export const OPEN: { readonly read: number; readonly createNew: number } = {
  read: 0x01,
  createNew: 0x2a, // write, create, and only what is absent
};

const ATTRIBUTE = { size: 1, owner: 2, mode: 4, times: 8, more: 0x8000_0000 };
/** Bytes that each server can read and write at once. */
const CHUNK_SIZE = 32 * 1024;
/** Fewest bytes at once: less would make more of requests than of content. */
const CHUNK_SIZE_MIN = 1024;
/** Most bytes at once where the server says how many it can: a packet has room for its head. */
const CHUNK_SIZE_MAX: number = 255 * 1024;
const READ_ONLY_FLAG = 1;

/** Attributes of a file. Servers may leave out any of them. */
export interface Attributes {
  readonly size: number | undefined;
  readonly mode: number | undefined;
}

/** An entry of a folder. */
export interface FolderEntry extends Attributes {
  readonly name: string;
}

/** Whether these are attributes of a file; what has no mode is one. */
export function isFile({ mode }: Attributes): boolean {
  return mode === undefined ||
    (mode & constants.S_IFMT) === constants.S_IFREG;
}

/** Whether these are attributes of a folder. */
export function isFolder({ mode }: Attributes): boolean {
  return mode !== undefined &&
    (mode & constants.S_IFMT) === constants.S_IFDIR;
}

/** Requests to a server of SFTP. A status that is no success is thrown. */
export class SftpSession {
  readonly #connection: SftpConnection;
  readonly #extensions: ReadonlyMap<string, string>;
  readonly readSizeMax: number;
  readonly writeSizeMax: number;

  private constructor(
    connection: SftpConnection,
    extensions: ReadonlyMap<string, string>,
    limits: { readonly read: number; readonly write: number },
  ) {
    this.#connection = connection;
    this.#extensions = extensions;
    this.readSizeMax = limits.read;
    this.writeSizeMax = limits.write;
  }

  static async begin(connection: SftpConnection): Promise<SftpSession> {
    const extensions = await connection.begin();
    const limits = { read: CHUNK_SIZE, write: CHUNK_SIZE };
    const name = "limits@openssh.com";
    if (extensions.has(name)) {
      const answer = await connection.request(PACKET.extended, [name]);
      connection.reading(() => {
        if (answer.type !== PACKET.extendedReply) return;
        answer.u64(); // The largest packet.
        limits.read = chunkSize(answer.u64());
        limits.write = chunkSize(answer.u64());
      });
    }
    return new SftpSession(connection, extensions, limits);
  }

  get hasEnded(): boolean {
    return this.#connection.hasEnded;
  }

  /** Whether a file can be given a second name. */
  get hasLinks(): boolean {
    return this.#extensions.has("hardlink@openssh.com");
  }

  /** Whether files can be made durable. */
  get hasSync(): boolean {
    return this.#extensions.has("fsync@openssh.com");
  }

  /**
   * Whether writes are carried out in the order in which they are sent. The
   * protocol wants it; servers that do several at once lack the extension.
   */
  get isInOrder(): boolean {
    return this.hasSync;
  }

  async open(
    path: string,
    how: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const fields = how === OPEN.read
      ? [path, how, 0]
      : [path, how, ATTRIBUTE.mode, 0o600];
    return await this.#open(PACKET.open, fields, signal);
  }

  async openFolder(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#open(PACKET.opendir, [path], signal);
  }

  async close(handle: Uint8Array): Promise<void> {
    await this.#done(PACKET.close, [handle]);
  }

  /** Closes what nothing was written to. */
  drop(handle: Uint8Array): void {
    this.close(handle).catch(() => {});
  }

  /** Reads at most so many bytes; fewer are no sign of the end. None at the end. */
  async read(
    handle: Uint8Array,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const fields = [handle, BigInt(offset), length];
    const answer = await this.#ask(PACKET.read, fields, signal);
    return this.#connection.reading(() => {
      if (answer.type === PACKET.status) {
        this.#throwStatus(answer, STATUS.eof);
        return new Uint8Array(0);
      }
      const bytes = expect(answer, PACKET.data).bytes();
      if (bytes.length > 0 && bytes.length <= length) return bytes;
      throw new PacketError(
        `1 to ${length} bytes must come: found ${bytes.length}`,
      );
    });
  }

  async write(
    handle: Uint8Array,
    offset: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#done(PACKET.write, [handle, BigInt(offset), bytes], signal);
  }

  /** Makes an open file durable, or an open folder: what its entries are. */
  async sync(handle: Uint8Array, signal?: AbortSignal): Promise<void> {
    const fields = ["fsync@openssh.com", handle];
    await this.#done(PACKET.extended, fields, signal);
  }

  /** Attributes of the file at a path; a link is followed. */
  async stat(path: string, signal?: AbortSignal): Promise<Attributes> {
    return await this.#attributes(PACKET.stat, path, signal);
  }

  async fstat(handle: Uint8Array, signal?: AbortSignal): Promise<Attributes> {
    return await this.#attributes(PACKET.fstat, handle, signal);
  }

  /** The next entries of a folder; none at its end. */
  async readFolder(
    handle: Uint8Array,
    signal?: AbortSignal,
  ): Promise<FolderEntry[]> {
    const answer = await this.#ask(PACKET.readdir, [handle], signal);
    return this.#connection.reading(() => {
      if (answer.type === PACKET.status) {
        this.#throwStatus(answer, STATUS.eof);
        return [];
      }
      let left = expect(answer, PACKET.name).u32();
      if (left === 0) throw new PacketError("a list must have entries");
      const entries: FolderEntry[] = [];
      for (; left > 0; left--) {
        const name = answer.text();
        answer.bytes(); // The line that `ls -l` would print.
        entries.push({ name, ...attributesIn(answer) });
      }
      return entries;
    });
  }

  async remove(path: string, signal?: AbortSignal): Promise<void> {
    await this.#done(PACKET.remove, [path], signal);
  }

  async makeFolder(path: string, signal?: AbortSignal): Promise<void> {
    await this.#done(PACKET.mkdir, [path, ATTRIBUTE.mode, 0o700], signal);
  }

  /** Removes a folder that has no entries. */
  async removeFolder(path: string, signal?: AbortSignal): Promise<void> {
    await this.#done(PACKET.rmdir, [path], signal);
  }

  /** Gives a file a second name, which must be free. */
  async link(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const fields = ["hardlink@openssh.com", from, to];
    await this.#done(PACKET.extended, fields, signal);
  }

  /** Gives a file another name. Whether that must be free depends on the server. */
  async rename(from: string, to: string, signal?: AbortSignal): Promise<void> {
    await this.#done(PACKET.rename, [from, to], signal);
  }

  /** Free space of a disk; undefined if the server does not tell. */
  async space(path: string): Promise<DiskSpace | undefined> {
    const name = "statvfs@openssh.com";
    if (!this.#extensions.has(name)) return undefined;
    const answer = await this.#ask(PACKET.extended, [name, path]);
    if (answer.type !== PACKET.extendedReply) return undefined;
    return this.#connection.reading(() => {
      const [, blockSize, , , free, , , filesFree] = Array.from(
        { length: 8 },
        () => answer.u64(),
      );
      answer.skip(8); // The number of the file system, which may be any.
      const isReadOnly = (answer.u64() & READ_ONLY_FLAG) !== 0;
      return { byteCount: blockSize * free, fileCount: filesFree, isReadOnly };
    });
  }

  async #open(
    type: number,
    fields: readonly Field[],
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const handleIn = (answer: Packet) => {
      if (answer.type === PACKET.status) this.#throwStatus(answer);
      return new Uint8Array(expect(answer, PACKET.handle).bytes());
    };
    const late = (answer: Packet) => {
      if (answer.type === PACKET.handle) this.drop(handleIn(answer));
    };
    const answer = await this.#ask(type, fields, signal, late);
    return this.#connection.reading(() => handleIn(answer));
  }

  async #attributes(
    type: number,
    what: string | Uint8Array,
    signal?: AbortSignal,
  ): Promise<Attributes> {
    const answer = await this.#ask(type, [what], signal);
    return this.#connection.reading(() => {
      if (answer.type === PACKET.status) this.#throwStatus(answer);
      const attributes = attributesIn(expect(answer, PACKET.attributes));
      if (attributes.size !== undefined || !isFile(attributes)) {
        return attributes;
      }
      throw new PacketError("a file must have a size");
    });
  }

  async #done(
    type: number,
    fields: readonly Field[],
    signal?: AbortSignal,
  ): Promise<void> {
    const answer = await this.#ask(type, fields, signal);
    this.#connection.reading(() => {
      this.#throwStatus(expect(answer, PACKET.status), STATUS.ok);
    });
  }

  async #ask(
    type: number,
    fields: readonly Field[],
    signal?: AbortSignal,
    late?: (answer: Packet) => void,
  ): Promise<Packet> {
    return await this.#connection.request(type, fields, signal, late);
  }

  /** Throws a status, unless it is the one that was hoped for. */
  #throwStatus(answer: Packet, hopedFor?: number): void {
    const status = answer.u32();
    if (status === hopedFor) return;
    if (status === STATUS.ok) {
      throw new PacketError("more than success must come");
    }
    // Some servers send no text.
    throw new SftpStatusError(status, answer.hasMore ? answer.text() : "");
  }
}

function chunkSize(limit: number): number {
  if (limit === 0) return CHUNK_SIZE;
  return Math.min(Math.max(limit, CHUNK_SIZE_MIN), CHUNK_SIZE_MAX);
}

function expect(answer: Packet, type: number): Packet {
  if (answer.type === type) return answer;
  throw new PacketError(
    `an answer must have type ${type}: found ${answer.type}`,
  );
}

function attributesIn(answer: Packet): Attributes {
  const flags = answer.u32();
  const has = (flag: number) => (flags & flag) !== 0;
  const size = has(ATTRIBUTE.size) ? answer.u64() : undefined;
  if (has(ATTRIBUTE.owner)) answer.skip(8);
  const mode = has(ATTRIBUTE.mode) ? answer.u32() : undefined;
  if (has(ATTRIBUTE.times)) answer.skip(8);
  if (has(ATTRIBUTE.more)) {
    for (let left = answer.u32(); left > 0; left--) {
      answer.bytes();
      answer.bytes();
    }
  }
  return { size, mode };
}
