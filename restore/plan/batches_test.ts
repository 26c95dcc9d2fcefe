import { deepEqual, equal, ok } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { EntryKind } from "@snap/manifest/extras";
import { Tree } from "@snap/manifest";
import type { Location } from "@snap/pack";
import { pathOf } from "./batch_rows.ts";
import { FileWindow } from "./file_window.ts";
import { cutBatches } from "./batches.ts";
import {
  FilePlan,
  FRAME_COLUMNS,
  FRAME_EMPTY,
  FRAME_RECIPE,
  type RestoreBatch,
} from "../messages.ts";
import { TreeBuilder } from "../../tests/_manifest_builders.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const NUMBERS = { mode: 0o644, uid: 1, gid: 2, mtimeSec: -3, mtimeNs: 4 };

/** A file `size`, whose content lies in a pack at an offset; or in none. */
type Place = readonly [pack: string, frame: number, offset: number] | undefined;

function windowOf(
  files: readonly { name: string; size: number; place: Place }[],
): FileWindow {
  const window = new FileWindow(files.length);
  const directory = encode("dir");
  for (const { name, size, place } of files) {
    const builder = new TreeBuilder();
    const bytes = encode(name);
    const row = builder.add(bytes, 0, bytes.length, EntryKind.file);
    const id = new Uint8Array(32).fill(size);
    if (size === 0) wasmHasher.hashInto(new Uint8Array(0), id);
    builder.setContent(row, size, id);
    const location = place === undefined ? undefined : {
      packName: place[0],
      frameOffset: place[1],
      offset: place[2],
      storedSize: 100,
      plainSize: 200,
      codecTag: 2,
    } as unknown as Location;
    window.add({
      isFresh: false,
      directory,
      tree: Tree.decode(builder.build()),
      row: 0,
      numbers: NUMBERS,
      plan: FilePlan.create,
      location,
      extras: undefined,
    });
  }
  return window;
}

function cut(window: FileWindow): RestoreBatch[] {
  let number = 0;
  const sizeMax = 4 * 1024 * 1024;
  return [...cutBatches(window, { sizeMax, nextNumber: () => number++ })];
}

const pathsOf = (batch: RestoreBatch): string[] =>
  Array.from(
    { length: batch.count },
    (_, row) => new TextDecoder().decode(pathOf(batch, row)),
  );

Deno.test("cutBatches() puts files in the order of packs, recipes first", () => {
  const [batch, ...rest] = cut(windowOf([
    { name: "late", size: 5, place: ["packs/b", 900, 20] },
    { name: "later", size: 6, place: ["packs/a", 500, 0] },
    { name: "early", size: 7, place: ["packs/b", 72, 9] },
    { name: "empty", size: 0, place: undefined },
    { name: "large", size: 9, place: undefined },
    { name: "before", size: 4, place: ["packs/b", 900, 3] },
  ]));
  equal(rest.length, 0);
  deepEqual(pathsOf(batch), [
    "dir/large",
    "dir/empty",
    "dir/early",
    "dir/before",
    "dir/late",
    "dir/later",
  ]);
  deepEqual([...batch.frameOf], [FRAME_RECIPE, FRAME_EMPTY, 0, 1, 1, 2]);
  deepEqual(batch.packs, ["packs/b", "packs/a"]);
  const frames = Array.from(
    { length: 3 },
    (
      _,
      i,
    ) => [...batch.frames.subarray(FRAME_COLUMNS * i, FRAME_COLUMNS * i + 2)],
  );
  deepEqual(frames, [[0, 72], [0, 900], [1, 500]]);
  deepEqual([...batch.sizes], [9, 0, 7, 4, 5, 6]);
  deepEqual([...batch.offsets].slice(2), [9, 3, 20, 0]);
  deepEqual([...batch.mtimeSecs], Array(6).fill(-3));
  equal(batch.ids[64], 7);
});

Deno.test("cutBatches() puts no frame into two batches, and every file into one", () => {
  const files = Array.from({ length: 3000 }, (_, i) => ({
    name: `f${i}`,
    size: 1 + i % 100,
    // Frames of 1 to 700 files.
    place: ["packs/a", 72 + Math.floor(Math.sqrt(i)) ** 2, i] as const,
  }));
  const seen = new Set<string>();
  const frames = new Map<number, number>();
  for (const batch of cut(windowOf(files))) {
    for (const path of pathsOf(batch)) seen.add(path);
    for (let at = 1; at < batch.frames.length; at += FRAME_COLUMNS) {
      const offset = batch.frames[at];
      ok(!frames.has(offset), `frame ${offset}`);
      frames.set(offset, batch.number);
    }
    ok(batch.count >= 1);
  }
  equal(seen.size, 3000);
  ok(new Set(frames.values()).size > 5);
});

Deno.test("cutBatches() gives a large file a batch of its own", () => {
  const batches = cut(windowOf([
    { name: "a", size: 5 * 2 ** 20, place: undefined },
    { name: "b", size: 2 ** 40, place: undefined },
    { name: "c", size: 10, place: undefined },
  ]));
  deepEqual(batches.map(pathsOf), [["dir/a"], ["dir/b"], ["dir/c"]]);
});
