import {
  compareBytes,
  type Hasher,
  type HashStream,
  type Id,
} from "@snap/hash";
import { DEPTH_MAX } from "@snap/manifest/extras";
import { checkName, displayPath } from "@snap/manifest/path";
import { SumDraft } from "./directory_sums.ts";
import { ImportError } from "../errors.ts";
import { SnapdirSyntaxError } from "./errors.ts";
import { type ReadLine, readLines } from "./manifest_line.ts";

const SLASH = 0x2f;
const DOT = 0x2e;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A directory whose lines are being read. */
interface OpenDirectory {
  readonly line: ReadLine;
  readonly sum: SumDraft;
  /** Names of its files: no directory may have one of them. */
  readonly files: Set<string>;
}

/**
 * Checks a manifest before anything is done by it: its id, the order of its lines, that
 * every path is safe and below a directory that has a line, and the sums of all directories.
 *
 * @param bytes The manifest.
 * @param id The id that it is to have.
 * @throws {SnapdirSyntaxError} If a line cannot stand where it stands.
 * @throws {ImportError} If it has another id.
 */
export function checkManifest(bytes: Uint8Array, id: Id, hasher: Hasher): void {
  const stream = hasher.stream();
  const found = new ManifestCheck(hasher, stream);
  for (const line of readLines(bytes)) found.take(line);
  const actual = stream.digest();
  if (actual !== id) {
    throw new ImportError(
      `Cannot use snapdir manifest ${id}: its text has id ${actual}`,
      "it is damaged, or was changed: snapdir push makes it anew",
    );
  }
  found.finish();
}

/** Follows the lines of a manifest. */
class ManifestCheck {
  readonly #hasher: Hasher;
  readonly #id: HashStream;
  readonly #open: OpenDirectory[] = [];
  #last: Uint8Array | undefined;

  constructor(hasher: Hasher, id: HashStream) {
    this.#hasher = hasher;
    this.#id = id;
  }

  take(line: ReadLine): void {
    this.#id.update(line.bytes);
    const { path, isDirectory, number } = line;
    const fail = (fault: string) => new SnapdirSyntaxError(number, fault);
    if (path[0] === SLASH) throw fail("its path is absolute");
    const isOwn = path.length >= 2 && path[0] === DOT && path[1] === SLASH;
    if (!isOwn) throw fail("its path does not begin with ./");
    const order = this.#last === undefined
      ? -1
      : compareBytes(this.#last, path);
    if (order === 0) throw fail(`${shown(path)} is there twice`);
    if (order > 0) throw fail(`${shown(path)} is not above the path before`);
    this.#last = path;
    const isRoot = path.length === 2;
    if (isRoot !== (this.#open.length === 0) || (isRoot && !isDirectory)) {
      throw fail("the first line is not that of ./, a directory");
    }
    if (!isRoot) this.#place(line);
    if (!isDirectory) return this.#open.at(-1)!.sum.add(line);
    if (this.#open.length > DEPTH_MAX) {
      throw fail(`directories nest more than ${DEPTH_MAX} deep`);
    }
    this.#open.push({ line, sum: new SumDraft(), files: new Set() });
  }

  /** Ends all directories that are open. */
  finish(): void {
    if (this.#open.length === 0) {
      throw new SnapdirSyntaxError(1, "there is no line");
    }
    while (this.#open.length > 0) this.#close();
  }

  /** Finds the directory of a line among those that are open, and checks its name. */
  #place({ path, isDirectory, number }: ReadLine): void {
    const fail = (fault: string) => new SnapdirSyntaxError(number, fault);
    const end = isDirectory ? path.length - 1 : path.length;
    if (isDirectory && path[end] !== SLASH) {
      throw fail("the path of a directory does not end with a slash");
    }
    const start = path.lastIndexOf(SLASH, end - 1) + 1;
    const fault = checkName(path, start, end);
    if (fault !== undefined) throw fail(`${shown(path)}: ${fault}`);
    const parent = path.subarray(0, start);
    while (!isBelow(this.#open.at(-1)!.line.path, parent)) this.#close();
    const open = this.#open.at(-1)!;
    if (open.line.path.length !== parent.length) {
      throw fail(`${shown(path)}: its directory has no line`);
    }
    const name = this.#nameOf(path.subarray(start, end), number);
    if (!isDirectory) open.files.add(name);
    else if (open.files.has(name)) throw fail(`${shown(path)} is a file, too`);
  }

  #nameOf(bytes: Uint8Array, number: number): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw new SnapdirSyntaxError(number, `${shown(bytes)} is not UTF-8`);
    }
  }

  #close(): void {
    const { line, sum } = this.#open.pop()!;
    const { checksum, size } = sum.finish(this.#hasher);
    if (checksum !== line.checksum || size !== line.size) {
      throw new SnapdirSyntaxError(
        line.number,
        `the ${checksum === line.checksum ? "size" : "checksum"} of ${
          shown(line.path)
        } is not that of what is in it`,
      );
    }
    this.#open.at(-1)?.sum.add(line);
  }
}

/** Whether a path begins with that of a directory. */
function isBelow(directory: Uint8Array, path: Uint8Array): boolean {
  return path.length >= directory.length &&
    compareBytes(directory, path.subarray(0, directory.length)) === 0;
}

function shown(path: Uint8Array): string {
  return displayPath(path);
}
