// The command line on Deno and on Node, run beside each other: what the test of npm packages compares.
import { deepEqual, equal, match } from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { readPacks } from "@snap/pack/index-writer";
import { openFileStore } from "@snap/store/file";
import { ROOT } from "../_tools/workspace.ts";
import { NAMES, type NpmProject } from "./_npm_project.ts";
import { checkXattrs, filesBelow, keptBelow } from "./_published_source.ts";
import { denoFolder } from "./_run.ts";

/** A program that takes arguments of the command line. */
export type Snap = (...args: string[]) => Promise<string>;

/** The project, the Nodes, and the tree that all of them save. */
export interface Scene {
  readonly project: NpmProject;
  /** The folder with what a user of the command has installed. */
  readonly installed: string;
  readonly nodes: ReadonlyMap<string, string>;
  readonly source: string;
}

/** A program on Deno: that of the sources, or one that was built. */
export function onDeno(
  { project }: Scene,
  main: string = join(ROOT, "cli/main.ts"),
): Snap {
  return async (...args) => {
    const { code, stdout, stderr } = await project.run(
      [Deno.execPath(), "run", "-A", main, ...args],
      { env: { DENO_DIR: denoFolder() } },
    );
    equal(code, 0, stderr);
    return stdout;
  };
}

/** The command that npm installed, on a Node. */
export function onNode({ project, installed }: Scene, node: string): Snap {
  return async (...args) => {
    const program = join(installed, "node_modules/.bin", NAMES.command);
    const { code, stdout, stderr } = await project.run(
      [node, program, ...args],
    );
    equal(code, 0, stderr);
    equal(stderr, "");
    return stdout;
  };
}

/** Runs every command; gives what has to be the same everywhere. */
async function everyCommand(
  snap: Snap,
  { project, source }: Scene,
  name: string,
): Promise<Record<string, string>> {
  const store = project.at(`store-${name}`);
  const target = project.at(`target-${name}`);
  const asked = new Set<string>();
  const say = (...args: string[]): Promise<string> => {
    asked.add(args[0]);
    return snap("--store", store, ...args);
  };
  await say("init");
  const id = (await say("save", source, "--tag", "one", "--workers", "2"))
    .trim();
  await say("restore", id, target, "--workers", "2");
  deepEqual(filesBelow(target), keptBelow(source));
  checkXattrs(target);
  const same: Record<string, string> = {
    id,
    "id source": await say("id", source),
    "id target": await say("id", target),
    ls: await say("ls", "-lR", id),
    manifest: await say("manifest", id),
    "manifest -a": await say("manifest", "-a", id),
    "manifest target": await say("manifest", target),
    cat: await say("cat", `${id}:text`),
    find: await say("find", "3*", id),
    "diff target": await say("diff", "-a", id, target),
    "diff part": await say("diff", id, `${source}/0`),
    verify: await say("verify", "--data"),
    "verify folder": await say("verify", source),
    "repair index": await say("repair", "index"),
    prune: await say("prune", "--single-writer"),
    "repair packs": await say("repair", "packs"),
    "repair snapshots": await say("repair", "snapshots"),
    recover: await say("recover"),
    help: (await say("help", "save")).replaceAll(/\bsnip\b/g, "snap"),
  };
  match(await say("tag"), new RegExp(`^one.*${id.slice(0, 8)}`));
  match(await say("log"), new RegExp(id.slice(0, 8)));
  match(await say("stats"), /^records\t1$/m);
  equal((await say("save", source)).trim(), id);
  match(await say("stats"), /^records\t1$/m, "nothing has changed");
  same["id of less"] = await say("save", source, "--exclude", "/[!0-3]*");
  match(await say("stats"), /^records\t2$/m);
  same["rewrite"] = await say("rewrite", id, "--exclude", "/[!0-3]*");
  equal(same["rewrite"], same["id of less"]);
  same["archive"] = await throughArchive(say, project.at(`tar-${name}`), id);
  match(await say("forget", "--keep-last", "1"), /^Forgot 1 record, kept 4$/m);
  const other = project.at(`other-${name}`);
  same["clone"] = await snap("clone", store, other);
  same["push"] = await say("push", other);
  same["pull"] = await say("pull", other);
  same["sync"] = await snap("sync", store, other);
  equal(await snap("--store", other, "verify", "--data"), "");
  same["listing"] = await snap("--store", other, "listing");
  match(await say("config"), /^store\t/m);
  // Its input ends at once, and so does it.
  equal(await say("mcp", "--root", source), "");
  for (const one of ["clone", "sync", "listing"]) asked.add(one);
  match(await say("completions", "bash"), /complete/);
  match(await say("version"), /^hasher +native\ndecoders .+\nfiles +posix$/m);
  equal(await snap("help"), await snap("--help"));
  const commands = [...(await say("help")).matchAll(/^ {2}([a-z]+) {2,}/gm)];
  const missed = commands.map(([, one]) => one)
    .filter((one) => !asked.has(one) && !OTHER_COMMANDS.has(one));
  deepEqual(missed, []);
  return same;
}

