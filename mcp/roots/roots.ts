import { type HeldDirectory, holdDirectory } from "@snap/disk/target";
import { parsePath, pathToText } from "@snap/manifest/path";
import { PATH_SIZE_MAX, ROOTS_MAX } from "../limits.ts";
import { ToolError } from "../tool_error.ts";

const encoder = new TextEncoder();

/** A directory in which tools may work, with all below it. */
export interface Root {
  /** Its path as it was given. */
  readonly given: string;
  /** Its path without links. */
  readonly path: string;
}

/** The directories that bound what tools may touch. */
export class Roots {
  /** The directories, without links in their paths. */
  readonly all: readonly Root[];

  /** Takes roots that were looked at. */
  constructor(all: readonly Root[]) {
    this.all = all;
  }

  /**
   * Looks at directories.
   *
   * @param paths Their absolute paths; links are followed here, and never again.
   * @returns The roots.
   * @throws {ToolError} If there are too many, or one is absent.
   * @throws {DiskError} If one is no directory.
   */
  static async open(paths: readonly string[]): Promise<Roots> {
    if (paths.length > ROOTS_MAX) {
      throw new ToolError(
        `Cannot use ${paths.length} roots: ${ROOTS_MAX} are the most`,
      );
    }
    const all: Root[] = [];
    for (const given of paths) {
      const path = await realPath(given).catch((cause) => {
        const { code } = cause as { readonly code?: string };
        const reason = code === "ENOENT" ? "there is no such directory" : code;
        const message = `Cannot use root ${given}: ${reason}`;
        throw new ToolError(message, undefined, { cause });
      });
      holdDirectory(path, new Uint8Array(0))[Symbol.dispose]();
      all.push({ given, path });
    }
    return new Roots(all);
  }

  /**
   * Narrows the roots to what a client has, too.
   *
   * @param uris Roots of the client; those that are no directories of this machine are passed over.
   * @returns What both have.
   */
  async within(uris: readonly string[]): Promise<Roots> {
    const all = new Map<string, Root>();
    for (const uri of uris.slice(0, ROOTS_MAX)) {
      const given = pathOfUri(uri);
      const path = given && await realPath(given).catch(() => undefined);
      if (given === undefined || path === undefined) continue;
      for (const root of this.all) {
        if (isBelow(path, root.path)) all.set(path, { given, path });
        else if (isBelow(root.path, path)) all.set(root.path, root);
      }
    }
    return new Roots([...all.values()]);
  }

  /**
   * Finds the directory that a call is about, and sees that no link is on the way to it.
   *
   * @param directory Its path; absent for the only root, relative to it where there is one only.
   * @returns Its path without links, below a root or one itself.
   * @throws {ToolError} If it is in no root.
   * @throws {DiskError} If it is absent, or a part of the way is a link or no directory.
   */
  find(directory: string | undefined): string {
    const [root, below] = this.#split(directory);
    const path = below === "" ? root.path : joinText(root.path, below);
    this.hold(path)[Symbol.dispose]();
    return path;
  }

  /**
   * Holds a directory of a root open.
   *
   * @param directory Its path without links.
   * @param path What is below it; empty for itself.
   * @returns The directory, until it is disposed of.
   * @throws {DiskError} If it is absent, or a part of the way is a link or no directory.
   */
  hold(directory: string, path: Uint8Array = new Uint8Array(0)): HeldDirectory {
    const root = this.all.find((one) => isBelow(directory, one.path))!;
    const below = encoder.encode(directory.slice(root.path.length));
    const whole = [...below, 0x2f, ...path];
    const start = whole.findIndex((byte) => byte !== 0x2f);
    const end = whole.findLastIndex((byte) => byte !== 0x2f) + 1;
    const part = start < 0 ? [] : whole.slice(start, end);
    return holdDirectory(root.path, Uint8Array.from(part));
  }

  /**
   * Whether a snapshot is of a root or of something below one.
   *
   * @param source The path that was saved, as records have it.
   */
  has(source: string): boolean {
    return this.all.some((root) =>
      isBelow(source, pathToText(encoder.encode(root.path)))
    );
  }

  #split(directory: string | undefined): readonly [Root, string] {
    const { all } = this;
    if (all.length === 0) {
      throw new ToolError(
        "Cannot work in any directory: the roots of the client and those of the server have nothing in common",
      );
    }
    if (directory === undefined || !directory.startsWith("/")) {
      if (all.length > 1) {
        throw new ToolError(
          "Cannot tell which directory is meant: there are several roots",
          `directory is an absolute path in one of ${this.#names()}`,
        );
      }
      return [all[0], cleanPath(directory ?? "")];
    }
    const path = cleanPath(directory);
    for (const root of all) {
      for (const start of [root.path, root.given]) {
        if (isBelow(`/${path}`, start)) {
          return [root, cleanPath(`/${path}`.slice(start.length))];
        }
      }
    }
    throw new ToolError(
      `Cannot use ${JSON.stringify(directory)}: it is in no root`,
      `the roots are ${this.#names()}`,
    );
  }

  #names(): string {
    return this.all.map(({ path }) => path).join(", ");
  }
}

/** The path of a directory as records have it. */
export function sourceText(directory: string): string {
  return pathToText(encoder.encode(directory));
}

/** The directory that a record is of; nothing where its path cannot be written as text. */
export function directoryOfSource(source: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(parsePath(source));
  } catch {
    return undefined;
  }
}

/** Whether a path is another one, or below it. */
function isBelow(path: string, above: string): boolean {
  const start = above.endsWith("/") ? above : `${above}/`;
  return path === above || path.startsWith(start);
}

function joinText(root: string, below: string): string {
  return root.endsWith("/") ? root + below : `${root}/${below}`;
}

/** A path without slashes at its ends, and without `.` and empty names. */
function cleanPath(path: string): string {
  const quoted = JSON.stringify(path);
  if (path.includes("\0")) {
    throw new ToolError(`Cannot use ${quoted}: it has a NUL`);
  }
  if (!path.isWellFormed() || encoder.encode(path).length > PATH_SIZE_MAX) {
    throw new ToolError("Cannot use directory: its path is no path");
  }
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) {
    throw new ToolError(`Cannot use ${quoted}: it has .. in it`);
  }
  return names.join("/");
}

function pathOfUri(uri: string): string | undefined {
  try {
    const { protocol, hostname, pathname } = new URL(uri);
    if (protocol !== "file:" || hostname !== "") return undefined;
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}

async function realPath(path: string): Promise<string> {
  const { realpath } = await import("node:fs/promises");
  return await realpath(path);
}
