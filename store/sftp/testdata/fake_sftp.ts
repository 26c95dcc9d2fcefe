// A server of SFTP in memory that fails as a test says.
import { constants } from "node:fs";
import { pipePair } from "../../serve/testdata/pipes.ts";
import { RemoteError } from "../../wrap/remote_error.ts";
import type { Channel } from "../connection.ts";
import {
  encodePacket,
  type Field,
  PACKET,
  type Packet,
  PacketAssembler,
} from "../packet.ts";
import { STATUS } from "../status_error.ts";

/** A request, as it came. */
export interface Seen {
  /** Its number, from 1, over all connections. */
  readonly number: number;
  /** What is asked, and of which paths: `open tmp/NEW`. */
  readonly line: string;
  readonly id: number;
}

/**
 * What goes wrong with a request.
 *
 * - a number: it is answered with this status, and nothing is done.
 * - bytes: they are sent in the place of the answer.
 * - `drop`: nothing is done, and the connection ends.
 * - `lose`: it is done, and the connection ends before the answer.
 * - `hang`: nothing is done, and there is no answer.
 */
export type Trouble = number | Uint8Array | "drop" | "lose" | "hang";

/** What is answered: a type and its fields. */
type Answer = readonly [type: number, ...fields: Field[]];

const OK: Answer = status(STATUS.ok);
const NAMES = new Map<number, string>(
  Object.entries(PACKET).map(([name, type]) => [type, name]),
);
const EXTENSIONS: Readonly<Record<string, string>> = {
  "hardlink@openssh.com": "1",
  "fsync@openssh.com": "1",
};
const FILE_MODE = constants.S_IFREG | 0o600;
const FOLDER_MODE = constants.S_IFDIR | 0o700;
/** Entries of one answer of a list. */
const PAGE = 100;

function status(code: number, text = ""): Answer {
  return [PACKET.status, code, text, ""];
}

/** A server, of which each connection is a pipe. */
export class FakeSftp {
  /** Files by path below the store; folders have undefined. */
  readonly files: Map<string, Uint8Array | undefined> = new Map([[
    "",
    undefined,
  ]]);
  /** What was asked, in order. */
  readonly seen: Seen[] = [];
  /** Says what goes wrong with a request. */
  trouble: (seen: Seen) => Trouble | undefined = () => undefined;
  /** What the server says that it can. */
  extensions: Readonly<Record<string, string>> = EXTENSIONS;
  /** Whether RENAME replaces what is there. */
  replaces = false;
  /** Connections so far. */
  connections = 0;
  /** Most handles that one connection had at once. */
  mostHandles = 0;
  /** Connections that have not ended. */
  open = 0;

  /** The lines of what was asked, in order. */
  get lines(): string[] {
    return this.seen.map(({ line }) => line);
  }

  /** Connects to it. */
  readonly connect = (): Promise<Channel> => {
    this.connections++;
    this.open++;
    const { near, far } = pipePair();
    const served = this.#serve(far).catch(() => {}).finally(() => this.open--);
    return Promise.resolve({
      pipe: near,
      explain: (cause) =>
        Promise.resolve(
          new RemoteError("Cannot reach the fake: it has ended", {
            code: "ECONNRESET",
            action: "open",
            isTransient: true,
            mayHaveHappened: true,
            cause,
          }),
        ),
      close: async (graceMs) => {
        if (graceMs === 0) {
          await near.writable.abort().catch(() => {});
          await far.writable.abort().catch(() => {});
        }
        await served;
      },
    });
  };

