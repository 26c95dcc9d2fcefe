// What types do not keep from a call in JavaScript: an error names the argument, and what it was.
import { match, rejects, strictEqual } from "node:assert/strict";
import { exportTar, importTar } from "@snap/formats/tar";
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { restore } from "@snap/restore";
import { save } from "@snap/save";
import { saveEntries } from "@snap/save/entries";
import { identify } from "@snap/save/identify";
import { openObjects } from "@snap/save/objects";
import { openSnapshots } from "@snap/snapshot";
import { find } from "@snap/snapshot/query";
import { verify } from "@snap/snapshot/verify";
import { View } from "@snap/snapshot/view";
import { openFileStore } from "@snap/store/file";
import { initStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import { Workspace } from "@snap/workspace";

const FOLDER = "/nowhere";

type Call = () => unknown;

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

function of(call: AnyFunction, ...args: unknown[]): Call {
  return () => call(...args);
}

function method(of: unknown, name: string, ...args: unknown[]): Call {
  return () => (of as Record<string, AnyFunction>)[name](...args);
}

function errorOf(name: string, found: string): (error: Error) => true {
  return (error) => {
    const need = `^Cannot [a-z ]+ as ${name} must be .*`;
    match(error.message, RegExp(`${need}: found ${found}$`));
    strictEqual(error.name, "TypeError");
    return true;
  };
}

Deno.test("a wrong argument is named, and what was found", async () => {
  const store = new MemoryStore();
  await initStore(store);
  const snapshots = await openSnapshots(store, { hasher });
  const saved = await saveEntries(snapshots, [{ path: "a", content: "b" }]);
  const view = await View.open(snapshots, saved.record);
  const objects = await openObjects(store, { hasher });
  // Calls, the name of the argument that is wrong, and what is found.
  const calls: readonly (readonly [Call, string, string])[] = [
    [of(initStore), "store", "undefined"],
    [of(initStore, {}), "store", "Object without read, create, list, sync"],
    [of(openSnapshots), "store", "undefined"],
    [of(openSnapshots, "/tmp", { hasher }), "store", '"/tmp"'],
    [
      of(openSnapshots, { read() {} }, {}),
      "store",
      "Object without size, list",
    ],
    [of(openSnapshots, store), "hasher", "undefined"],
    [of(openSnapshots, store, { hasher: 5 }), "hasher", "number"],
    [of(openObjects, store), "hasher", "undefined"],
    [of(save), "snapshots", "undefined"],
    [of(save, store, FOLDER), "snapshots", "MemoryStore without store, hasher"],
    [of(save, snapshots), "path", "undefined"],
    [of(save, snapshots, 5), "path", "number"],
    [of(save, snapshots, new URL("file:///tmp")), "path", "URL"],
    [of(saveEntries, store, []), "snapshots", "MemoryStore without .*"],
    [of(saveEntries, snapshots), "entries", "undefined"],
    [of(restore, undefined), "snapshots", "undefined"],
    [of(restore, snapshots, undefined, FOLDER), "record", "undefined"],
    [
      of(restore, snapshots, saved, FOLDER),
      "record",
      "Object without tree, page",
    ],
    [of(restore, snapshots, saved.id, FOLDER), "record", '"\\w{60}"…'],
    [of(restore, snapshots, saved.record, null), "target", "null"],
    [of(verify, store), "snapshots", "MemoryStore without .*"],
    [of(identify, [], { hasher }), "path", "Array"],
    [of(identify, FOLDER), "hasher", "undefined"],
    [of(openFileStore), "path", "undefined"],
    [of(exportTar), "view", "undefined"],
    [of(exportTar, view), "from", "undefined"],
    [of(exportTar, view, view.root, {}), "sink", "Object without write"],
    [of(find, saved), "view", "Object without root, walk"],
    [of(importTar, snapshots, "a.tar"), "archive", '"a\\.tar"'],
    [() => Reflect.construct(Workspace, [snapshots]), "path", "undefined"],
    [method(View, "open"), "record", "undefined"],
    [
      method(View, "open", store, saved.record),
      "source",
      "MemoryStore without reader",
    ],
    [method(view, "lookup", 5), "path", "number"],
    [method(view, "read"), "entry", "undefined"],
    [method(view, "stream", "a"), "entry", '"a"'],
    [method(view, "children", {}), "entry", "Object"],
    [method(snapshots, "diff", saved.id), "record", '"\\w{60}"…'],
    [method(objects, "put", "text"), "content", '"text"'],
    [method(objects, "put"), "content", "undefined"],
  ];
  for (const [call, name, found] of calls) {
    await rejects(async () => {
      const result = await call();
      for await (const _ of result as AsyncIterable<unknown>);
    }, errorOf(name, found));
  }
  await objects.close();
  await snapshots.close();
});
