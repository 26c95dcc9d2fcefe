import { deepEqual, rejects } from "node:assert/strict";
import { mkdirSync, utimesSync } from "node:fs";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { fileCalls } from "./file_calls.ts";
import { StoreFolders } from "./store_folders.ts";

Deno.test("StoreFolders makes durable again what has changed since, or a moment before", async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.join("packs/ab"), { recursive: true });
  let ms = 0;
  let opened: string[] = [];
  let isFailing = false;
  const calls = await fileCalls();
  const folders = new StoreFolders(
    {
      ...calls,
      openToRead(path) {
        opened.push(path.slice(folder.path.length));
        if (isFailing) return Promise.reject(new Error("no descriptors"));
        return calls.openToRead(path);
      },
    },
    folder.path,
    () => ms,
  );
  const sync = async (): Promise<string[]> => {
    opened = [];
    await folders.syncBelow(["packs"]);
    return opened.sort();
  };
  const all = ["", "/packs", "/packs/ab"];
  deepEqual(await sync(), all);
  ms = 2000;
  deepEqual(await sync(), all, "a change may have the same time");
  ms = 4000;
  deepEqual(await sync(), all, "the last time that it may have had it");
  deepEqual(await sync(), []);
  utimesSync(folder.join("packs/ab"), 1, 1);
  ms = 8000;
  deepEqual(await sync(), ["/packs/ab"]);
  ms = 12_000;
  isFailing = true;
  await rejects(sync(), /no descriptors/);
  isFailing = false;
  deepEqual(await sync(), ["/packs/ab"], "what has failed is not done");
});