  async #serve(
    { readable, writable }: {
      readable: ReadableStream<Uint8Array>;
      writable: WritableStream<Uint8Array>;
    },
  ): Promise<void> {
    const assembler = new PacketAssembler();
    const reader = readable.getReader();
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    const handles = new Map<string, { path: string; isListed: number }>();
    const end = async () => {
      writer.abort().catch(() => {});
      await reader.cancel().catch(() => {});
    };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const packet of assembler.push(value)) {
        if (packet.type === PACKET.init) {
          const fields = Object.entries(this.extensions).flat();
          writer.write(encodePacket(PACKET.version, [3, ...fields]));
          continue;
        }
        const id = packet.u32();
        const { line, run } = this.#read(packet, handles);
        const seen = { number: this.seen.length + 1, line, id };
        this.seen.push(seen);
        const trouble = this.trouble(seen);
        if (trouble === "drop") return await end();
        if (trouble === "hang") continue;
        if (trouble instanceof Uint8Array) {
          writer.write(trouble).catch(() => {});
          continue;
        }
        const [type, ...fields] = typeof trouble === "number"
          ? status(trouble)
          : run();
        if (trouble === "lose") return await end();
        writer.write(encodePacket(type, [id, ...fields])).catch(() => {});
      }
    }
    await writer.close().catch(() => {});
  }

  /** What a request asks, and what does it. */
  #read(
    packet: Packet,
    handles: Map<string, { path: string; isListed: number }>,
  ): { line: string; run: () => Answer } {
    let what = NAMES.get(packet.type) ?? "";
    if (packet.type === PACKET.extended) what = packet.text().split("@")[0];
    const isOfHandle = ["close", "read", "write", "fstat", "readdir", "fsync"]
      .includes(what);
    const first = packet.text();
    const path = isOfHandle ? handles.get(first)?.path : pathIn(first);
    const to = ["rename", "hardlink"].includes(what)
      ? pathIn(packet.text())
      : undefined;
    const paths = [path, to].filter((one) => one !== undefined).map(short);
    return {
      line: [what, ...paths].join(" "),
      run: () => {
        if (path === undefined) return status(STATUS.failure);
        if (isOfHandle) {
          return this.#onHandle(what, first, path, packet, handles);
        }
        return this.#onPath(what, path, to, packet, handles);
      },
    };
  }

  #onHandle(
    what: string,
    handle: string,
    path: string,
    packet: Packet,
    handles: Map<string, { path: string; isListed: number }>,
  ): Answer {
    const bytes = this.files.get(path);
    switch (what) {
      case "close":
        handles.delete(handle);
        return OK;
      case "read": {
        if (bytes === undefined) return status(STATUS.failure);
        const at = packet.u64();
        const part = bytes.slice(at, at + packet.u32());
        return part.length === 0 ? status(STATUS.eof) : [PACKET.data, part];
      }
      case "write": {
        const at = packet.u64();
        const part = packet.bytes();
        const size = Math.max(bytes!.length, at + part.length);
        const grown = new Uint8Array(size);
        grown.set(bytes!);
        grown.set(part, at);
        this.files.set(path, grown);
        return OK;
      }
      case "readdir": {
        const state = handles.get(handle)!;
        const all = [...this.files.keys()].filter((one) =>
          one !== "" && parent(one) === path
        );
        const page = all.slice(state.isListed, state.isListed + PAGE);
        state.isListed += PAGE;
        if (page.length === 0) return status(STATUS.eof);
        const fields = page.flatMap((one) => [
          one.slice(one.lastIndexOf("/") + 1),
          "",
          ...this.#attributes(one),
        ]);
        return [PACKET.name, page.length, ...fields];
      }
      case "fstat":
        return [PACKET.attributes, ...this.#attributes(path)];
      default:
        return OK;
    }
  }

  #onPath(
    what: string,
    path: string,
    to: string | undefined,
    packet: Packet,
    handles: Map<string, { path: string; isListed: number }>,
  ): Answer {
    const isThere = this.files.has(path);
    const hasParent = this.files.has(parent(to ?? path)) || path === "";
    if (what === "open" && (packet.u32() & 8) !== 0) {
      if (!hasParent) return status(STATUS.noSuchFile);
      if (isThere) return status(STATUS.failure);
      this.files.set(path, new Uint8Array(0));
    } else if (what === "mkdir") {
      if (!hasParent) return status(STATUS.noSuchFile);
      if (isThere) return status(STATUS.failure);
      this.files.set(path, undefined);
      return OK;
    } else if (!isThere) return status(STATUS.noSuchFile);
    switch (what) {
      case "open":
      case "opendir": {
        const handle = crypto.randomUUID();
        handles.set(handle, { path, isListed: 0 });
        this.mostHandles = Math.max(this.mostHandles, handles.size);
        return [PACKET.handle, handle];
      }
      case "stat":
        return [PACKET.attributes, ...this.#attributes(path)];
      case "remove":
        this.files.delete(path);
        return OK;
      case "rmdir": {
        const hasEntries = [...this.files.keys()]
          .some((other) => other.startsWith(`${path}/`));
        if (hasEntries) return status(STATUS.failure);
        this.files.delete(path);
        return OK;
      }
      case "rename":
      case "hardlink": {
        if (!hasParent) return status(STATUS.noSuchFile);
        if (this.files.has(to!) && !(what === "rename" && this.replaces)) {
          return status(STATUS.failure);
        }
        this.files.set(to!, this.files.get(path));
        if (what === "rename") this.files.delete(path);
        return OK;
      }
      default:
        return status(STATUS.unsupported);
    }
  }

  #attributes(path: string): Field[] {
    const bytes = this.files.get(path);
    return bytes === undefined
      ? [4, FOLDER_MODE]
      : [1 | 4, BigInt(bytes.length), FILE_MODE];
  }
}

/** The path of the store is `/store`. */
function pathIn(path: string): string {
  return path.replace(/^\/store\/?/, "");
}

function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** A path whose random part is no more than `NEW`. */
function short(path: string): string {
  return path.replace(/tmp\/.+/, "tmp/NEW").replace(/^$/, ".");
}
