import { type Hasher, type Id, idFromBytes, idToBytes } from "@snap/hash";
import {
  DEPTH_MAX,
  EntryKind,
  isFileKind,
  ManifestSyntaxError,
} from "@snap/manifest/extras";
import { Pacer } from "@snap/posix/pacer";
import type { SideIds } from "@snap/snapshot/query";
import {
  type Directory,
  type ObjectReads,
  readDirectory,
} from "@snap/snapshot/reach";
import type { StoreOptions } from "@snap/store";
import { type DirectorySum, SumDraft } from "./directory_sums.ts";
import { ExportError } from "../errors.ts";
import {
  type FollowedEntry,
  followLink,
  type PlacedDirectory,
} from "./followed_path.ts";
import { lineOrder } from "./line_order.ts";
import { directoryPath, entryPath, ROOT_PATH } from "./line_path.ts";
import type { ManifestLine } from "./manifest_line.ts";

/** Most lines of a manifest: links that lead to links could make any number. */
const LINE_COUNT_MAX = 2 ** 24;

const NOTHING_LEFT_OUT = {
  ...{ links: 0, outsideLinks: 0, circularLinks: 0, specialFiles: 0 },
  ...{ hardLinks: 0, xattrs: 0 },
};

/** Options of {@linkcode ManifestWalk}. */
export interface ManifestOptions extends StoreOptions {
  /** The hasher. */
  readonly hasher: Hasher;
  /**
   * Leaves symbolic links out; else they stand for what they lead to, as far as
   * that is in the snapshot.
   *
   * @default {false}
   */
  readonly noFollow?: boolean;
}

/** What a manifest of snapdir does not tell, beside owners and times. */
export interface LeftOut {
  /** Symbolic links that were not to be followed, or lead to nothing. */
  links: number;
  /** Symbolic links that lead out of the snapshot. */
  outsideLinks: number;
  /** Symbolic links to a directory that they are in. */
  circularLinks: number;
  /** Pipes and devices. */
  specialFiles: number;
  /** Names of files that have several: each is a file of its own. */
  hardLinks: number;
  /** Entries with extended attributes. */
  xattrs: number;
}

/** A line, and for a file the size of its content, which a followed link does not tell. */
export interface WalkedLine extends ManifestLine {
  /** The size of the content in bytes; 0 for a directory. */
  readonly contentSize: number;
}

/** A directory that the walk is in. */
interface Level {
  readonly directory: PlacedDirectory;
  /** Its path, with a slash at the end. */
  readonly path: Uint8Array;
  /** Its mode, or that of the link that leads to it. */
  readonly mode: number;
  /** Rows in the order of their lines. */
  readonly rows: Uint32Array;
  /** What its links lead to, by their rows. */
  readonly links: ReadonlyMap<number, FollowedEntry>;
  /** Its number among all directories. */
  readonly number: number;
  next: number;
}

/** What the walk comes to: a directory, its end, or a file. */
type Step =
  | { readonly kind: "enter"; readonly level: Level }
  | { readonly kind: "leave"; readonly level: Level }
  | { readonly kind: "file"; readonly line: WalkedLine };

/**
 * Turns a snapshot into the lines of a manifest of snapdir. It goes through the
 * directories twice, as a line names the sums of all below it; contents are not read.
 */
export class ManifestWalk {
  /** What has no line; known when the lines are through. */
  readonly leftOut: LeftOut = { ...NOTHING_LEFT_OUT };
  readonly #objects: ObjectReads;
  readonly #ids: Required<SideIds>;
  readonly #options: ManifestOptions;
  readonly #pacer: Pacer;
  #lineCount = 0;

  /** Reads nothing yet. */
  constructor(
    objects: ObjectReads,
    ids: Required<SideIds>,
    options: ManifestOptions,
  ) {
    this.#objects = objects;
    this.#ids = ids;
    this.#options = options;
    this.#pacer = new Pacer(options);
  }

  /**
   * Gives the lines in their order.
   *
   * @throws {ExportError} If a name cannot stand in a manifest.
   */
  async *lines(): AsyncGenerator<WalkedLine, void> {
    const sums = await this.#sums();
    for await (const step of this.#steps()) {
      if (step.kind === "file") yield step.line;
      if (step.kind !== "enter") continue;
      const { path, mode, number } = step.level;
      const shared = { isDirectory: true, mode, path, contentSize: 0 };
      yield { ...shared, ...sums[number] };
    }
  }

  /** Adds up all directories, in the order in which the walk enters them. */
  async #sums(): Promise<readonly DirectorySum[]> {
    const sums: DirectorySum[] = [];
    const drafts: SumDraft[] = [];
    for await (const step of this.#steps()) {
      if (step.kind === "enter") {
        drafts.push(new SumDraft());
      } else if (step.kind === "file") {
        drafts.at(-1)!.add(step.line);
      } else {
        const sum = drafts.pop()!.finish(this.#options.hasher);
        sums[step.level.number] = sum;
        drafts.at(-1)?.add(sum);
      }
    }
    return sums;
  }

