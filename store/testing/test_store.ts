/**
 * The suite that every store has to pass.
 *
 * @module
 */
import { adoptFile, spoolPathOf } from "../adopt_file.ts";
import { NotFoundError, StoreError } from "../errors.ts";
import type { PruneStore, ReadStore } from "../store.ts";

/** A store that a test may fill, and that cleans up after itself. */
export interface TestedStore extends AsyncDisposable {
  /** The store, empty. */
  readonly store: PruneStore;
}

/** Registers a test, such as `Deno.test`. */
export type RegisterTest = (title: string, run: () => Promise<void>) => void;

type Check = (store: PruneStore) => Promise<void>;

const SAVE_ID = "0123456789abcdef".repeat(2);
const RACERS = 8;

/**
 * Registers the tests that every store has to pass.
 *
 * @param name Name of the store, for the titles.
 * @param make Makes an empty store for each test.
 * @param register Registers one test: `test` of `node:test` or of Vitest. Default:
 * `Deno.test`.
 */
export function testStore(
  name: string,
  make: () => Promise<TestedStore>,
  register: RegisterTest = Deno.test,
): void {
  for (const [title, check] of Object.entries(checks)) {
    register(`${name} ${title}`, async () => {
      const tested = await make();
      try {
        await check(tested.store);
      } finally {
        await tested[Symbol.asyncDispose]();
      }
    });
  }
}

