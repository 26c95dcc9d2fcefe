import { deepEqual, ok, throws } from "node:assert/strict";
import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { StoreError } from "@snap/store";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { FileRanges } from "./open_file_ranges.ts";
import { spooling } from "./store_file_error.ts";

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
