import { deepEqual, equal, ok } from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { posix } from "@snap/posix";
import { AT_FDCWD, O_CREAT, O_WRONLY } from "@snap/posix/constants";
import { type Fields, McpScene } from "./_testing.ts";

const FILE_COUNT = 300;

function makeTree({ at }: { at: (...parts: string[]) => string }): void {
  for (let i = 0; i < FILE_COUNT; i++) {
    const folder = at(`d${i % 10}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/f${i}.txt`, `file ${i}\n`.repeat(i));
  }
  symlinkSync("d1/f1.txt", at("link"));
}

/** All that is below a folder, as text. */
function stateOf(folder: string): Record<string, string> {
  const state: Record<string, string> = {};
  for (
    const one of readdirSync(folder, { recursive: true, withFileTypes: true })
  ) {
    const path = `${one.parentPath}/${one.name}`;
    if (one.isFile()) state[path] = readFileSync(path, "latin1");
    else state[path] = one.isDirectory() ? "directory" : "other";
  }
  return state;
}

Deno.test("mcp: a project is saved, broken and restored ten times", async () => {
  await using scene = await McpScene.make();
  makeTree({ at: (...parts) => scene.at(...parts) });
  const first = await scene.call("save", { message: "whole" });
  equal(first.totals.fileCount, FILE_COUNT);
  const whole = stateOf(scene.at());
  for (let round = 0; round < 10; round++) {
    rmSync(scene.at(`d${round}`), { recursive: true });
    rmSync(scene.at("link"));
    mkdirSync(scene.at("link"));
    writeFileSync(scene.at("link", "deep"), "a directory where a link was");
    writeFileSync(scene.at(`d${(round + 1) % 10}`, "more"), "new");
    writeFileSync(
      scene.at(`d${(round + 2) % 10}`, `f${(round + 2) % 10}.txt`),
      "!",
    );
    const broken = stateOf(scene.at());
    const restored = await scene.call("restore", { snapshot: first.id });
    equal(restored.errorCount, 0);
    deepEqual(stateOf(scene.at()), whole, `round ${round}`);
    const undone = await scene.call("restore", {
      snapshot: restored.before.id,
    });
    equal(undone.errorCount, 0);
    deepEqual(stateOf(scene.at()), broken, `undo ${round}`);
    await scene.call("restore", { snapshot: first.id });
    deepEqual(stateOf(scene.at()), whole, `redo ${round}`);
  }
});

Deno.test("mcp: what no snapshot holds is neither removed nor replaced", async () => {
  await using scene = await McpScene.make();
  mkdirSync(scene.at("build"));
  writeFileSync(scene.at("build/out"), "of the snapshot");
  writeFileSync(scene.at("code"), "one");
  const { id } = await scene.call("save");
  writeFileSync(scene.at(".snapignore"), "secret\nbuild/\n");
  writeFileSync(scene.at("secret"), "not saved");
  mkdirSync(scene.at("new"));
  writeFileSync(scene.at("new/secret"), "not saved either");
  writeFileSync(scene.at("new/plain"), "saved");
  writeFileSync(scene.at("build/out"), "ignored by now");
  writeFileSync(scene.at("code"), "two");
  const before = stateOf(scene.at());

  const planned = await scene.call("restore", { snapshot: id, dryRun: true });
  deepEqual(planned.conflicts, [{ path: "build/out", reason: "unsaved" }]);
  await scene.refused("restore", { snapshot: id }, /build\/out \(unsaved\)/);
  deepEqual(stateOf(scene.at()), before, "nothing was changed");

  rmSync(scene.at("build"), { recursive: true });
  const done = await scene.call("restore", { snapshot: id });
  equal(done.keptCount, 1, "the directory that holds what is ignored");
  equal(readFileSync(scene.at("code"), "utf8"), "one");
  equal(readFileSync(scene.at("build/out"), "utf8"), "of the snapshot");
  equal(readFileSync(scene.at("secret"), "utf8"), "not saved");
  deepEqual(readdirSync(scene.at("new")), ["secret"]);
});

Deno.test("mcp: one path is restored, and nothing else", async () => {
  await using scene = await McpScene.make();
  mkdirSync(scene.at("a/b"), { recursive: true });
  writeFileSync(scene.at("a/b/c"), "c");
  writeFileSync(scene.at("a/d"), "d");
  const { id } = await scene.call("save");
  writeFileSync(scene.at("a/d"), "changed");
  rmSync(scene.at("a/b"), { recursive: true });
  await scene.call("restore", { snapshot: id, path: "a/b" });
  equal(readFileSync(scene.at("a/b/c"), "utf8"), "c");
  equal(readFileSync(scene.at("a/d"), "utf8"), "changed");
  await scene.call("restore", { snapshot: id, path: "/a//./d/" });
  equal(readFileSync(scene.at("a/d"), "utf8"), "d");
  await scene.refused(
    "restore",
    { snapshot: id, path: "a/none" },
    /^Cannot find a\/none in snapshot .*: there is no such entry\nhint: /,
  );
});

