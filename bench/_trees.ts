// Trees to measure with, the same on every machine:
//   deno run -A bench/_trees.ts NAME FOLDER [--small]
import { parseArgs } from "node:util";
import { Prng } from "../tests/_prng.ts";
import { ContentMaker } from "./_content.ts";
import { makeCratesTree } from "./_crates_tree.ts";
import { makeSourceTree } from "./_source_tree.ts";

const SEED = 20_591;

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
  "crates": makeCratesTree,
  "usr": (root) => copyUsr(root),
};

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
  maker.fillText(inserted, { copies: 0 });
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
    maker.fillText(bytes, { copies: 0 });
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
    maker.fillText(segment.subarray(0, segment.length / 2), { copies: 0.2 });
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
