// A store with two saves, in which anything can be damaged. Not part of the package.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PackRole } from "@snap/pack";
import { readPack } from "@snap/pack/index-writer";
import type { PackTable } from "@snap/pack/write";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { save } from "@snap/save";
import type { Snapshots } from "@snap/snapshot";
import type { NamedRecord } from "@snap/snapshot/records";
import { type Damage, verify, type VerifyOptions } from "@snap/snapshot/verify";
import { MemoryStore } from "@snap/store/memory";
import { displayPath } from "@snap/manifest/path";
import {
  makeMemorySnapshots,
  namesIn,
  noise,
  open,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";

/** Files of the scene: what does not shrink, so that a flipped bit hits one object. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  "a": noise(3000, 1),
  "b": noise(2500, 2),
  "deep/c": noise(3500, 3),
  "deep/er/d": noise(1000, 4),
  "large": noise(60_000, 5),
};

/** A store in memory with a save of some files. */
export class DamageScene implements Disposable {
  readonly folder: TemporaryFolder;
  readonly snapshots: Snapshots<MemoryStore>;

  private constructor(
    snapshots: Snapshots<MemoryStore>,
    folder: TemporaryFolder = new TemporaryFolder(),
  ) {
    this.snapshots = snapshots;
    this.folder = folder;
  }

  /** Saves the files. */
  static async make(): Promise<DamageScene> {
    const settings = { ...SMALL_SETTINGS, codec: "none" };
    const scene = new DamageScene(await makeMemorySnapshots(settings));
    for (const [name, bytes] of Object.entries(FILES)) scene.put(name, bytes);
    await scene.save();
    return scene;
  }

  /** Another store with the same files, to be damaged in another way. */
  async copy(): Promise<DamageScene> {
    const store = new MemoryStore();
    for (const name of await this.files()) {
      await store.create(name, await this.store.read(name));
    }
    return new DamageScene(await open(store), this.folder);
  }

  get store(): MemoryStore {
    return this.snapshots.store;
  }

  /** Writes a file of the source. */
  put(name: string, bytes: Uint8Array): void {
    const path = this.folder.join("source", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }

  /** Saves the source. */
  save(): Promise<NamedRecord> {
    return this.saveFolder("");
  }

  /** Saves a folder of the source. */
  async saveFolder(name: string): Promise<NamedRecord> {
    const source = this.folder.join("source", name);
    const { record, errors } = await save(this.snapshots, source, {
      readAll: true,
    });
    if (errors.length > 0) throw errors[0];
    return record;
  }

  /** Names of all packs of a role, with their tables. */
  async packs(
    role: PackRole,
  ): Promise<{ name: string; table: PackTable }[]> {
    const packs: { name: string; table: PackTable }[] = [];
    for (const name of await namesIn(this.store, "packs/")) {
      const size = (await this.store.size(name))!;
      const how = { hasher: wasmHasher };
      const pack = await readPack(this.store, { name, size }, how);
      if (pack.role === role) packs.push({ name, table: pack.table });
    }
    return packs;
  }

  /** Replaces a file of the store by what is made of it. */
  async damage(
    name: string,
    change: (bytes: Uint8Array) => Uint8Array | void,
  ): Promise<void> {
    const bytes = (await this.store.read(name)).slice();
    const changed = change(bytes) ?? bytes;
    await this.store.remove(name);
    await this.store.create(name, changed);
    await this.snapshots.refresh();
  }

  /** Flips a bit of the content of a file of the scene, in the first other pack that has it; gives the pack. */
  async rot(
    name: string,
    { at = 10, but = "" }: { readonly at?: number; readonly but?: string } = {},
  ): Promise<string> {
    const wanted = FILES[name].subarray(at, at + 16);
    for (const pack of await this.packs(PackRole.data)) {
      if (pack.name === but) continue;
      const bytes = await this.store.read(pack.name);
      const place = Buffer.from(bytes).indexOf(wanted);
      if (place < 0) continue;
      await this.damage(pack.name, (bytes) => void (bytes[place] ^= 1));
      return pack.name;
    }
    throw new Error(`No pack has ${name}`);
  }

  /** What is damaged, in short. */
  async found(options: VerifyOptions = {}): Promise<string[]> {
    await this.snapshots.refresh();
    const report = await verify(this.snapshots, options);
    return report.damages.map(shortOf).sort();
  }

  /** All files of the store with their sizes. */
  async files(): Promise<string[]> {
    return await namesIn(this.store, "");
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

function shortOf({ subject, reason, paths }: Damage): string {
  const names = paths.map(({ path }) => displayPath(path) || "/");
  return [subject, reason, ...names.sort()].join(" ");
}