Deno.test("mcp: no link is followed, neither to a directory nor to what is restored", async () => {
  await using scene = await McpScene.make();
  mkdirSync(scene.folder.join("outside"));
  writeFileSync(scene.folder.join("outside/kept"), "kept");
  mkdirSync(scene.at("dir"));
  writeFileSync(scene.at("dir/kept"), "inside");
  writeFileSync(scene.at("file"), "file");
  const { id } = await scene.call("save");
  rmSync(scene.at("dir"), { recursive: true });
  rmSync(scene.at("file"));
  symlinkSync(scene.folder.join("outside"), scene.at("dir"));
  symlinkSync(scene.folder.join("outside"), scene.at("file"));
  const directory = scene.at("dir");
  await scene.refused("save", { directory }, /Cannot open directory /);
  await scene.refused("restore", { snapshot: id, directory }, /Cannot open /);
  await scene.refused(
    "restore",
    { snapshot: id, path: "dir/kept" },
    /^Cannot open directory /,
  );
  await scene.call("restore", { snapshot: id, path: "file" });
  equal(readFileSync(scene.at("file"), "utf8"), "file");
  await scene.call("restore", { snapshot: id });
  equal(readFileSync(scene.at("dir/kept"), "utf8"), "inside");
  deepEqual(readdirSync(scene.folder.join("outside")), ["kept"]);
  equal(readFileSync(scene.folder.join("outside/kept"), "utf8"), "kept");
});

Deno.test("mcp: no directory outside of the roots, however it is written", async () => {
  await using scene = await McpScene.make();
  for (
    const [directory, expected] of [
      ["/", /it is in no root/],
      ["/etc", /it is in no root/],
      [`${scene.at()}2`, /it is in no root/],
      [scene.folder.join("store"), /it is in no root/],
      [`${scene.at()}/../store`, /it has \.\. in it/],
      ["..", /it has \.\. in it/],
      ["a\0b", /it has a NUL/],
      ["none", /there is no such file/],
      ["\ud800", /its path is no path/],
    ] as const
  ) {
    await scene.refused("save", { directory }, expected);
    await scene.refused("list", { directory }, expected);
  }
  for (
    const [path, expected] of [
      ["../store/config", /it has \.\. in it/],
      ["a/../../b", /it has \.\. in it/],
      ["a\0", /it has a NUL/],
      ["/etc/passwd", /there is no such entry/],
    ] as const
  ) {
    writeFileSync(scene.at("a"), "a");
    await scene.call("save");
    for (const tool of ["read", "ls", "restore"]) {
      await scene.refused(tool, { snapshot: "latest", path }, expected);
    }
  }
});

Deno.test("mcp: snapshots of other folders and hosts are not seen, unless all may be", async () => {
  await using scene = await McpScene.make();
  await using other = await McpScene.make({ host: "elsewhere" });
  await using any = await McpScene.make({ isAny: true });
  for (const one of [other, any]) {
    Object.assign(one.service.options, { open: scene.service.options.open });
  }
  writeFileSync(other.at("secret"), "of another folder");
  const { id, record } = await other.call("save");
  deepEqual((await scene.call("list")).snapshots, []);
  for (const snapshot of [id, record, `${id}@${record}`, "latest"]) {
    await scene.refused("ls", { snapshot }, /^Cannot find snapshot /);
  }
  const read = await any.call("read", { snapshot: id, path: "secret" });
  equal(read.text, "of another folder");
  // It goes into an empty directory only.
  writeFileSync(any.at("mine"), "mine");
  const directory = any.at();
  await any.refused("restore", { snapshot: id, directory }, /is not empty/);
  await any.refused("restore", { snapshot: id }, /it is in no root/);
  mkdirSync(any.at("empty"));
  await any.call("restore", { snapshot: id, directory: "empty" });
  equal(readFileSync(any.at("empty/secret"), "utf8"), "of another folder");
  equal(readFileSync(any.at("mine"), "utf8"), "mine");
});

