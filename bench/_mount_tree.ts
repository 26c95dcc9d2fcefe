import { posix } from "@snap/posix";
import { Prng } from "../tests/_prng.ts";
import { ContentMaker } from "./_content.ts";

const SEED = 71_993;
const MEBIBYTE = 2 ** 20;
/** Small files of one folder. */
const FOLDER_FILE_COUNT = 100;

/** The name of the large file below the root of a tree that is read. */
export const LARGE_NAME = "large.bin";

/** What a tree that is read holds: small files of 1 KiB to 1 MiB, and a large one. */
export interface ReadTreeSize {
  /** Small files. */
  readonly fileCount: number;
  /** Bytes of the large file, a multiple of 1 MiB. */
  readonly largeSize: number;
}

/**
 * Makes a tree to read, the same on every machine. A seventh of its bytes do not
 * compress, the others do as text, program text and machine code.
 *
 * @param root A path that is not there yet.
 * @param size How much of it.
 */
export function makeReadTree(root: string, size: ReadTreeSize): void {
  const prng = new Prng(SEED);
  const filler = new Filler(prng);
  const scratch = new Uint8Array(MEBIBYTE);
  Deno.mkdirSync(root);
  for (let i = 0; i < size.fileCount; i++) {
    const folder = `${root}/${Math.floor(i / FOLDER_FILE_COUNT)}`;
    if (i % FOLDER_FILE_COUNT === 0) Deno.mkdirSync(folder);
    const spread = prng.unit() ** 3;
    const bytes = scratch.subarray(0, 1024 + spread * (MEBIBYTE - 1024));
    filler.fill(bytes);
    Deno.writeFileSync(`${folder}/${i}.bin`, bytes);
  }
  fillLargeFile(`${root}/${LARGE_NAME}`, size.largeSize, filler);
}

/**
 * Makes the large file alone.
 *
 * @param path A path that is not there yet.
 * @param size Its size, a multiple of 1 MiB.
 */
export function makeLargeFile(path: string, size: number): void {
  fillLargeFile(path, size, new Filler(new Prng(SEED)));
}

function fillLargeFile(path: string, size: number, filler: Filler): void {
  const segment = new Uint8Array(MEBIBYTE);
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (let at = 0; at < size; at += segment.length) {
    filler.fill(segment);
    for (let done = 0; done < segment.length;) {
      done += file.writeSync(segment.subarray(done));
    }
  }
}

/** Fills buffers with one kind of content after the other. */
class Filler {
  readonly #maker: ContentMaker;
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#maker = new ContentMaker(prng);
  }

  fill(out: Uint8Array): void {
    const kind = this.#prng.below(7);
    this.#maker.changeTopic();
    if (kind < 3) this.#maker.fillText(out, { copies: 0.2, phrases: 0.1 });
    else if (kind < 5) this.#maker.fillBinary(out.fill(0));
    else if (kind === 5) this.#maker.fillMinified(out);
    else this.#maker.fillRandom(out);
  }
}

/** A tree of many files of a few bytes, no two of them equal. */
export interface ManyFiles {
  /** Files, a hundred to a folder. */
  readonly fileCount: number;
  /** Whether each has an extended attribute. */
  readonly hasXattrs: boolean;
}

/**
 * Makes a tree to list.
 *
 * @param root A path that is not there yet.
 * @param what How many files, and what they have.
 */
export function makeManyFiles(root: string, what: ManyFiles): void {
  const encoder = new TextEncoder();
  const name = encoder.encode("user.number\0");
  let folder = root;
  for (let i = 0; i < what.fileCount; i++) {
    if (i % FOLDER_FILE_COUNT === 0) {
      const number = i / FOLDER_FILE_COUNT;
      folder = `${root}/${Math.floor(number / 100)}/${number % 100}`;
      Deno.mkdirSync(folder, { recursive: true });
    }
    const path = `${folder}/file-${i}.txt`;
    const value = encoder.encode(`${i}\n`);
    Deno.writeFileSync(path, value);
    if (!what.hasXattrs) continue;
    const result = posix!.lsetxattr(encoder.encode(`${path}\0`), name, value);
    if (result < 0) {
      throw new Error(`Cannot set an extended attribute: found ${result}`);
    }
  }
}
