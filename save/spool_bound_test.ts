// Packs that wait for a slow store are few, however large what is read.
import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatSettings, initStore } from "@snap/store/format";
import { MemoryStore } from "@snap/store/memory";
import {
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../tests/_snapshots.ts";
import { save } from "./save.ts";

const MIB = 1024 * 1024;
const PACK_SIZE = 512 * 1024;
const SPOOL_SIZE_MAX = 4 * PACK_SIZE;
const SETTINGS = {
  ...SMALL_SETTINGS,
  chunk: { ...SMALL_SETTINGS.chunk, sizeMax: 16384, sizeAverage: 8192 },
  bundleSizeMax: 65536,
  packSizeTarget: PACK_SIZE,
  codec: "none",
};

/** A store that takes no pack before the spool has grown as far as it will. */
class SlowStore extends MemoryStore {
  sizeMost = 0;
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  override spoolPath(saveId: string): Promise<string> {
    return Promise.resolve(join(this.#folder, saveId));
  }

  override async adopt(name: string, path: string): Promise<boolean> {
    let size = -1;
    for (let equalLooks = 0; equalLooks < 5;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const now = this.#spooledSize();
      equalLooks = now === size ? equalLooks + 1 : 0;
      size = now;
      this.sizeMost = Math.max(this.sizeMost, size);
    }
    return await super.adopt(name, path);
  }

  #spooledSize(): number {
    let size = 0;
    for (const name of readdirSync(this.#folder)) {
      const found = statSync(join(this.#folder, name), {
        throwIfNoEntry: false,
      });
      size += found?.size ?? 0;
    }
    return size;
  }
}

const SOURCES: Readonly<Record<string, (path: string) => void>> = {
  "one large file": (path) =>
    writeFileSync(join(path, "large"), noise(40 * MIB, 1)),
  "many small files": (path) => {
    for (let i = 0; i < 600; i++) {
      writeFileSync(join(path, `${i}`), noise(30_000, i + 1));
    }
  },
};

for (const [what, make] of Object.entries(SOURCES)) {
  for (const workers of [0, 2]) {
    Deno.test(`save spools no more than it may: ${what}, ${workers} workers`, async () => {
      using folder = new TemporaryFolder();
      for (const name of ["source", "spool"]) mkdirSync(folder.join(name));
      make(folder.join("source"));
      const store = new SlowStore(folder.join("spool"));
      await initStore(store, formatSettings(SETTINGS));
      await using snapshots = await open(store);
      const spoolSizeMax = SPOOL_SIZE_MAX;
      const options = { workers, spoolSizeMax };
      const { errors } = await save(snapshots, folder.join("source"), options);
      deepEqual(errors, []);
      // Beside them a pack that has just come, and two in hand, of each thread.
      const bound = SPOOL_SIZE_MAX + 3 * (workers + 1) * PACK_SIZE;
      ok(store.sizeMost <= bound, `${store.sizeMost} bytes, bound ${bound}`);
      ok(store.sizeMost > SPOOL_SIZE_MAX, "the bound was never met");
      equal(readdirSync(folder.join("spool")).length, 0);
    });
  }
}
