import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { encodeDocument } from "./document.ts";
import { DocumentSyntaxError, UnsupportedVersionError } from "../errors.ts";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { initStore } from "./store_config.ts";
import type { PruneStore } from "../store.ts";
import { type AnyTagSlot, linkAfter, type TagBody } from "./tag_log.ts";
import { TagStore } from "./tag_store.ts";
import { FaultStore } from "../testing/fault_store.ts";

const WRITERS = 3;
const APPENDS = 150;
const saveId = Uint8Array.from({ length: 16 }, (_, i) => i);
const SAVE_ID = "000102030405060708090a0b0c0d0e0f";

/** The body of an entry, told by a number. */
function bodyOf(number: number): TagBody {
  return {
    time: `2026-11-20T05:46:18.${`${number}`.padStart(9, "0")}Z`,
    tree: `a${number}`.padStart(64, "0"),
    record: `b${number}`.padStart(64, "0"),
  };
}

Deno.test("TagStore keeps a log of what a tag has named", async () => {
  const tags = new TagStore(new MemoryStore(), { saveId });
  for (let i = 1; i <= 40; i++) {
    strictEqual(await tags.append("main", bodyOf(i)), i);
  }
  const entries = await logOf(tags, "main");
  deepStrictEqual(
    entries.map(({ number }) => number),
    Array.from({ length: 40 }, (_, i) => 40 - i),
  );
  const newest = await tags.newest("main");
  ok(newest !== undefined && newest.damage === undefined);
  const { nonce, ...entry } = newest.entry;
  deepStrictEqual(entry, { ...bodyOf(40), saveId: SAVE_ID });
  match(nonce, /^[0-9a-f]{32}$/);
  deepStrictEqual(newest.head, newest.entry);
  strictEqual(newest.count, 40);
  deepStrictEqual(await tags.slot("main", 40), newest);
  strictEqual(await tags.slot("main", 41), undefined);
  await rejects(tags.slot("main", 0), RangeError);
});

Deno.test("TagStore lists tags by their own names", async () => {
  const store = new MemoryStore();
  const tags = new TagStore(store);
  for (const tag of ["main", "Main", "v1.0"]) await tags.append(tag, bodyOf(1));
  await tags.append("main", bodyOf(1));
  for (
    const name of [
      "tags/latest/1",
      "tags/main/x",
      "tags/main/01",
      "tags/main/3/x",
      "tags/x",
    ]
  ) {
    await store.create(name, new Uint8Array(1));
  }
  deepStrictEqual(await tags.names(), ["Main", "main", "v1.0"]);
  deepStrictEqual([...await tags.lastNumbers()], [["Main", 1], ["main", 2], [
    "v1.0",
    1,
  ]]);
  strictEqual(await tags.newest("other"), undefined);
  deepStrictEqual(await logOf(tags, "other"), []);
});

Deno.test("TagStore refuses names before it asks the store", async () => {
  const store = new FaultStore(new MemoryStore());
  const tags = new TagStore(store);
  for (const tag of ["../x", "a/b", "latest", "deadbeef", ""]) {
    await rejects(tags.append(tag, bodyOf(1)), RangeError);
    await rejects(tags.newest(tag), RangeError);
    await rejects(logOf(tags, tag), RangeError);
  }
  strictEqual(store.calls, 0);
});

Deno.test("TagStore reports a damaged entry and appends after it", async () => {
  const store = new MemoryStore();
  const tags = new TagStore(store);
  await tags.append("main", bodyOf(1));
  await store.create("tags/main/2", new Uint8Array(50));
  const damaged = await tags.newest("main");
  ok(damaged?.damage instanceof DocumentSyntaxError);
  strictEqual(await tags.append("main", bodyOf(3)), 3);
  const later = encodeDocument({
    kind: "TAGE",
    saveId,
    body: {},
    readFeatures: 1,
  });
  await store.create("tags/main/4", later);
  strictEqual(await tags.append("main", bodyOf(5)), 5);
  const entries = await logOf(tags, "main");
  deepStrictEqual(entries.map(({ number }) => number), [5, 4, 3, 2, 1]);
  ok(entries[1].damage instanceof UnsupportedVersionError);
  ok(entries[3].damage instanceof DocumentSyntaxError);
  deepStrictEqual(
    entries.filter(({ damage }) => damage === undefined).length,
    3,
  );
});

