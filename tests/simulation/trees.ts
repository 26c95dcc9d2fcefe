// Directories that change from save to save, as objects, and what a reader must find.
import { createHash } from "node:crypto";
import { equalBytes, type Id, idFromBytes } from "@snap/hash";
import { ObjectKind } from "@snap/pack";
import type { ObjectSink } from "@snap/pack/sink";
import { NO_TOTALS, type TestDirectory } from "../_test_snapshots.ts";
import { plainOf, type TestEntry, TestSnapshots } from "../_test_snapshots.ts";
import { Prng } from "../_prng.ts";
import type { SnapshotRecord } from "@snap/snapshot/records";
import type { Listing } from "../_snapshots.ts";
import type { PackedObject } from "./oracle.ts";

/** Names of a directory: few, so that changes meet. */
const NAMES = ["a", "b", "c", "d", "e"];
const DEPTH_MAX = 2;
/** Bytes of a piece of a large file. */
const PIECE_SIZE_MAX = 3000;
/** Contents and pieces are of few seeds, so that what has gone comes back. */
const SEEDS = 12;

type Directory = { [name: string]: TestEntry };

/** Makes a directory by chance. */
export function makeDirectory(prng: Prng, depth = 0): TestDirectory {
  const directory: Directory = {};
  for (const name of NAMES) {
    if (prng.below(2) === 0) directory[name] = makeEntry(prng, depth);
  }
  return directory;
}

/** Changes something of a directory. */
export function changed(directory: TestDirectory, prng: Prng): TestDirectory {
  const copy: Directory = { ...directory };
  const name = prng.pick(NAMES);
  const entry = copy[name];
  if (entry !== undefined && "directory" in entry && prng.below(4) > 0) {
    copy[name] = { directory: changed(entry.directory, prng) };
  } else if (entry !== undefined && prng.below(3) === 0) delete copy[name];
  else copy[name] = makeEntry(prng, 0);
  return copy;
}

function makeEntry(prng: Prng, depth: number): TestEntry {
  const mtimeSec = 1_700_000_000 + prng.below(4);
  switch (prng.below(depth < DEPTH_MAX ? 6 : 4)) {
    case 0:
      return { link: `to/${prng.below(9)}`, mtimeSec };
    case 1:
      return { chunks: makePieces(prng), mtimeSec };
    // Small contents of which there are few: they come again elsewhere.
    case 2:
      return { file: `text ${prng.below(20)}`, mtimeSec };
    case 3:
      return { file: bytesOf(prng, 600), mtimeSec };
    default:
      return { directory: makeDirectory(prng, depth + 1), mtimeSec };
  }
}

/** Pieces of large content; some are zeros, some come in every large file. */
function makePieces(prng: Prng): (Uint8Array | number)[] {
  const count = 2 + prng.below(4);
  return Array.from({ length: count }, () => {
    const choice = prng.below(6);
    if (choice === 0) return 8 * PIECE_SIZE_MAX;
    if (choice === 1) return new Uint8Array(1000).fill(prng.below(5));
    return bytesOf(prng, PIECE_SIZE_MAX);
  });
}

function bytesOf(prng: Prng, sizeMax: number): Uint8Array {
  const own = new Prng(prng.below(SEEDS));
  return own.bytes(1 + own.below(sizeMax));
}

/** A directory with its objects. */
export class BuiltTree extends TestSnapshots {
  readonly objects: PackedObject[] = [];
  readonly tree: Id;
  readonly page: Id;
  readonly totals: SnapshotRecord["totals"];
  /** What a reader must find: paths, and what is there. */
  readonly expected: ReadonlyMap<string, string>;

  constructor(directory: TestDirectory) {
    super();
    const { tree, page } = this.addDirectory(directory);
    this.tree = idFromBytes(tree);
    this.page = idFromBytes(page);
    const expected = new Map<string, string>([["", "directory "]]);
    list(directory, "", expected);
    this.expected = expected;
    this.totals = { ...NO_TOTALS, entryCount: expected.size - 1 };
  }

  has(id: Uint8Array, kind: number): boolean {
    return this.objects.some((one) =>
      one.kind === kind && equalBytes(one.id, 0, id, 0, 32)
    );
  }

  override addObject(bytes: Uint8Array, id: Uint8Array, kind: number): void {
    if (bytes.length === 0) return;
    this.objects.push({ bytes: bytes.slice(), id: id.slice(), kind });
  }

  /** Puts all objects into a sink, but contents that another tree has, if one is given. */
  putInto(sink: ObjectSink, but?: BuiltTree): void {
    const { content, recipe } = ObjectKind;
    for (const { id, kind, bytes } of this.objects) {
      const isOfFile = kind === content || kind === recipe;
      if (isOfFile && but?.has(id, kind)) continue;
      const isRoot = kind === ObjectKind.recipe && bytes[5] === 1;
      if (kind === ObjectKind.content) {
        sink.reserve(bytes.length).set(bytes);
        sink.commit(id, 0, bytes.length);
      } else if (isRoot) sink.putRoot(bytes, id);
      else sink.put(bytes, id, 0, kind as ObjectKind);
    }
  }
}

/** What a listing says of kinds and contents. */
export function contentsOf(listing: Listing): Map<string, string> {
  return new Map(
    Array.from(listing, ([path, { kind, content }]) => [
      path,
      `${kind} ${content}`,
    ]),
  );
}

function list(
  directory: TestDirectory,
  at: string,
  out: Map<string, string>,
): void {
  for (const [name, entry] of Object.entries(directory)) {
    const path = at === "" ? name : `${at}/${name}`;
    if ("directory" in entry) {
      out.set(path, "directory ");
      list(entry.directory, path, out);
    } else if ("link" in entry) out.set(path, `symlink ${entry.link}`);
    else out.set(path, `file ${digest(plainBytes(entry))}`);
  }
}

function plainBytes(entry: TestEntry): Uint8Array {
  if ("chunks" in entry) return plainOf(entry.chunks);
  const file = "file" in entry ? entry.file : "";
  return typeof file === "string" ? new TextEncoder().encode(file) : file;
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
