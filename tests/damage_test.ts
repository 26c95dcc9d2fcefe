// Stores in folders, damaged at random, then mended as docs/DAMAGE.md says: whatever a
// snapshot still has is right to the byte, and what it has not is named.
import { deepStrictEqual, ok } from "node:assert/strict";
import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  recoverTrees,
  repairIndex,
  repairPacks,
  repairSnapshots,
} from "@snap/maintenance/repair";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import { verify } from "@snap/snapshot/verify";
import type { FileStore } from "@snap/store/file";
import { type Prng, seededTest } from "./_prng.ts";
import { makeTree } from "./_saves.ts";
import {
  type Listing,
  makeSnapshots,
  noise,
  readSnapshot,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";

/** Rounds, each with a store of its own. */
const ROUND_COUNT = 12;

/** What can happen to a file of a store. */
const HARM: Record<string, (path: string, random: Prng) => void> = {
  flip(path, random) {
    const bytes = readFileSync(path);
    for (let i = 0; i <= random.below(3); i++) {
      bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    }
    chmodSync(path, 0o600);
    writeFileSync(path, bytes);
  },
  cut(path, random) {
    chmodSync(path, 0o600);
    truncateSync(path, random.below(statSync(path).size));
  },
  remove: (path) => rmSync(path),
};

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, `${name}`))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** Harms one to three files; gives what was done. */
function harm(store: string, random: Prng): string[] {
  const done: string[] = [];
  for (let i = 0; i <= random.below(3); i++) {
    const folder = random.pick([
      "packs",
      "packs",
      "packs",
      "index",
      "snapshots",
    ]);
    const files = filesIn(join(store, folder));
    if (files.length === 0) continue;
    const path = random.pick(files);
    const how = random.pick(Object.keys(HARM));
    HARM[how](path, random);
    done.push(`${how} ${path.slice(store.length + 1)}`);
  }
  return done;
}

/** Sees that a snapshot has what was saved, but for what it says that it lacks. */
async function checkSnapshot(
  snapshots: Snapshots,
  record: NamedRecord,
  saved: Listing,
  lost: readonly string[],
): Promise<void> {
  const found = await readSnapshot(snapshots, record);
  const isLost = (path: string): boolean =>
    lost.some((one) => path === one || path.startsWith(`${one}/`));
  for (const [path, { kind, content }] of found) {
    const expected = saved.get(path);
    deepStrictEqual(
      { path, kind, content },
      { path, kind: expected?.kind, content: expected?.content },
    );
  }
  for (const path of saved.keys()) {
    ok(found.has(path) || isLost(path), `${path} is gone, and not named`);
  }
}

function latin(path: Uint8Array): string {
  return Buffer.from(path).toString("latin1");
}

/** A store with two saves, and what they have saved. */
class Round {
  readonly folder: TemporaryFolder = new TemporaryFolder();
  readonly source: string = this.folder.join("source");
  readonly saved: Map<string, Listing> = new Map();
  snapshots!: Snapshots<FileStore>;
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  async prepare(): Promise<void> {
    makeTree(this.source);
    const store = this.folder.join("store");
    this.snapshots = await makeSnapshots(store, SMALL_SETTINGS);
    await this.save();
    writeFileSync(join(this.source, "more"), noise(20_000, 9));
    rmSync(join(this.source, "run"));
    await this.save();
  }

  async save(): Promise<void> {
    const { record } = await save(this.snapshots, this.source, {
      readAll: true,
      random: (size) => this.#random.bytes(size),
    });
    const { tree } = record!;
    this.saved.set(tree, await readSnapshot(this.snapshots, record!));
  }

  async mend(): Promise<void> {
    const { snapshots } = this;
    await repairIndex(snapshots);
    await repairPacks(snapshots);
    if (this.#random.below(2) === 0) await this.#saveAgain();
    const left = new Map<string, readonly string[]>();
    const { snapshots: repaired } = await repairSnapshots(snapshots);
    for (const { old, tree, record, lost } of repaired) {
      if (tree === undefined) continue;
      const saved = this.saved.get(old.tree)!;
      const names = lost.paths.map(latin);
      await this.#check(record!, saved, names);
      left.set(old.tree, names);
    }
    const { trees } = await recoverTrees(snapshots);
    for (const { root, record, lost } of trees) {
      const saved = this.saved.get(root);
      // What is part of a snapshot whose root is lost is no snapshot that was saved.
      const names = lost.paths.map(latin);
      if (saved !== undefined) await this.#check(record!, saved, names);
      left.set(root, names);
    }
    await snapshots.refresh();
    for (const record of await snapshots.records({ onDamage: () => {} })) {
      const saved = this.saved.get(record.tree);
      if (saved === undefined || left.has(record.tree)) continue;
      // What is no longer whole was repaired, or its root is lost.
      if (repaired.some(({ old }) => old.record === record.record)) continue;
      await this.#check(record, saved, []);
    }
  }

  /** Saves the source, which has all of the last snapshot still: that is whole then. */
  async #saveAgain(): Promise<void> {
    const { record } = await save(this.snapshots, this.source, {
      random: (size) => this.#random.bytes(size),
    });
    const saved = this.saved.get(record!.tree)!;
    await this.#check(record!, saved, []);
  }

  async #check(
    record: NamedRecord,
    saved: Listing,
    lost: readonly string[],
  ): Promise<void> {
    const { snapshots } = this;
    await snapshots.refresh();
    const report = await verify(snapshots, { records: [record], data: true });
    // A table of the index may stay that tells of a pack that is lost.
    const damages = report.damages.filter((one) => one.subject !== "index");
    deepStrictEqual(damages, []);
    await checkSnapshot(snapshots, record, saved, lost);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

seededTest(
  "damage: what is left is right to the byte, and what is lost is named",
  async (random) => {
    using round = new Round(random);
    await round.prepare();
    const done = harm(round.folder.join("store"), random);
    try {
      await round.mend();
    } catch (cause) {
      throw new Error(`After ${done.join(", ")}: ${cause}`, { cause });
    }
  },
  { roundCount: ROUND_COUNT },
);
