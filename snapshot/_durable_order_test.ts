// What a save makes durable, in which order: packs, index, record.
import { deepEqual } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import type { WriteStore } from "@snap/store";
import {
  makeSnapshots,
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { save } from "./save.ts";
import { tagSnapshot } from "./tags.ts";

/** Notes what is written and synced, by folder. */
function recording(store: WriteStore, log: string[]): WriteStore {
  const note = (word: string, names: string): void => {
    const line = `${word} ${names}`;
    if (log.at(-1) !== line) log.push(line);
  };
  const folder = (name: string): string => name.slice(0, name.indexOf("/") + 1);
  return new Proxy(store, {
    get(target, key: keyof WriteStore) {
      switch (key) {
        case "create":
        case "adopt":
          return async (name: string, ...rest: [never]) => {
            const result = await target[key](name, ...rest);
            note("wrote", folder(name));
            return result;
          };
        case "sync":
          return async (prefixes: string[], ...rest: [never]) => {
            await target.sync(prefixes, ...rest);
            note("synced", prefixes.join(" "));
          };
        default: {
          const value = target[key];
          return typeof value === "function" ? value.bind(target) : value;
        }
      }
    },
  });
}

for (const workers of [0, 2]) {
  Deno.test(`save writes packs, then the index, syncs both, then writes the record: ${workers} workers`, async () => {
    using folder = new TemporaryFolder();
    const source = folder.join("source");
    mkdirSync(source);
    for (let i = 0; i < 20; i++) {
      writeFileSync(`${source}/${i}`, noise(20_000, i + 1));
    }
    const made = await makeSnapshots(folder.join("store"), SMALL_SETTINGS);
    const log: string[] = [];
    await using snapshots = await open(recording(made.store, log));
    const { record, saveId } = await save(snapshots, source, { workers });
    await tagSnapshot(snapshots, "main", record!, { saveId });
    deepEqual(log, [
      "wrote packs/",
      "wrote index/",
      "synced packs/ index/",
      "wrote snapshots/",
      "wrote tags/",
    ]);
    await made[Symbol.asyncDispose]();
  });
}
