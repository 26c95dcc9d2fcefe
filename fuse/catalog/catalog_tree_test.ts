import { deepStrictEqual, ok } from "node:assert/strict";
import type { Id } from "@snap/hash";
import { CatalogTree } from "./catalog_tree.ts";
import type { CatalogRecord, CatalogSource } from "./catalog_source.ts";
import { VirtualDirectory } from "./virtual_directory.ts";

/** A store into which somebody saves between any two questions. */
class BusySource implements CatalogSource {
  readonly #saved: CatalogRecord[] = [];

  #save(): void {
    const id = `${this.#saved.length}`.padStart(64, "0") as unknown as Id;
    const time = `2026-11-20T10:00:0${this.#saved.length}.000000000Z`;
    this.#saved.push({ tree: id, record: id, writer: "ab", page: id, time });
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

  tagNumbers(_tag: string): Promise<readonly number[]> {
    return Promise.resolve(this.#saved.map((_, i) => i + 1));
  }

  tagEntry(_tag: string, number: number) {
    const name = this.#saved[number - 1];
    const nonce = `${number}`;
    return Promise.resolve({ name, time: name.time, nonce, head: nonce });
  }
}

async function openTag(
  tree: CatalogTree,
  tag: string,
): Promise<VirtualDirectory> {
  const open = async (parent: VirtualDirectory, name: string) => {
    const entry = parent.get(name);
    ok(entry !== undefined && "directory" in entry, name);
    const directory = await tree.node(entry.directory.id);
    ok(directory instanceof VirtualDirectory);
    await tree.fill(directory);
    return directory;
  };
  return await open(await open(tree.root, "tags"), tag);
}

Deno.test("CatalogTree: a tag has its latest entry, whoever saves meanwhile", async () => {
  const tree = new CatalogTree(new BusySource(), {
    now: () => 0,
    onNewRecords: () => {},
    onError: (error) => {
      throw error;
    },
  });
  const main = await openTag(tree, "main");
  const latest = main.get("latest");
  ok(latest !== undefined && "link" in latest);
  deepStrictEqual(latest.link.target, "2026-11-20T10-00-00Z");
});

Deno.test("CatalogTree: gaps in the numbers of a tag cost nothing", async () => {
  const record = "aa".repeat(32) as Id;
  const tree = "bb".repeat(32) as Id;
  const name = { tree, record, writer: "cc".repeat(16) };
  const one = { ...name, page: name.tree, time: "2026-11-20T05:46:18Z" };
  const numbers = [3, 2 ** 40, Number.MAX_SAFE_INTEGER];
  const read: number[] = [];
  const catalog = new CatalogTree({
    recordNames: () => Promise.resolve([name]),
    record: () => Promise.resolve(one),
    tags: () => Promise.resolve(new Map([["main", numbers.at(-1)!]])),
    tagNumbers: () => Promise.resolve(numbers),
    tagEntry: (_tag, number) => {
      read.push(number);
      const nonce = `${number}`;
      return Promise.resolve({ name, time: one.time, nonce, head: nonce });
    },
  }, { now: () => 0, onNewRecords: () => {}, onError: () => {} });
  const main = await openTag(catalog, "main");
  ok(main.get("latest"));
  deepStrictEqual(read.sort((a, b) => a - b), numbers);
});

Deno.test("CatalogTree: latest is the head of the last slot", async () => {
  const names = ["aa", "bb"].map((digits) => ({
    tree: digits.repeat(32) as Id,
    record: digits.repeat(32) as Id,
    writer: digits.repeat(16),
  }));
  const slots = [
    { name: names[0], time: "2026-11-20T05:46:18Z", nonce: "1", head: "1" },
    // An older entry that was copied from another store.
    { name: names[1], time: "2025-11-20T05:46:18Z", nonce: "2", head: "1" },
    { time: "" },
  ];
  for (const [count, wanted] of [[2, "2026-11-20T05-46-18Z"], [3]] as const) {
    const numbers = [1, 2, 3].slice(0, count);
    const tree = new CatalogTree({
      recordNames: () => Promise.resolve(names),
      record: () => Promise.reject(new Error("Nobody asks")),
      tags: () => Promise.resolve(new Map([["main", count]])),
      tagNumbers: () => Promise.resolve(numbers),
      tagEntry: (_tag, number) => Promise.resolve(slots[number - 1]),
    }, { now: () => 0, onNewRecords: () => {}, onError: () => {} });
    const latest = (await openTag(tree, "main")).get("latest");
    const target = latest && "link" in latest ? latest.link.target : undefined;
    deepStrictEqual(target, wanted);
  }
});
