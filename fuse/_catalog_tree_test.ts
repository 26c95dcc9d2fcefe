import { deepStrictEqual, ok } from "node:assert/strict";
import type { Id } from "@snap/hash/id";
import { CatalogTree } from "./_catalog_tree.ts";
import type { CatalogRecord, CatalogSource } from "./catalog_source.ts";
import { VirtualDirectory } from "./_virtual_directory.ts";

/** A store into which somebody saves between any two questions. */
class BusySource implements CatalogSource {
  readonly #saved: CatalogRecord[] = [];

  #save(): void {
    const id = `${this.#saved.length}`.padStart(64, "0") as unknown as Id;
    const time = `2026-11-20T10:00:0${this.#saved.length}.000000000Z`;
    this.#saved.push({ tree: id, record: id, page: id, time });
  }

  recordNames(): Promise<readonly CatalogRecord[]> {
    const names = [...this.#saved];
    this.#save();
    return Promise.resolve(names);
  }

  record(): Promise<CatalogRecord> {
    return Promise.reject(new Error("Cannot read record as none is asked for"));
  }

  tags(): Promise<ReadonlyMap<string, number>> {
    this.#save();
    const heads = new Map([["main", this.#saved.length]]);
    this.#save();
    return Promise.resolve(heads);
  }

  tagEntry(_tag: string, number: number) {
    const name = this.#saved[number - 1];
    return Promise.resolve({ name, time: name.time });
  }
}

Deno.test("CatalogTree: a tag has its latest entry, whoever saves meanwhile", async () => {
  const tree = new CatalogTree(new BusySource(), {
    now: () => 0,
    onNewRecords: () => {},
    onError: (error) => {
      throw error;
    },
  });
  const open = async (parent: VirtualDirectory, name: string) => {
    const entry = parent.get(name);
    ok(entry !== undefined && "directory" in entry, name);
    const directory = await tree.node(entry.directory.id);
    ok(directory instanceof VirtualDirectory);
    await tree.fill(directory);
    return directory;
  };
  const main = await open(await open(tree.root, "tags"), "main");
  const latest = main.get("latest");
  ok(latest !== undefined && "link" in latest);
  deepStrictEqual(latest.link.target, "2026-11-20T10-00-00Z");
});
