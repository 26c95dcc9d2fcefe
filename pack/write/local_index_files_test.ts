import { deepEqual, ok, throws } from "node:assert/strict";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { StoreError } from "@snap/store";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { FileRanges, spooling } from "@snap/pack/ranges";
import { removeQuietly } from "@snap/store/owner";
import { removeSpooled } from "./local_index_files.ts";

Deno.test("removeSpooled removes what it can and throws nothing", () => {
  using folder = new TemporaryFolder();
  for (const name of ["one-0", "one-b", "other-0", "one"]) {
    writeFileSync(folder.join(name), name);
  }
  // What cannot be removed like a file stands between the others.
  mkdirSync(folder.join("one-a"));
  removeSpooled(folder.join("one"));
  deepEqual(readdirSync(folder.path).sort(), ["one", "one-a", "other-0"]);
  removeSpooled(folder.join("no", "such"));
});

Deno.test("removeQuietly removes a file that cannot be closed", () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "");
  removeQuietly(folder.join("file"), () => {
    throw new Error("EIO");
  });
  deepEqual(readdirSync(folder.path), []);
});

Deno.test("a file on its way into a store that fails is an error of the store", () => {
  const path = "/no/such/folder/file";
  throws(() => spooling(path, () => writeFileSync(path, "")), (error) => {
    ok(error instanceof StoreError);
    deepEqual([error.code, error.action, error.path], [
      "ENOENT",
      "adopt",
      path,
    ]);
    return true;
  });
  const mistake = new TypeError("mine");
  throws(
    () =>
      spooling(path, () => {
        throw mistake;
      }),
    (error) => error === mistake,
  );
});

Deno.test("FileRanges that cannot open a file is an error of the store, and leaks none", () => {
  using folder = new TemporaryFolder();
  const good = { name: "index/good", path: folder.join("good") };
  const bad = { name: "index/bad", path: folder.join("bad") };
  writeFileSync(good.path, "good");
  // Other tests open files, too.
  const openFiles = (): string[] =>
    readdirSync("/proc/self/fd").map(targetOf).filter((target) =>
      target.startsWith(folder.path)
    );
  throws(() => new FileRanges([good, bad]), (error) => {
    ok(error instanceof StoreError);
    deepEqual([error.code, error.action], ["ENOENT", "read"]);
    return true;
  });
  deepEqual(openFiles(), []);
  using files = new FileRanges([good]);
  throws(() => files.readAt(good.name, 2, new Uint8Array(3)), RangeError);
});

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ""; // Closed meanwhile.
  }
}