Deno.test("TagStore goes on behind any number, up to the last that there is", async () => {
  const store = new MemoryStore();
  const tags = new TagStore(store, { saveId });
  const body = bodyOf(1);
  await tags.append("main", body);
  for (const number of [10 ** 15 - 1, 10 ** 15, Number.MAX_SAFE_INTEGER - 1]) {
    const bytes = await store.read("tags/main/1");
    await store.create(`tags/main/${number}`, bytes);
    strictEqual(await tags.append("main", body), number + 1);
    strictEqual((await tags.newest("main"))?.number, number + 1);
    strictEqual((await tags.lastNumbers()).get("main"), number + 1);
    ok(await tags.slot("main", number + 1));
  }
  deepStrictEqual((await tags.numbers("main")).length, 6);
  await rejects(
    tags.append("main", body),
    /its last number 9007199254740991 is taken/,
  );
  await store.create("tags/main/9007199254740992", new Uint8Array(3));
  strictEqual((await logOf(tags, "main")).length, 6);
});

Deno.test("TagStore does not take a failing store for a damaged entry", async () => {
  const inner = new MemoryStore();
  await new TagStore(inner).append("main", bodyOf(1));
  const store = new FaultStore(inner, {
    at: [{ call: 1, fault: "error" }],
    actions: ["read"],
  });
  await rejects(new TagStore(store).newest("main"), { code: "EIO" });
});

Deno.test("TagStore does not go on without an entry that came damaged once", async () => {
  const inner = new MemoryStore();
  await new TagStore(inner).append("main", bodyOf(1));
  for (const fault of ["torn", "flip"] as const) {
    const store = new FaultStore(inner, {
      at: [{ call: 1, fault }],
      actions: ["read"],
    });
    await new TagStore(store).append("main", bodyOf(2));
  }
  const newest = await new TagStore(inner).newest("main");
  ok(newest !== undefined && newest.damage === undefined);
  strictEqual(newest.count, 3);
});

Deno.test("TagStore adds nothing where a store gives other bytes each time", async () => {
  const inner = new MemoryStore();
  await new TagStore(inner).append("main", bodyOf(1));
  const store = new FaultStore(inner, {
    chance: { seed: 5, rate: 1, faults: ["flip"] },
    actions: ["read"],
  });
  const tags = new TagStore(store);
  await rejects(tags.append("main", bodyOf(2)), { code: "EIO" });
  deepStrictEqual(await tags.numbers("main"), [1]);
});

Deno.test("TagStore knows its own entry when the first answer was lost", async () => {
  const inner = new MemoryStore();
  await new TagStore(inner).append("main", bodyOf(1));
  const tags = new TagStore(askTwice(inner));
  strictEqual(await tags.append("main", bodyOf(1)), 2);
  strictEqual(await tags.append("main", bodyOf(1)), 3);
  deepStrictEqual([...await tags.lastNumbers()], [["main", 3]]);
});

Deno.test("TagStore steps past numbers that its list does not show yet", async () => {
  const store = new MemoryStore();
  const tags = new TagStore(store);
  for (let i = 0; i < 5; i++) await tags.append("main", bodyOf(1));
  const stale = new MemoryStore();
  const lagging = withMethods(store, { list: stale.list.bind(stale) });
  strictEqual(await new TagStore(lagging).append("main", bodyOf(1)), 6);
});

