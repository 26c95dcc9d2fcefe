import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { encodeDocument } from "./document.ts";
import { DocumentSyntaxError, UnsupportedVersionError } from "../errors.ts";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { initStore } from "./store_config.ts";
import type { PruneStore } from "../store.ts";
import { type TagLogEntry, TagStore } from "./tag_store.ts";
import { FaultStore } from "../testing/fault_store.ts";

const WRITERS = 3;
const APPENDS = 150;
const saveId = Uint8Array.from({ length: 16 }, (_, i) => i);

Deno.test("TagStore keeps a log of what a tag has named", async () => {
  const tags = new TagStore(new MemoryStore(), { saveId });
  for (let i = 1; i <= 40; i++) {
    strictEqual(
      await tags.append("main", {
        time: `t${i}`,
        tree: `a${i}`,
        record: `b${i}`,
      }),
      i,
    );
  }
  const entries = await logOf(tags, "main");
  deepStrictEqual(
    entries.map(({ number }) => number),
    Array.from({ length: 40 }, (_, i) => 40 - i),
  );
  const newest = await tags.newest("main");
  ok(newest !== undefined && newest.damage === undefined);
  const { nonce, ...body } = newest.body;
  deepStrictEqual(body, { time: "t40", tree: "a40", record: "b40" });
  strictEqual(typeof nonce, "string");
  deepStrictEqual(newest.saveId, saveId);
  deepStrictEqual(await tags.entry("main", 40), newest);
  strictEqual(await tags.entry("main", 41), undefined);
  await rejects(tags.entry("main", 0), RangeError);
});

Deno.test("TagStore lists tags by their own names", async () => {
  const store = new MemoryStore();
  const tags = new TagStore<object>(store);
  for (const tag of ["main", "Main", "v1.0"]) await tags.append(tag, {});
  await tags.append("main", {});
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
  deepStrictEqual([...await tags.heads()], [["Main", 1], ["main", 2], [
    "v1.0",
    1,
  ]]);
  strictEqual(await tags.newest("other"), undefined);
  deepStrictEqual(await logOf(tags, "other"), []);
});

Deno.test("TagStore refuses names before it asks the store", async () => {
  const store = new FaultStore(new MemoryStore());
  const tags = new TagStore<object>(store);
  for (const tag of ["../x", "a/b", "latest", "deadbeef", ""]) {
    await rejects(tags.append(tag, {}), RangeError);
    await rejects(tags.newest(tag), RangeError);
    await rejects(logOf(tags, tag), RangeError);
  }
  strictEqual(store.calls, 0);
});

Deno.test("TagStore reports a damaged entry and appends after it", async () => {
  const store = new MemoryStore();
  const tags = new TagStore<{ a: number }>(store);
  await tags.append("main", { a: 1 });
  await store.create("tags/main/2", new Uint8Array(50));
  const damaged = await tags.newest("main");
  ok(damaged?.damage instanceof DocumentSyntaxError);
  strictEqual(await tags.append("main", { a: 3 }), 3);
  const later = encodeDocument({
    kind: "TAGE",
    saveId,
    body: {},
    readFeatures: 1,
  });
  await store.create("tags/main/4", later);
  strictEqual(await tags.append("main", { a: 5 }), 5);
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
  const body = { time: "t", tree: "a", record: "b" };
  await tags.append("main", body);
  for (const number of [10 ** 15 - 1, 10 ** 15, Number.MAX_SAFE_INTEGER - 1]) {
    const bytes = await store.read("tags/main/1");
    await store.create(`tags/main/${number}`, bytes);
    strictEqual(await tags.append("main", body), number + 1);
    strictEqual((await tags.newest("main"))?.number, number + 1);
    strictEqual((await tags.heads()).get("main"), number + 1);
    ok(await tags.entry("main", number + 1));
  }
  deepStrictEqual((await tags.numbers("main")).length, 6);
  await rejects(tags.append("main", body), /numbers end at 9007199254740991/);
  await store.create("tags/main/9007199254740992", new Uint8Array(3));
  strictEqual((await logOf(tags, "main")).length, 6);
});

Deno.test("TagStore does not take a failing store for a damaged entry", async () => {
  const inner = new MemoryStore();
  await new TagStore<object>(inner).append("main", {});
  const store = new FaultStore(inner, {
    at: [{ call: 1, fault: "error" }],
    actions: ["read"],
  });
  await rejects(new TagStore(store).newest("main"), { code: "EIO" });
});

Deno.test("TagStore knows its own entry when the first answer was lost", async () => {
  const inner = new MemoryStore();
  await new TagStore<object>(inner).append("main", {});
  const tags = new TagStore<object>(askTwice(inner));
  strictEqual(await tags.append("main", {}), 2);
  strictEqual(await tags.append("main", {}), 3);
  deepStrictEqual([...await tags.heads()], [["main", 3]]);
});

Deno.test("TagStore steps past numbers that its list does not show yet", async () => {
  const store = new MemoryStore();
  const tags = new TagStore<object>(store);
  for (let i = 0; i < 5; i++) await tags.append("main", {});
  const stale = new MemoryStore();
  const lagging = withMethods(store, { list: stale.list.bind(stale) });
  strictEqual(await new TagStore<object>(lagging).append("main", {}), 6);
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
      return `${entry.body.who} ${entry.body.entry}`;
    });
    strictEqual(new Set(said).size, total);
    deepStrictEqual([...Deno.readDirSync(`${store.path}/tmp`)].length, 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

async function logOf(
  tags: TagStore<object>,
  tag: string,
): Promise<TagLogEntry[]> {
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
