import type { StoreOptions } from "@snap/store";

/** The files of a store of snapdir, in a folder or far away. */
export interface SnapdirFiles {
  /** Where they are, for people. */
  readonly location: string;

  /**
   * Says how many bytes a file has.
   *
   * @param name Its path in the store.
   * @returns The size in bytes; undefined if it is absent, and for no other reason.
   */
  size(name: string, options?: StoreOptions): Promise<number | undefined>;

  /**
   * Reads a file, piece by piece.
   *
   * @param size Its size in bytes.
   */
  read(
    name: string,
    size: number,
    options?: StoreOptions,
  ): AsyncIterable<Uint8Array>;

  /**
   * Writes a file: all of it or nothing. What was there under its name goes.
   *
   * @param content What is in it.
   */
  write(
    name: string,
    content: FileContent,
    options?: StoreOptions,
  ): Promise<void>;

  /** Makes files durable that were written. */
  sync(names: Iterable<string>, options?: StoreOptions): Promise<void>;

  /** Lists the ids of manifests. */
  manifestIds(options?: StoreOptions): AsyncIterable<string>;
}

/** Content of a file that is written. */
export interface FileContent {
  /** Its size in bytes. */
  readonly size: number;
  /** Gives its bytes, piece by piece, each good until the next. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** The folder of contents. */
export const OBJECTS = ".objects";
/** The folder of manifests. */
export const MANIFESTS = ".manifests";

/** Largest manifest in bytes: it is in memory as a whole. */
export const MANIFEST_SIZE_MAX: number = 512 << 20;

/** Longest piece in which a file is read. */
export const PIECE_SIZE: number = 4 << 20;

/**
 * Names the file of an object or a manifest.
 *
 * @param folder {@linkcode OBJECTS} or {@linkcode MANIFESTS}.
 * @param id Its id, 64 hex digits.
 */
export function fileName(folder: string, id: string): string {
  const [a, b, c] = [0, 3, 6].map((at) => id.slice(at, at + 3));
  return `${folder}/${a}/${b}/${c}/${id.slice(9)}`;
}

/**
 * Reads the id out of the path of a file below its folder.
 *
 * @returns The id; undefined if the path is none.
 */
export function idOfFile(path: string): string | undefined {
  const id = path.replaceAll("/", "");
  const isOne = /^[0-9a-f]{64}$/.test(id) && fileName("", id) === `/${path}`;
  return isOne ? id : undefined;
}
