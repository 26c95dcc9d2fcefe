import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { STAT_ROW_SIZE } from "@snap/posix/stat-table";
import { DEFAULT_SETTINGS } from "@snap/store/format";
import { latin, noise } from "../../tests/_test_bytes.ts";
import {
  makeMemorySnapshots,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import type { BatchPart } from "../messages.ts";
import { save } from "../save.ts";
import { filesByName } from "./files_by_name.ts";

function partOf(directory: string, names: readonly string[]): BatchPart {
  let end = 0;
  return {
    directory: latin(directory),
    names: latin(names.join("")),
    ends: Uint32Array.from(names, (name) => end += name.length),
    stats: new ArrayBuffer(STAT_ROW_SIZE * names.length),
  };
}

Deno.test("files of one name follow each other, in the order of the walk", () => {
  const parts = [
    partOf("a", ["LICENSE", "b.ts", "z"]),
    partOf("", ["LICENSE", "a.ts"]),
    partOf("c", ["\xff", "LICENSE"]),
  ];
  const files = filesByName({ number: 0, parts });
  deepEqual(
    files.map(({ directory, name, row, index }) => [
      `${Buffer.from(directory).toString("latin1")}/${
        Buffer.from(name).toString("latin1")
      }`,
      row,
      index,
    ]),
    [
      ["a/LICENSE", 0, 0],
      ["/LICENSE", 0, 3],
      ["c/LICENSE", 1, 6],
      ["/a.ts", 1, 4],
      ["a/b.ts", 1, 1],
      ["a/z", 2, 2],
      ["c/\xff", 0, 5],
    ],
  );
});

Deno.test("files of one name that are alike take less room", async () => {
  const sizes: number[] = [];
  for (const isAlike of [true, false]) {
    using folder = new TemporaryFolder();
    // What is alike but lies in another frame is stored again.
    for (let i = 0; i < 40; i++) {
      mkdirSync(`${folder.path}/${i}`);
      for (let k = 0; k < 4; k++) {
        const name = isAlike ? `${k}.txt` : `${(i + k) % 4}-${i}.txt`;
        const text = `${i} ${"x".repeat(i)}\n`;
        const bytes = Buffer.concat([latin(text), noise(k, 6000)]);
        writeFileSync(`${folder.path}/${i}/${name}`, bytes);
      }
    }
    const bundleSizeMax = DEFAULT_SETTINGS.chunk.sizeMax;
    const settings = { ...DEFAULT_SETTINGS, bundleSizeMax };
    const snapshots = await makeMemorySnapshots(settings);
    const { storedByteCount } = await save(snapshots, folder.path);
    sizes.push(storedByteCount);
  }
  equal(sizes[0] < sizes[1] / 2, true, `${sizes}`);
});