Deno.test("mcp: the roots of a client narrow those of the server, at each call", async () => {
  let uris: string[] = [];
  await using scene = await McpScene.make({ clientRoots: () => uris });
  mkdirSync(scene.at("in/it"), { recursive: true });
  mkdirSync(scene.at("out"));
  await scene.refused("save", {}, /have nothing in common/);
  uris = ["file:///none", "file://host/x", `file://${scene.folder.path}`];
  equal((await scene.call("save")).directory, scene.at());
  uris = [`file://${scene.at("in")}`];
  equal((await scene.call("save")).directory, scene.at("in"));
  await scene.refused("save", { directory: scene.at("out") }, /in no root/);
  const { roots, snapshots } = await scene.call("list");
  deepEqual(roots, [scene.at("in")]);
  equal(snapshots.length, 1, "that of the whole root is not seen");
  uris.push(`file://${scene.at("out")}`);
  await scene.refused("save", {}, /there are several roots\nhint: /);
});

Deno.test("mcp: names that are not UTF-8 are given and taken as bytes", async () => {
  await using scene = await McpScene.make();
  const root = new TextEncoder().encode(scene.at());
  const bytes = Uint8Array.of(...root, 0x2f, 0xff, 0x78, 0);
  const fd = posix!.open(bytes, O_CREAT | O_WRONLY, 0o644);
  ok(fd >= 0);
  posix!.write(fd, new TextEncoder().encode("odd"));
  posix!.close(fd);
  const { id } = await scene.call("save");
  const { entries } = await scene.call("ls", { snapshot: id });
  deepEqual([entries[0].path, entries[0].pathBytes], ["\ufffdx", "/3g="]);
  const { pathBytes } = entries[0];
  equal((await scene.call("read", { snapshot: id, pathBytes })).text, "odd");
  equal(posix!.unlinkAt(AT_FDCWD, bytes, 0), 0);
  const { changes } = await scene.call("diff", { before: id });
  equal(changes[0].pathBytes, pathBytes);
  await scene.call("restore", { snapshot: id, pathBytes });
  equal((await scene.call("diff", { before: id })).changes.length, 0);
  await scene.refused("read", { snapshot: id, pathBytes: "!" }, /no base64/);
  await scene.refused(
    "read",
    { snapshot: id, path: "a", pathBytes },
    /path and pathBytes at once/,
  );
});

Deno.test("mcp: pages come to the end, of one state, and cursors belong to a question", async () => {
  await using scene = await McpScene.make();
  makeTree({ at: (...parts) => scene.at(...parts) });
  await scene.call("save");
  const paths = async (tool: string, args: Fields, field: string) => {
    const all: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await scene.call(tool, { ...args, cursor, limit: 7 });
      ok(page[field].length <= 7);
      all.push(...page[field].map((one: Fields) => one.path ?? one.id));
      if (cursor === undefined && tool !== "list") {
        // What `latest` is, is fixed by the first page.
        writeFileSync(scene.at("late"), String(Math.random()));
        await scene.call("save");
        rmSync(scene.at("late"));
      }
      cursor = page.nextCursor;
      if (cursor === undefined) return all;
    }
  };
  const expected = Object.keys(stateOf(scene.at())).length;
  const args = { snapshot: "latest", recursive: true };
  equal((await paths("ls", args, "entries")).length, expected);
  await scene.call("save");
  const found = { snapshot: "latest", pattern: "f*.txt" };
  equal(new Set(await paths("find", found, "entries")).size, FILE_COUNT);
  const listed = await paths("list", {}, "snapshots");
  equal(listed.length, (await scene.call("list")).snapshots.length);

  rmSync(scene.at("d3"), { recursive: true });
  await scene.call("save");
  const both = { before: "latest~1", after: "latest", limit: 3 };
  const { nextCursor } = await scene.call("diff", both);
  const wrong = { ...both, attributes: true, cursor: nextCursor };
  await scene.refused("diff", wrong, /belongs to another question/);
  for (const cursor of ["x", "e30=", "!", btoa('{"pins":[1],"count":-1}')]) {
    await scene.refused("diff", { ...both, cursor }, /^Cannot read cursor/);
  }
  const now = { before: "latest~1", limit: 3 };
  const page = await scene.call("diff", now);
  writeFileSync(scene.at("other"), "changes the directory");
  await scene.refused(
    "diff",
    { ...now, cursor: page.nextCursor },
    /the directory has changed/,
  );
});

Deno.test("mcp: files are read in ranges, as text or as base64", async () => {
  await using scene = await McpScene.make();
  const text = "ä€😀".repeat(40_000);
  writeFileSync(scene.at("text"), text);
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i);
  writeFileSync(scene.at("bytes"), bytes);
  writeFileSync(scene.at("empty"), "");
  await scene.call("save");
  const snapshot = "latest";
  let read = "";
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const part: Fields = await scene.call("read", {
      snapshot,
      path: "text",
      offset,
    });
    read += part.text;
    offset = part.nextOffset;
  }
  equal(read, text);
  const binary = await scene.client.callTool({
    name: "read",
    arguments: { snapshot, path: "bytes", offset: 200, length: 100 },
  });
  const { base64, nextOffset } = binary.structuredContent as Fields;
  deepEqual(
    Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)),
    bytes.slice(200, 300),
  );
  equal(nextOffset, 300);
  equal((binary.content as Fields)[0].resource.blob, base64);
  equal((await scene.call("read", { snapshot, path: "empty" })).text, "");
  const past = { snapshot, path: "bytes", offset: Number.MAX_SAFE_INTEGER };
  equal((await scene.call("read", past)).length, 0);
  await scene.refused(
    "read",
    { snapshot, path: "" },
    /the snapshot: it is no file/,
  );
});