Deno.test("TagStore loses none of the entries that processes race to append", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "store-test-" });
  try {
    const store = await openFileStore(`${folder}/store`, { create: true });
    await initStore(store, {});
    const script =
      new URL("../testdata/append_tags.ts", import.meta.url).pathname;
    const outputs = await Promise.all(
      Array.from(
        { length: WRITERS },
        (_, who) =>
          new Deno.Command(Deno.execPath(), {
            args: ["run", "-A", script, store.path, `${who}`, `${APPENDS}`],
            stderr: "inherit",
          }).output(),
      ),
    );
    const numbers: number[] = outputs.flatMap(({ stdout }) =>
      JSON.parse(new TextDecoder().decode(stdout))
    );
    const total = WRITERS * APPENDS;
    deepStrictEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: total }, (_, i) => i + 1),
    );
    const entries = await logOf(new TagStore(store), "main");
    const said = entries.map((entry) => {
      if (entry.damage !== undefined) throw entry.damage;
      return `${entry.entry.tree} ${entry.entry.record}`;
    });
    strictEqual(new Set(said).size, total);
    deepStrictEqual([...Deno.readDirSync(`${store.path}/tmp`)].length, 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("an entry is later than the head, whatever the clock says", async () => {
  const tags = new TagStore(new MemoryStore());
  const late = { ...bodyOf(0), time: "2099-12-31T23:59:59.999999999Z" };
  await tags.append("main", late);
  await tags.append("main", bodyOf(2));
  const newest = await tags.newest("main");
  ok(newest !== undefined && newest.damage === undefined);
  strictEqual(newest.head.record, bodyOf(2).record);
  strictEqual(newest.head.time, "2100-01-01T00:00:00.000000000Z");
  await tags.append("main", bodyOf(3));
  const [last] = await logOf(tags, "main");
  ok(last.damage === undefined);
  strictEqual(last.entry.time, "2100-01-01T00:00:00.000000001Z");
  const end = { ...bodyOf(4), time: "9999-12-31T23:59:59.999999999Z" };
  await tags.append("main", end);
  await rejects(
    tags.append("main", bodyOf(5)),
    /its last time 9999\S+ is taken/,
  );
});

Deno.test("copies of entries stand in the order of their times, and each once", async () => {
  const [here, there] = [new MemoryStore(), new MemoryStore()];
  const [tags, others] = [here, there].map((store) => new TagStore(store));
  for (let i = 1; i <= 30; i++) {
    await others.append("main", bodyOf(10 * i));
    if (i % 2 === 0) await tags.append("main", bodyOf(10 * i + 5));
  }
  const entries = (await logOf(others, "main")).map((slot) => {
    if (slot.damage !== undefined) throw slot.damage;
    return slot.entry;
  });
  const shuffled = [...entries.slice(7), ...entries.slice(0, 7)];
  strictEqual(await tags.copy("main", shuffled), 30);
  strictEqual(await tags.copy("main", entries), 0);
  const log = (await logOf(tags, "main")).map((slot) => {
    if (slot.damage !== undefined) throw slot.damage;
    return slot.entry.time;
  });
  strictEqual(log.length, 45);
  deepStrictEqual(log, log.toSorted().reverse());
  const newest = await tags.newest("main");
  ok(newest !== undefined && newest.damage === undefined);
  strictEqual(newest.head.time, log[0]);
  strictEqual(newest.count, 45);
});

Deno.test("copiers that race add each entry once", async () => {
  const store = new MemoryStore();
  const entries = Array.from({ length: 20 }, (_, i) => ({
    ...bodyOf(i),
    nonce: `${i}`.padStart(32, "0"),
    saveId: SAVE_ID,
  }));
  const copiers = [entries, entries.toReversed(), entries.slice(5)];
  await Promise.all(copiers.map((part) => new TagStore(store).copy("t", part)));
  strictEqual((await logOf(new TagStore(store), "t")).length, 20);
});

Deno.test("a slot whose head is before its own entry is damaged", async () => {
  const store = new MemoryStore();
  const [old, entry] = [1, 2].map((i) => ({
    ...bodyOf(i),
    nonce: `${i}`.padStart(32, "0"),
    saveId: SAVE_ID,
  }));
  const { count, sum } = linkAfter(undefined, entry);
  const body = { ...entry, head: old, count, sum };
  const bytes = encodeDocument({ kind: "TAGE", saveId, body });
  await store.create("tags/main/1", bytes);
  const newest = await new TagStore(store).newest("main");
  match(`${newest?.damage}`, /tags\/main\/1 as its head must not be before/);
});

async function logOf(
  tags: TagStore,
  tag: string,
): Promise<AnyTagSlot[]> {
  return (await Array.fromAsync(tags.entries(tag))).flat();
}

/** A store that asks again after an answer that was lost, as a wrapper that retries does. */
function askTwice(inner: PruneStore): PruneStore {
  const lossy = new FaultStore(inner, {
    actions: ["create"],
    at: [{ call: 1, fault: "lost" }, { call: 3, fault: "lost" }],
  });
  return withMethods(lossy, {
    create: async (...args) => {
      try {
        return await lossy.create(...args);
      } catch {
        return await lossy.create(...args);
      }
    },
  });
}

/** A store with some of its methods replaced. */
function withMethods(
  store: PruneStore,
  methods: Partial<PruneStore>,
): PruneStore {
  return new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(
        key in methods ? methods : target,
        key,
      );
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