const checks: Readonly<Record<string, Check>> = {
  "reads what was created": async (store) => {
    const bytes = pattern(70_000);
    equal(await store.create("packs/ab/one", bytes), true);
    equalBytes(await store.read("packs/ab/one"), bytes);
    equal(await store.size("packs/ab/one"), bytes.length);
  },
  "creates a name once and never overwrites it": async (store) => {
    equal(await store.create("index/one", pattern(10)), true);
    equal(await store.create("index/one", pattern(20)), false);
    equalBytes(await store.read("index/one"), pattern(10));
  },
  "creates an empty file": async (store) => {
    equal(await store.create("index/empty", new Uint8Array(0)), true);
    equal((await store.read("index/empty")).length, 0);
    equal(await store.size("index/empty"), 0);
  },
  "keeps no hold of the bytes it was given": async (store) => {
    const bytes = pattern(100);
    await store.create("index/one", bytes);
    bytes.fill(0);
    equalBytes(await store.read("index/one"), pattern(100));
    (await store.read("index/one")).fill(0);
    equalBytes(await store.read("index/one"), pattern(100));
    const { Buffer } = await import("node:buffer"); // Its slice is no copy.
    const buffer = Buffer.from(pattern(100));
    await store.create("index/two", buffer);
    buffer.fill(0);
    equalBytes(await store.read("index/two"), pattern(100));
  },
  "lets exactly one of many creates win": async (store) => {
    const answers = await Promise.all(
      Array.from(
        { length: RACERS },
        (_, i) => store.create("tags/main/1", pattern(100 + i)),
      ),
    );
    equal(answers.filter(Boolean).length, 1);
    equal(await store.size("tags/main/1"), 100 + answers.indexOf(true));
  },
  "reads ranges": async (store) => {
    const bytes = pattern(5000);
    await store.create("packs/ab/one", bytes);
    equalBytes(
      await store.read("packs/ab/one", { offset: 4000 }),
      bytes.subarray(4000),
    );
    equalBytes(
      await store.read("packs/ab/one", { length: 7 }),
      bytes.subarray(0, 7),
    );
    const middle = await store.read("packs/ab/one", {
      offset: 1,
      length: 4096,
    });
    equalBytes(middle, bytes.subarray(1, 4097));
    equal((await store.read("packs/ab/one", { offset: 5000 })).length, 0);
    equal(
      (await store.read("packs/ab/one", { offset: 0, length: 0 })).length,
      0,
    );
  },
  "refuses a range beyond the end": async (store) => {
    await store.create("packs/ab/one", pattern(100));
    for (
      const range of [{ offset: 1, length: 100 }, { offset: 101 }, {
        length: 101,
      }]
    ) {
      const error = await failure(store.read("packs/ab/one", range));
      equal(error instanceof StoreError && error.code, "SHORT");
    }
    const broken = [{ offset: -1 }, { length: -1 }, { offset: 0.5 }, {
      length: NaN,
    }];
    for (const range of broken) {
      equal(
        (await failure(store.read("packs/ab/one", range))) instanceof
          RangeError,
        true,
      );
    }
  },
  "refuses what is larger than it may be": async (store) => {
    const bytes = pattern(100_000);
    await store.create("packs/ab/one", bytes);
    const read = (offset: number, sizeMax: number): Promise<Uint8Array> =>
      store.read("packs/ab/one", { offset, sizeMax });
    equalBytes(await read(0, 100_000), bytes);
    equalBytes(await read(40_000, 60_000), bytes.subarray(40_000));
    for (const offset of [0, 1]) {
      const error = await failure(read(offset, 99_999 - offset));
      equal(error instanceof StoreError && error.code, "EFBIG");
    }
  },
  "says absent of what is absent": async (store) => {
    await store.create("tags/main/1", pattern(1));
    for (
      const name of [
        "tags/main/2",
        "tags/other/1",
        "tags/main",
        "tags/main/1/x",
        "listing",
      ]
    ) {
      const error = await failure(store.read(name));
      equal(error instanceof NotFoundError && error.storeName, name);
      equal(await store.size(name), undefined);
    }
  },
  "refuses names that are none": async (store) => {
    for (const name of NO_NAMES) {
      const outcomes = [
        store.read(name),
        store.size(name),
        store.create(name, pattern(1)),
        store.remove(name),
      ];
      for (const error of await Promise.all(outcomes.map(failure))) {
        equal(error instanceof RangeError, true);
      }
    }
    equal((await listAll(store, "")).length, 0);
  },
  "lists what begins with a prefix": async (store) => {
    const names = [
      "index/a",
      "packs/ab/abc",
      "packs/ab/abd",
      "packs/cd/x",
      "tags/main/1",
    ];
    for (const [i, name] of names.entries()) {
      await store.create(name, pattern(i));
    }
    const expected = names.map((name, size) => `${name} ${size}`);
    for (
      const prefix of [
        "",
        "packs/",
        "packs/ab/",
        "packs/ab/ab",
        "packs/a",
        "pack",
        "gc/",
      ]
    ) {
      equal(
        (await listAll(store, prefix)).join(),
        expected.filter((line) => line.startsWith(prefix)).join(),
      );
    }
  },
  "lists in batches, each name once": async (store) => {
    const names = Array.from({ length: 1500 }, (_, i) => `index/${i}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(
        names.slice(at, at + 50).map((name) => store.create(name, pattern(1))),
      );
    }
    equal((await listAll(store, "index/")).length, 1500);
    for await (const batch of store.list("index/")) {
      equal(batch.length > 0, true);
      break; // A list that is not read to its end leaves nothing behind.
    }
  },
  "removes, also what is absent": async (store) => {
    await store.create("packs/ab/one", pattern(1));
    await store.remove("packs/ab/one");
    await store.remove("packs/ab/one");
    equal(await store.size("packs/ab/one"), undefined);
    equal((await listAll(store, "packs/")).length, 0);
    equal(await store.create("packs/ab/one", pattern(2)), true);
  },
  "adopts a file and takes it away": async (store) => {
    const { readFile, writeFile } = await import("node:fs/promises");
    const path = await spoolPathOf(store, SAVE_ID);
    const other = await spoolPathOf(store, SAVE_ID);
    equal(path === other, false);
    equal(path.includes(SAVE_ID), true);
    await writeFile(path, pattern(3000));
    await writeFile(other, pattern(4000));
    equal(await adoptFile(store, { name: "packs/ab/one", path }), true);
    equal(
      await adoptFile(store, { name: "packs/ab/one", path: other }),
      false,
    );
    equalBytes(await store.read("packs/ab/one"), pattern(3000));
    for (const gone of [path, other]) {
      equal((await failure(readFile(gone))) !== undefined, true);
    }
    equal(
      (await failure(
        adoptFile(store, { name: "packs/ab/two", path }),
      )) instanceof StoreError,
      true,
    );
    equal(await store.size("packs/ab/two"), undefined);
  },
  "syncs what there is and what there is not": async (store) => {
    await store.create("tags/main/1", pattern(1));
    await store.sync(["packs/", "index/", "tags/", "gc/", ""]);
    equal((await failure(store.sync(["../"]))) instanceof RangeError, true);
  },
  "creates nothing of what is not bytes": async (store) => {
    const others = ["text", "", undefined, 5, [1, 2], new ArrayBuffer(4)];
    for (const value of others as unknown as Uint8Array[]) {
      const error = await failure(store.create("index/one", value));
      equal(error instanceof TypeError, true);
    }
    equal((await listAll(store, "")).length, 0);
  },
  "hears a signal": async (store) => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await store.create("index/one", pattern(1));
    const outcomes = [
      store.read("index/one", { signal }),
      store.size("index/one", { signal }),
      store.create("index/two", pattern(1), { signal }),
      store.remove("index/one", { signal }),
      store.sync(["index/"], { signal }),
      listAll(store, "", { signal }),
    ];
    for (const error of await Promise.all(outcomes.map(failure))) {
      equal(error, reason);
    }
    equal((await listAll(store, "")).join(), "index/one 1");
  },
};

const NO_NAMES: readonly string[] = [
  "",
  ".",
  "..",
  "/",
  "/etc/passwd",
  "../x",
  "tags/../../x",
  "tags//1",
  "tags/",
  "tags/.hidden",
  "tags/Main/1",
  "tags/a b/1",
  "tags/a\\b/1",
  "tags/a\0/1",
  "tags/\u00e4/1",
  "index/a\n",
  "c:/x",
  `index/${"a".repeat(201)}`,
  "aaaaaaaa/".repeat(120) + "a",
  "tmp",
  "tmp/x",
];

async function listAll(
  store: ReadStore,
  prefix: string,
  options?: { signal: AbortSignal },
): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of store.list(prefix, options)) {
    for (const { name, size } of batch) lines.push(`${name} ${size}`);
  }
  return lines.sort();
}

/** Reason with which a promise rejects; undefined if it does not. */
async function failure(outcome: Promise<unknown>): Promise<unknown> {
  try {
    await outcome;
    return undefined;
  } catch (error) {
    return error;
  }
}

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 255);
}

function equal(actual: unknown, expected: unknown): void {
  if (Object.is(actual, expected)) return;
  throw new Error(
    `Cannot accept store as ${String(expected)} was expected: found ${
      String(actual)
    }`,
  );
}

function equalBytes(actual: Uint8Array, expected: Uint8Array): void {
  equal(actual.length, expected.length);
  equal(actual.findIndex((byte, i) => byte !== expected[i]), -1);
}
