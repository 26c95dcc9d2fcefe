import { deepEqual, equal } from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hexOf } from "@snap/hash";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { MemoryStore } from "../memory/mod.ts";
import { removeQuietly } from "./remove_quietly.ts";
import { isRunGone, openSpool } from "./spool.ts";
import { removeAbandoned, SpoolOwner } from "./spool_owner.ts";

const DEAD = "d".repeat(32);
const LIVE = "1".repeat(32);
const OTHER = "0".repeat(32);

const SAVE_ID = new Uint8Array(16).fill(0xab);

/** Whether tests lie on a disk of which it is known who has files open. */
function hasOwnDisk(): boolean {
  using folder = new TemporaryFolder();
  return folder.path.startsWith("/dev/shm/");
}

const ignore = !hasOwnDisk();

Deno.test(
  "removeAbandoned removes files of saves that are over, and no others",
  {
    ignore,
  },
  () => {
    using folder = new TemporaryFolder();
    const kept = ["reserve", `${OTHER}-a`, `${LIVE}-a-0`];
    const gone = ["a-0", "a-alive", "b-join1-0"].map((end) => `${DEAD}-${end}`);
    for (const name of [...kept, ...gone]) {
      writeFileSync(folder.join(name), name);
    }
    // Not files, whatever they are called.
    symlinkSync("nowhere", folder.join(`${OTHER}-c-alive`));
    mkdirSync(folder.join(`${OTHER}-d-alive`));
    {
      using _owner = new SpoolOwner(folder.join(`${LIVE}-a`));
      removeAbandoned(folder.join(`${LIVE}-a`));
      removeAbandoned(folder.join(`${OTHER}-e`));
      deepEqual(
        readdirSync(folder.path).sort(),
        [
          ...kept,
          `${LIVE}-a-alive`,
          `${OTHER}-c-alive`,
          `${OTHER}-d-alive`,
        ].sort(),
      );
    }
    equal(readdirSync(folder.path).includes(`${LIVE}-a-alive`), false);
  },
);

Deno.test("SpoolOwner and removeAbandoned do without a folder", () => {
  using folder = new TemporaryFolder();
  const path = folder.join("no", "such");
  new SpoolOwner(path)[Symbol.dispose]();
  removeAbandoned(path);
});

/** A store whose spool is a folder. */
class SpoolingStore extends MemoryStore {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override spoolPath(saveId: string): Promise<string> {
    return Promise.resolve(`${this.#path}/${saveId}-x`);
  }
}

Deno.test(
  "openSpool removes the files of its run at the end, and of those that are over at the beginning",
  {
    ignore,
  },
  async () => {
    using folder = new TemporaryFolder();
    const store = new SpoolingStore(folder.path);
    const mine = `${hexOf(SAVE_ID)}-x`;
    const others = [`${mine}y-0`, `${OTHER}-a-0`];
    for (const name of [...others, `${DEAD}-a-0`, `snap-${DEAD}-a-0`]) {
      writeFileSync(folder.join(name), name);
    }
    for (const word of ["", "snap-"]) {
      writeFileSync(folder.join(`${word}${DEAD}-a-alive`), "");
    }
    const spool = await openSpool(store, SAVE_ID);
    equal(spool.path, folder.join(mine));
    deepEqual(
      readdirSync(folder.path).sort(),
      [...others, `${mine}-alive`].sort(),
    );
    for (const end of ["0", "join1-0"]) {
      writeFileSync(`${spool.path}-${end}`, "");
    }
    // What cannot be removed like a file stands between the others.
    mkdirSync(`${spool.path}-a`);
    spool[Symbol.dispose]();
    deepEqual(readdirSync(folder.path).sort(), [...others, `${mine}-a`].sort());
  },
);

Deno.test(
  "isRunGone knows of runs whose markers nobody has open, and of no others",
  {
    ignore,
  },
  async () => {
    using folder = new TemporaryFolder();
    const store = new SpoolingStore(folder.path);
    equal(await isRunGone(store, DEAD), false);
    for (const end of ["a", "b"]) {
      writeFileSync(folder.join(`${DEAD}-${end}-alive`), "");
    }
    equal(await isRunGone(store, DEAD), true);
    {
      using _owner = new SpoolOwner(folder.join(`${DEAD}-c`));
      equal(await isRunGone(store, DEAD), false);
    }
    equal(await isRunGone(store, DEAD), true);
    equal(await isRunGone(store, LIVE), false);
  },
);

Deno.test("removeAbandoned leaves the marker of a save that is asked for", {
  ignore,
}, () => {
  using folder = new TemporaryFolder();
  for (const id of [DEAD, OTHER]) {
    for (const end of ["0", "alive"]) {
      writeFileSync(folder.join(`${id}-a-${end}`), "");
    }
  }
  removeAbandoned(folder.join(`${LIVE}-a`), (saveId) => saveId === DEAD);
  deepEqual(readdirSync(folder.path), [`${DEAD}-a-alive`]);
});

Deno.test("openSpool of a run that stores nothing leaves no trace", async () => {
  using folder = new TemporaryFolder();
  const store = new SpoolingStore(folder.join("none"));
  const spool = await openSpool(store, SAVE_ID, { isDry: true });
  equal(existsSync(folder.join("none")), false);
  spool[Symbol.dispose]();
});

Deno.test("removeQuietly removes a file that cannot be closed", () => {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join("file"), "");
  removeQuietly(folder.join("file"), () => {
    throw new Error("EIO");
  });
  deepEqual(readdirSync(folder.path), []);
});