/** Exports a snapshot, and imports it again. */
async function throughArchive(
  say: Snap,
  archive: string,
  id: string,
): Promise<string> {
  const digest = await say("export", id, "--as", "tar", archive);
  equal((await say("import", "--from", "tar", archive)).trim(), id);
  const pool = `${archive}-pool`;
  const snapdir = await say("export", `${id}:1`, "--as", "snapdir", pool);
  const imported = (await say("import", "--from", "snapdir", pool)).trim();
  equal(await say("export", imported, "--as", "snapdir", pool), snapdir);
  return digest + snapdir;
}

/** What steps of their own run. */
const OTHER_COMMANDS: ReadonlySet<string> = new Set([
  "mount",
  "umount",
  "commit",
  "exec",
  "serve",
  "watch",
]);

/** Shows a snapshot of a store as files, and ends that. */
export async function mountWith(
  snap: Snap,
  scene: Scene,
  name: string,
  id: string,
): Promise<void> {
  const { project, source } = scene;
  const [store, point] = [
    project.at(`store-${name}`),
    project.at(`mount-${name}`),
  ];
  mkdirSync(point);
  const say = (...args: string[]) => snap("--store", store, ...args);
  equal((await say("mount", id, point)).trim(), point);
  deepEqual(filesBelow(point), keptBelow(source));
  checkXattrs(point);
  await say("umount", point);
  deepEqual(readdirSync(point), []);
  equal(await say("exec", id, "--", "cat", "run"), "#!/bin/sh\n");
}

/** Ids and kinds of all objects in the packs of a store. */
export async function objectsOf(path: string): Promise<Set<string>> {
  const store = await openFileStore(path);
  const entries = (await Array.fromAsync(store.list("packs/"))).flat();
  const objects = new Set<string>();
  for await (const read of readPacks(store, entries, { hasher: wasmHasher })) {
    deepEqual(read.damaged, []);
    for (const { table } of read.packs) {
      for (let row = 0; row < table.objectCount; row++) {
        objects.add(`${table.idBytes(row).toHex()} ${table.kind(row)}`);
      }
    }
  }
  return objects;
}

/** Each program adds to the store of each other, which then verifies what it did not write. */
export async function extendAll(
  { project, source }: Scene,
  stores: ReadonlyMap<string, Snap>,
  id: string,
): Promise<void> {
  for (const [writer, write] of stores) {
    const added = project.at(`added-${writer}`);
    mkdirSync(added);
    writeFileSync(join(added, "new"), writer.repeat(1000));
    symlinkSync(join(source, "3"), join(added, "link"));
    for (const [owner, read] of stores) {
      if (owner === writer) continue;
      const store = project.at(`store-${owner}`);
      equal((await write("--store", store, "save", source)).trim(), id);
      const extended = (await write("--store", store, "save", added)).trim();
      equal(await read("--store", store, "verify", "--data"), "");
      const said = await read("--store", store, "cat", `${extended}:new`);
      equal(said, writer.repeat(1000));
    }
  }
}

/** Runs every command with each program, and compares what they say; gives the id. */
export async function compareCommands(
  scene: Scene,
  snaps: ReadonlyMap<string, Snap>,
): Promise<string> {
  let expected: Record<string, string> | undefined;
  for (const [name, snap] of snaps) {
    const said = await everyCommand(snap, scene, name);
    expected ??= said;
    for (const [what, text] of Object.entries(expected)) {
      equal(said[what], text, `${what} on ${name}`);
    }
  }
  return expected!.id;
}

/** Compares the sets of objects that stores hold. */
export async function compareObjects(
  { project }: Scene,
  prefix: string,
  names: readonly string[],
): Promise<void> {
  const sets = await Promise.all(
    names.map((name) => objectsOf(project.at(`${prefix}-${name}`))),
  );
  for (const objects of sets) deepEqual(objects, sets[0]);
}
