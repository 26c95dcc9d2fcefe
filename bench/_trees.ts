// Trees to measure with, the same on every machine:
//   deno run -A bench/_trees.ts NAME FOLDER [--small]
import { parseArgs } from "node:util";
import { Prng } from "../tests/_prng.ts";
import { ContentMaker, makeWord } from "./_content.ts";

const SEED = 20_591;
const FILE_SIZE_MAX = 24 << 20;

/** Sizes of a source tree: those of the tree that the design was measured with. */
export interface SourceTreeOptions {
  /** The number of files. @default {20591} */
  readonly fileCount?: number;
  /** The sum of their sizes. @default {374000000} */
  readonly byteCount?: number;
}

/** A tree by name: makes it at a path that does not exist yet, small for tests. */
export type MakeTree = (
  root: string,
  size: "full" | "small",
) => void | Promise<void>;

/** The trees that a bench can ask for. */
export const TREES: Readonly<Record<string, MakeTree | undefined>> = {
  "source": (root, size) =>
    makeSourceTree(
      root,
      size === "full" ? {} : { fileCount: 200, byteCount: 3_000_000 },
    ),
  "small-files": (root, size) =>
    makeSmallFiles(root, size === "full" ? 1_000_000 : 500),
  "big-file": (root, size) =>
    makeBigFile(root, size === "full" ? 8 * 2 ** 30 : 2 ** 22),
  "usr": (root) => copyUsr(root),
};

/** Makes a tree like a program's sources with its dependencies. */
export function makeSourceTree(
  root: string,
  options?: SourceTreeOptions,
): void {
  const { fileCount = 20_591, byteCount = 374_000_000 } = options ?? {};
  const prng = new Prng(SEED);
  const maker = new ContentMaker(prng);
  const sizes = makeSizes(prng, fileCount, byteCount);
  const folders = makeFolders(prng, root, Math.ceil(fileCount / 14));
  const written: string[] = [];
  let folder = root;
  for (let i = 0; i < fileCount; i++) {
    if (i % 14 === 0) {
      folder = folders[i / 14];
      maker.changeTopic();
    }
    const bytes = new Uint8Array(sizes[i]);
    const extension = fillFile(prng, maker, bytes);
    const path = `${folder}/${makeWord(prng)}_${i.toString(36)}.${extension}`;
    const mode = extension === "sh" || extension === "so" ? 0o755 : 0o644;
    Deno.writeFileSync(path, bytes, { mode });
    if (i % 100 === 99) {
      Deno.symlinkSync(`./${path.slice(folder.length + 1)}`, `${path}.link`);
    }
    if (i % 30 === 29) { // Some files are copies, as licenses and vendored sources are.
      Deno.removeSync(path);
      Deno.copyFileSync(prng.pick(written), path);
    }
    written.push(path);
  }
}

/**
 * Changes a share of the files of a tree in place: edits, additions, removals, renames.
 *
 * @param root The tree.
 * @param share How many of its files, 0 to 1.
 * @returns A function that undoes it.
 */
export function changeTree(root: string, share: number): () => void {
  const prng = new Prng(SEED + 1);
  const maker = new ContentMaker(prng);
  const paths = [...filesBelow(root)].sort();
  const before = new Map<string, { bytes: Uint8Array; mode: number }>();
  const added: string[] = [];
  const count = Math.ceil(paths.length * share);
  for (const [i, path] of prng.shuffle(paths).slice(0, count).entries()) {
    const bytes = Deno.readFileSync(path);
    if (i % 20 < 19) {
      before.set(path, { bytes, mode: Deno.statSync(path).mode! & 0o777 });
    }
    if (i % 20 < 18) Deno.writeFileSync(path, insertText(bytes, prng, maker));
    else if (i % 20 === 18) Deno.removeSync(path);
    else {
      Deno.writeFileSync(`${path}.new`, insertText(bytes, prng, maker));
      added.push(`${path}.new`);
    }
  }
  return () => {
    for (const path of added) Deno.removeSync(path);
    for (const [path, { bytes, mode }] of before) {
      Deno.writeFileSync(path, bytes, { mode });
    }
  };
}

function insertText(
  bytes: Uint8Array,
  prng: Prng,
  maker: ContentMaker,
): Uint8Array {
  const cut = prng.below(bytes.length + 1);
  const inserted = new Uint8Array(1 + prng.below(400));
  maker.fillText(inserted, 0);
  const longer = new Uint8Array(bytes.length + inserted.length);
  longer.set(bytes.subarray(0, cut));
  longer.set(inserted, cut);
  longer.set(bytes.subarray(cut), cut + inserted.length);
  return longer;
}