  async *#steps(): AsyncGenerator<Step, void> {
    Object.assign(this.leftOut, NOTHING_LEFT_OUT);
    this.#lineCount = 0;
    const levels: Level[] = [];
    let directories = 0;
    const push = async (found: FoundDirectory): Promise<Step> => {
      if (levels.length > DEPTH_MAX) throw depthError();
      this.#count();
      const { directory } = found;
      this.#countLost(directory);
      const links = await this.#followAll(directory, levels);
      const rows = lineOrder(directory, links);
      const level = { ...found, links, rows, number: directories++, next: 0 };
      levels.push(level);
      return { kind: "enter", level };
    };
    yield await push(await this.#root());
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const turn = this.#pacer.yield();
      if (turn !== undefined) await turn;
      if (level.next === level.rows.length) {
        levels.pop();
        yield { kind: "leave", level };
        continue;
      }
      const found = await this.#entry(level, level.rows[level.next++]);
      if (found === undefined) continue;
      if ("directory" in found) yield await push(found);
      else {
        this.#count();
        yield { kind: "file", line: found };
      }
    }
  }

  async #root(): Promise<FoundDirectory> {
    const tree = idBytes(this.#ids.tree), page = idBytes(this.#ids.page);
    const read = await this.#read(tree, page);
    const mode = read.page.mode(0);
    return { directory: { ...read, way: "" }, path: ROOT_PATH, mode };
  }

  /** Follows the links of a directory: their order among the others depends on it. */
  async #followAll(
    directory: PlacedDirectory,
    levels: readonly Level[],
  ): Promise<ReadonlyMap<number, FollowedEntry>> {
    const { tree } = directory;
    const links = new Map<number, FollowedEntry>();
    for (let row = 0; row < tree.count; row++) {
      if (tree.kind(row) !== EntryKind.symlink) continue;
      if (this.#options.noFollow === true) {
        this.leftOut.links++;
        continue;
      }
      const found = await followLink(
        directory,
        tree.target(row),
        (...way) => this.#enter(...way),
      );
      const ways = [directory, ...levels.map((level) => level.directory)];
      if (found === "nothing") this.leftOut.links++;
      else if (found === "outside") this.leftOut.outsideLinks++;
      else if (
        found.row >= 0 && !isFileKind(found.directory.tree.kind(found.row))
      ) this.leftOut.specialFiles++;
      else if (
        found.row < 0 && ways.some(({ way }) => way === found.directory.way)
      ) this.leftOut.circularLinks++;
      else links.set(row, found);
    }
    return links;
  }

  /** Finds what stands in the manifest for a row; nothing where that is nothing. */
  async #entry(
    level: Level,
    row: number,
  ): Promise<FoundDirectory | WalkedLine | undefined> {
    const { directory, links } = level;
    const { tree, page } = directory;
    const kind = tree.kind(row);
    // Of a link that is followed permissions and size are its own.
    const own = { mode: page.mode(row + 1), size: tree.size(row) };
    const path = entryPath(level.path, tree.name(row));
    if (isFileKind(kind)) return fileLine(directory, row, { ...own, path });
    if (kind === EntryKind.directory) {
      return directoryOf(await this.#enter(directory, row), own.mode, path);
    }
    const found = links.get(row);
    if (found === undefined) {
      if (kind !== EntryKind.symlink) this.leftOut.specialFiles++;
      return undefined;
    }
    return found.row < 0
      ? directoryOf(found.directory, own.mode, path)
      : fileLine(found.directory, found.row, { ...own, path });
  }

  async #enter(parent: PlacedDirectory, row: number): Promise<PlacedDirectory> {
    const { tree, page } = parent;
    const pageId = page.pageIdBytes(tree.directoriesBefore(row));
    const read = await this.#read(tree.idBytes(row), pageId);
    return { ...read, parent, way: `${parent.way}${row}/` };
  }

  /** Counts what no line tells of entries that have one. */
  #countLost({ tree, page }: Directory): void {
    for (let row = 0; row < page.rows; row++) {
      const isFile = row > 0 && isFileKind(tree.kind(row - 1));
      if (isFile && page.nlink(row) > 1) this.leftOut.hardLinks++;
      const hasXattrs = page.extraRows > 0 &&
        (page.extras(row)?.xattrs.length ?? 0) > 0;
      if (hasXattrs) this.leftOut.xattrs++;
    }
  }

  async #read(tree: Uint8Array, page: Uint8Array): Promise<Directory> {
    return await readDirectory(this.#objects, tree, page, this.#options);
  }

  #count(): void {
    if (++this.#lineCount <= LINE_COUNT_MAX) return;
    throw new ExportError(
      `Cannot make a snapdir manifest: it has more than ${LINE_COUNT_MAX} lines`,
      "--no-follow leaves links out",
    );
  }
}

/** A directory that the walk is to enter. */
type FoundDirectory = Pick<Level, "directory" | "path" | "mode">;

function idBytes(id: Id | Uint8Array): Uint8Array {
  return typeof id === "string" ? idToBytes(id) : id;
}

function fileLine(
  { tree }: PlacedDirectory,
  row: number,
  own: {
    readonly mode: number;
    readonly size: number;
    readonly path: Uint8Array;
  },
): WalkedLine {
  const checksum = idFromBytes(tree.idBytes(row));
  return { isDirectory: false, ...own, checksum, contentSize: tree.size(row) };
}

function directoryOf(
  directory: PlacedDirectory,
  mode: number,
  path: Uint8Array,
): FoundDirectory {
  return { directory, mode, path: directoryPath(path) };
}

function depthError(): ManifestSyntaxError {
  return new ManifestSyntaxError(
    `Cannot walk snapshot: directories nest more than ${DEPTH_MAX} deep`,
    0,
  );
}
