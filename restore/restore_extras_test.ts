import { deepEqual, equal } from "node:assert/strict";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { idToBytes } from "@snap/hash";
import { displayPath } from "@snap/manifest/path";
import { ObjectKind } from "@snap/pack";
import { posix } from "@snap/posix";
import * as fs from "node:fs";
import { setDefaultAcl } from "../tests/_test_mutations.ts";
import {
  bytesOf,
  isRoot,
  noise,
  saveTree,
  TestFolder,
} from "../tests/_test_trees.ts";
import { restore } from "./restore.ts";

/** Bytes of the names of extended attributes of everything in a directory, by path. */
function xattrSizes(root: string): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const path of [".", ...fs.readdirSync(root, { recursive: true })]) {
    const out = new Uint8Array(1000);
    const size = posix!.llistxattr(bytesOf(`${root}/${path}`), out);
    if (size !== 0) sizes[String(path)] = size;
  }
  return sizes;
}

Deno.test({
  name:
    "restore() lets nothing inherit the access control list of a directory above it",
  ignore: !isRoot,
  async fn() {
    for (const workers of [0, 1]) {
      using folder = new TestFolder();
      folder.file("source/a/b/file", "content");
      folder.file("source/a/b/large", noise(1_200_000, 1));
      folder.file("source/secret", "secret");
      fs.symlinkSync("secret", folder.at("source/link"));
      fs.linkSync(folder.at("source/secret"), folder.at("source/a/linked"));
      const fifo = bytesOf(folder.at("source/fifo"));
      equal(posix!.mknodAt(-100, fifo, 0o010640, 0, 0), 0);
      fs.chmodSync(folder.at("source/secret"), 0o640);
      const { snapshots, record } = await saveTree(
        folder.at("source"),
        folder.at("store"),
      );
      await using _ = snapshots;
      const target = folder.at("home/out");
      // Of the target, which is made below it, and of one that is there.
      fs.mkdirSync(folder.at("home"));
      setDefaultAcl(folder.at("home"));
      const options = { existing: true, workers };
      for (const round of ["absent", "there"]) {
        if (round === "there") {
          fs.rmSync(target, { recursive: true });
          fs.mkdirSync(`${target}/a/b`, { recursive: true });
        }
        const result = await restore(snapshots, record, target, options);
        deepEqual(result.errors, []);
        deepEqual(xattrSizes(target), {}, round);
        equal(fs.statSync(`${target}/secret`).mode & 0o7777, 0o640);
      }
    }
  },
});

Deno.test({
  name:
    "restore() of what was saved at reduced fidelity leaves extended attributes and holes as they are",
  ignore: posix === undefined,
  async fn() {
    using folder = new TestFolder();
    const holed = folder.file("source/holed", new Uint8Array(1_000_000));
    folder.file("source/file", "content");
    fs.mkdirSync(folder.at("source/directory"));
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
    );
    await using _ = snapshots;
    fs.truncateSync(holed, 0);
    fs.truncateSync(holed, 1_000_000);
    for (const name of ["file", "directory"]) {
      const path = bytesOf(folder.at(`source/${name}`));
      const value = bytesOf("x");
      equal(posix!.lsetxattr(path, bytesOf("user.note"), value), 0);
    }
    fs.chmodSync(folder.at("source/file"), 0o600);
    fs.chmodSync(folder.at("source/directory"), 0o700);
    const before = xattrSizes(folder.at("source"));
    const { blocks } = fs.statSync(holed);
    const { errors } = await restore(
      snapshots,
      { ...record, fidelity: "reduced" },
      folder.at("source"),
      { existing: true },
    );
    deepEqual(errors, []);
    deepEqual(xattrSizes(folder.at("source")), before);
    deepEqual(Object.keys(before).sort(), ["directory", "file"]);
    equal(fs.statSync(holed).blocks, blocks);
  },
});

Deno.test({
  name:
    "restore() leaves the extended attributes of an entry whose own are damaged",
  ignore: posix === undefined,
  async fn() {
    using folder = new TestFolder();
    folder.file("source/file", "content");
    fs.mkdirSync(folder.at("source/directory"));
    const value = noise(3000, 7);
    for (const name of ["file", "directory"]) {
      const path = bytesOf(folder.at(`source/${name}`));
      equal(posix!.lsetxattr(path, bytesOf("user.large"), value), 0);
    }
    const { snapshots, record } = await saveTree(
      folder.at("source"),
      folder.at("store"),
      { codec: "none" },
    );
    await using _ = snapshots;
    const place = await (await snapshots.index()).locate(
      idToBytes(wasmHasher.idOf(value)),
      ObjectKind.content,
    );
    const pack = folder.at(`store/${place!.packName}`);
    const bytes = fs.readFileSync(pack);
    bytes[place!.frameOffset + place!.offset + 100] ^= 1;
    fs.chmodSync(pack, 0o600);
    fs.writeFileSync(pack, bytes);
    const before = xattrSizes(folder.at("source"));
    fs.chmodSync(folder.at("source/file"), 0o600);
    fs.chmodSync(folder.at("source/directory"), 0o700);
    const { errors } = await restore(
      snapshots,
      record,
      folder.at("source"),
      { existing: true },
    );
    deepEqual(errors.map(({ code, path }) => [code, displayPath(path)]), [
      ["EDAMAGED", "directory"],
      ["EDAMAGED", "file"],
    ]);
    deepEqual(xattrSizes(folder.at("source")), before);
    deepEqual(Object.keys(before).sort(), ["directory", "file"]);
  },
});