/** Makes many files of about 200 bytes, a hundred to a folder. */
export function makeSmallFiles(root: string, fileCount: number): void {
  const prng = new Prng(SEED);
  const maker = new ContentMaker(prng);
  const scratch = new Uint8Array(300);
  let folder = root;
  for (let i = 0; i < fileCount; i++) {
    if (i % 100 === 0) {
      const number = (i / 100).toString().padStart(4, "0");
      folder = `${root}/${number.slice(0, 2)}/${number.slice(2)}`;
      Deno.mkdirSync(folder, { recursive: true });
      maker.changeTopic();
    }
    const bytes = scratch.subarray(0, 100 + prng.below(200));
    maker.fillText(bytes, 0);
    Deno.writeFileSync(`${folder}/${i % 100}.json`, bytes);
  }
}

/** Makes one large file, half of it compressible, nothing in it twice. */
export function makeBigFile(root: string, byteCount: number): void {
  const prng = new Prng(SEED);
  const maker = new ContentMaker(prng);
  const segment = new Uint8Array(1 << 20);
  Deno.mkdirSync(root, { recursive: true });
  using file = Deno.openSync(`${root}/big.bin`, {
    write: true,
    createNew: true,
  });
  for (let at = 0; at < byteCount; at += segment.length) {
    maker.changeTopic();
    maker.fillText(segment.subarray(0, segment.length / 2), 0.2);
    maker.fillRandom(segment.subarray(segment.length / 2));
    const part = segment.subarray(0, Math.min(segment.length, byteCount - at));
    for (let done = 0; done < part.length;) {
      done += file.writeSync(part.subarray(done));
    }
  }
}

/** Copies `/usr`, so that nothing changes under the measurement; refuses if memory is short. */
export async function copyUsr(root: string): Promise<void> {
  const { stdout } = await new Deno.Command("du", { args: ["-sk", "/usr"] })
    .output();
  const needed = parseInt(new TextDecoder().decode(stdout)) * 1024;
  const { available } = Deno.systemMemoryInfo();
  if (available < needed * 2.5) { // The copy, a store of it, a restored copy.
    throw new RangeError(
      `Cannot copy /usr as it takes ${needed} bytes: available are ${available}`,
    );
  }
  const { success } = await new Deno.Command("cp", {
    args: ["-a", "/usr", root],
  }).spawn().status;
  if (!success) throw new Error(`Cannot copy /usr to ${root} as cp failed`);
}

/** Draws sizes like those of real files: many small ones, few large ones, exactly `byteCount` in all. */
function makeSizes(prng: Prng, fileCount: number, byteCount: number): number[] {
  const draws = Array.from({ length: fileCount }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - prng.unit())) *
      Math.cos(2 * Math.PI * prng.unit());
    return Math.exp(1.7 * normal);
  });
  const scale = byteCount / draws.reduce((sum, draw) => sum + draw, 0);
  const sizes = draws.map((draw) =>
    Math.min(FILE_SIZE_MAX, Math.floor(draw * scale))
  );
  let left = byteCount - sizes.reduce((sum, size) => sum + size, 0);
  for (let i = 0; left > 0; i = (i + 1) % fileCount) {
    const more = Math.min(left, Math.ceil(left / fileCount));
    sizes[i] += more;
    left -= more;
  }
  return sizes;
}

/** Makes folders up to eight deep and returns them, the root first. */
function makeFolders(prng: Prng, root: string, count: number): string[] {
  const folders = [root];
  const depths = [0];
  Deno.mkdirSync(root, { recursive: true });
  while (folders.length < count) {
    const parent = prng.below(folders.length);
    if (depths[parent] === 8) continue;
    const folder = `${folders[parent]}/${makeWord(prng)}_${
      folders.length.toString(36)
    }`;
    Deno.mkdirSync(folder);
    folders.push(folder);
    depths.push(depths[parent] + 1);
  }
  return folders;
}

/** Fills one file of a source tree and returns the extension that goes with it. */
function fillFile(prng: Prng, maker: ContentMaker, bytes: Uint8Array): string {
  const kind = prng.unit();
  if (kind < 0.03) {
    maker.fillRandom(bytes);
    return "png";
  }
  if (kind < 0.15) {
    maker.fillBinary(bytes);
    return prng.pick(["so", "o", "pyc"]);
  }
  maker.fillText(bytes, 0.35);
  return prng.pick(["ts", "js", "c", "h", "py", "md", "json", "sh"]);
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    else if (entry.isFile) yield path;
  }
}

if (import.meta.main) {
  const { positionals: [name, root], values } = parseArgs({
    options: { small: { type: "boolean" } },
    allowPositionals: true,
  });
  const make = TREES[name ?? ""];
  if (make === undefined || root === undefined) {
    console.error(
      `usage: _trees.ts ${Object.keys(TREES).join("|")} FOLDER [--small]`,
    );
    Deno.exit(2);
  }
  await make(root, values.small ? "small" : "full");
}