Deno.test("mcp: a server that only reads has no tool that writes", async () => {
  await using scene = await McpScene.make({ isReadOnly: true });
  const { tools } = await scene.client.listTools();
  deepEqual(tools.map(({ name }) => name), [
    "list",
    "diff",
    "ls",
    "read",
    "find",
  ]);
  ok(tools.every(({ annotations }) => annotations?.readOnlyHint));
  await scene.client.callTool({ name: "save", arguments: {} }).then(
    ({ isError }) => equal(isError, true),
    (error) => ok(/save/.test(error.message), error.message),
  );
});

Deno.test("mcp: two calls at once, and calls on a store that is damaged or gone", async () => {
  await using scene = await McpScene.make();
  makeTree({ at: (...parts) => scene.at(...parts) });
  const saves = await Promise.all([
    scene.call("save", { message: "one" }),
    scene.call("save", { message: "two" }),
    scene.call("list"),
  ]);
  equal(saves[0].id, saves[1].id);
  const packs = readdirSync(scene.folder.join("store/packs"), {
    recursive: true,
    withFileTypes: true,
  }).filter((one) => one.isFile());
  for (const one of packs) rmSync(`${one.parentPath}/${one.name}`);
  const before = stateOf(scene.at());
  await scene.refused("ls", { snapshot: saves[0].id }, /^Cannot /);
  rmSync(scene.at("d1"), { recursive: true });
  const less = stateOf(scene.at());
  await scene.refused("restore", { snapshot: saves[0].id }, /^Cannot /);
  deepEqual(stateOf(scene.at()), less);
  ok(Object.keys(less).length < Object.keys(before).length);
  rmSync(scene.folder.join("store"), { recursive: true });
  await scene.refused("save", {}, /^Cannot /);
  ok(!existsSync(scene.folder.join("store")));
});

Deno.test("mcp: a dry save stores nothing, and tells the id", async () => {
  await using scene = await McpScene.make();
  writeFileSync(scene.at("a"), "a");
  const dry = await scene.call("save", { dryRun: true });
  equal(dry.isDryRun, true);
  deepEqual((await scene.call("list")).snapshots, []);
  equal((await scene.call("save")).id, dry.id);
  const same = await scene.call("save");
  equal(same.isNewRecord, false);
});

Deno.test("mcp: a call that is cancelled ends and saves nothing, and the next one works", async () => {
  await using scene = await McpScene.make();
  makeTree({ at: (...parts) => scene.at(...parts) });
  const controller = new AbortController();
  const { open } = scene.service.options;
  const isOpening = Promise.withResolvers<void>();
  const mayOpen = Promise.withResolvers<void>();
  Object.assign(scene.service.options, {
    open: async () => {
      isOpening.resolve();
      await mayOpen.promise;
      return await open();
    },
  });
  const called = scene.client.callTool(
    { name: "save", arguments: {} },
    { signal: controller.signal },
  );
  await isOpening.promise;
  controller.abort(new Error("enough"));
  await called.then(() => ok(false), () => {});
  await scene.client.ping(); // What was sent before has come.
  mayOpen.resolve();
  await scene.service.settled();
  deepEqual((await scene.call("list")).snapshots, []);
  equal((await scene.call("save")).totals.fileCount, FILE_COUNT);
});

Deno.test("mcp: a directory that comes in the place of the one that was watched is saved", async () => {
  await using scene = await McpScene.make();
  writeFileSync(scene.at("a"), "a");
  const first = await scene.call("save");
  renameSync(scene.at(), scene.folder.join("away"));
  mkdirSync(scene.at());
  writeFileSync(scene.at("b"), "b");
  writeFileSync(scene.folder.join("away/c"), "not of the root any more");
  const second = await scene.call("save");
  const { entries } = await scene.call("ls", { snapshot: second.id });
  deepEqual(entries.map(({ path }: Fields) => path), ["b"]);
  await scene.call("restore", { snapshot: first.id });
  deepEqual(readdirSync(scene.at()), ["a"]);
  deepEqual(readdirSync(scene.folder.join("away")).sort(), ["a", "c"]);
});
