// What is done about servers that fail, lie, or are none.
import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotFoundError } from "../errors.ts";
import { encodeHeader } from "../header.ts";
import { parseSshAddress } from "../ssh/ssh_address.ts";
import { testStore } from "../testing/test_store.ts";
import { FakeTiming } from "../wrap/testdata/fake_timing.ts";
import { encodePacket, PACKET } from "./packet.ts";
import {
  openOverChannels,
  type SftpStore,
  type SftpStoreOptions,
} from "./sftp_store.ts";
import { STATUS } from "./status_error.ts";
import { FakeSftp, type Seen, type Trouble } from "./testdata/fake_sftp.ts";

const ADDRESS = parseSshAddress("sftp://fake/store");
const bytes = new Uint8Array(100_000).map((_, i) => i * 7 >> 3);
bytes.set(encodeHeader({
  kind: "PACK",
  saveId: new Uint8Array(16).fill(7),
  salt: new Uint8Array(32).fill(9),
}));

interface Scene {
  readonly fake: FakeSftp;
  readonly store: SftpStore;
  readonly timing: FakeTiming;
}

async function open(
  fake: FakeSftp,
  options: SftpStoreOptions = {},
): Promise<Scene> {
  const timing = new FakeTiming();
  const store = await openOverChannels(ADDRESS, fake.connect, {
    spoolFolder: tmpdir(),
    timing,
    ...options,
  });
  return { fake, store, timing };
}

/** Runs a test with a store, and looks that no connection is left. */
async function withStore(
  run: (scene: Scene) => Promise<void>,
  options: SftpStoreOptions & { fake?: FakeSftp } = {},
): Promise<void> {
  const scene = await open(options.fake ?? new FakeSftp(), options);
  try {
    await run(scene);
  } finally {
    await scene.store[Symbol.asyncDispose]();
  }
  strictEqual(scene.fake.open, 0);
  strictEqual(scene.timing.alarmCount, 0);
}

/** Makes one thing go wrong: the request of that line, once. */
function once(line: string, trouble: Trouble | ((seen: Seen) => Trouble)) {
  let isOver = false;
  return (seen: Seen): Trouble | undefined => {
    if (isOver || seen.line !== line) return undefined;
    isOver = true;
    return typeof trouble === "function" ? trouble(seen) : trouble;
  };
}

const servers: Readonly<Record<string, Partial<FakeSftp>>> = {
  "a server with all extensions": {},
  "a server that never replaces": { extensions: {} },
  "a server that replaces": { extensions: {}, replaces: true },
};
for (const [name, what] of Object.entries(servers)) {
  testStore(`SftpStore on ${name}`, async () => {
    const fake = Object.assign(new FakeSftp(), what);
    const singleWriter = what.replaces ?? false;
    const { store } = await open(fake, { singleWriter });
    return {
      store,
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  });
}

Deno.test("SftpStore writes, makes durable, looks, and only then gives the name", async () => {
  await withStore(async ({ fake, store }) => {
    fake.files.set("index", undefined).set("tmp", undefined);
    fake.seen.length = 0;
    strictEqual(await store.create("index/one", bytes), true);
    const parts = Math.ceil(bytes.length / 32_768);
    const create = fake.lines.filter((line) =>
      !/^(readdir|opendir|close) tmp$/.test(line)
    );
    const first = ["open .", "open index", "open tmp/NEW", "stat index/one"];
    deepStrictEqual([...create.slice(0, 4).sort(), ...create.slice(4)], [
      ...first,
      ...Array(parts).fill("write tmp/NEW"),
      ...["fsync tmp/NEW", "close tmp/NEW", "stat tmp/NEW"],
      ...["hardlink tmp/NEW index/one", "fsync index", "fsync ."],
      ...["stat index/one", "remove tmp/NEW"],
    ]);
    fake.seen.length = 0;
    const other = bytes.with(50, 1); // Another salt.
    strictEqual(await store.create("index/one", other), false);
    const sent = ["open tmp/NEW", "stat index/one", "fsync index"];
    deepStrictEqual(fake.lines.slice(0, 3), sent);
  });
});

Deno.test("SftpStore reads a pack again with one request", async () => {
  await withStore(async ({ fake, store }) => {
    await store.create("packs/ab/one", bytes);
    await store.read("packs/ab/one", { offset: 5, length: 10 });
    fake.seen.length = 0;
    deepStrictEqual(
      await store.read("packs/ab/one", { offset: 7, length: 100 }),
      bytes.subarray(7, 107),
    );
    deepStrictEqual(fake.lines, ["read packs/ab/one"]);
  });
});

Deno.test("SftpStore keeps few files open", async () => {
  await withStore(async ({ fake, store }) => {
    const names = Array.from({ length: 120 }, (_, i) => `packs/ab/${i}`);
    for (const name of names) {
      await store.create(name, new Uint8Array(8));
      await store.read(name);
    }
    await Promise.all(names.map((name) => store.read(name)));
    const others = names.map((name) => name.replace("packs", "index"));
    for (const name of others) await store.create(name, new Uint8Array(8));
    await Promise.all(others.map((name) => store.read(name)));
    // Of files to read 48, and one that is written, and the list of tmp/.
    strictEqual(fake.mostHandles > 40, true);
    strictEqual(fake.mostHandles <= 50, true, `${fake.mostHandles}`);
  });
});

for (const trouble of ["lose", "drop"] as const) {
  Deno.test(`SftpStore does its work whatever connection ends (${trouble})`, async () => {
    await withStore(async ({ fake, store }) => {
      const spool = mkdtempSync(join(tmpdir(), "sftp-"));
      const path = join(spool, "file");
      const works: Readonly<Record<string, (name: string) => Promise<void>>> = {
        create: async (name) =>
          strictEqual(await store.create(name, bytes), true),
        adopt: async (name) => {
          writeFileSync(path, bytes);
          strictEqual(await store.adopt(name, path), true);
        },
        read: async () => {
          deepStrictEqual(await store.read("packs/00/there"), bytes);
        },
        size: async () => {
          strictEqual(await store.size("index/there"), bytes.length);
        },
        absence: async () =>
          strictEqual(await store.size("index/no"), undefined),
        list: async () => {
          const all = (await Array.fromAsync(store.list("many/"))).flat();
          strictEqual(all.length, 10);
        },
        remove: async () => {
          fake.files.set("index/away", bytes);
          await store.remove("index/away");
          strictEqual(fake.files.has("index/away"), false);
        },
      };
      for (const name of ["packs/00/there", "index/there"]) {
        await store.create(name, bytes);
      }
      for (let i = 0; i < 10; i++) await store.create(`many/${i}`, bytes);
      for (const [what, work] of Object.entries(works)) {
        let at = 0;
        let count;
        do {
          const start = fake.seen.length;
          const number = start + ++at;
          fake.trouble = (seen) => seen.number === number ? trouble : undefined;
          const name = `packs/ab/${what}${at}`;
          await work(name);
          const created = fake.files.get(name);
          if (created !== undefined) deepStrictEqual(created, bytes);
          count = fake.seen.length - start;
        } while (at < count);
        strictEqual(at > 1, true);
      }
      deepStrictEqual(readdirSync(spool), []);
      rmSync(spool, { recursive: true });
    }, { retry: { triesMax: 3 } });
  });
}

Deno.test("SftpStore is whole or fails, whatever status comes", async () => {
  const statuses = [...Object.values(STATUS).slice(1), 11, 4_000_000_000];
  await withStore(async ({ fake, store }) => {
    for (const status of statuses) {
      for (let at = 1, count = at; at <= count; at++) {
        const start = fake.seen.length;
        fake.trouble = (seen) =>
          seen.number === start + at ? status : undefined;
        const name = `x${status}/${at}`;
        const outcome = await store.create(name, bytes).catch((error) => error);
        count = fake.seen.length - start;
        fake.trouble = () => undefined;
        const found = fake.files.get(name);
        if (outcome === true) deepStrictEqual(found, bytes, `${status} ${at}`);
        else {
          match(
            outcome.name,
            /^(RemoteError|StoreError)$/,
            `${status} ${at}: ${outcome}`,
          );
          match(outcome.message, new RegExp(`^Cannot create ${name}: `));
          if (found !== undefined) deepStrictEqual(found, bytes);
        }
        strictEqual(await store.create(name, bytes), true);
      }
    }
    const left = [...fake.files.keys()].filter((path) => /^tmp\/./.test(path));
    // A file of which the removal was refused.
    strictEqual(left.length <= statuses.length, true);
  }, { retry: { triesMax: 1 } });
});

Deno.test("SftpStore tells a failure from an absence when it reads", async () => {
  await withStore(async ({ fake, store }) => {
    await store.create("index/one", bytes);
    fake.trouble = once("open index/one", STATUS.failure);
    await rejects(store.read("index/one"), {
      message:
        "Cannot read index/one: the server failed, and does not say why (4) (EREMOTEIO)",
      code: "EREMOTEIO",
    });
    fake.trouble = once("stat index/one", STATUS.permissionDenied);
    await rejects(store.size("index/one"), {
      message:
        "Cannot find the size of index/one: the server does not permit it (EACCES)",
    });
    fake.trouble = once("open index/two", STATUS.failure);
    await rejects(store.read("index/two"), NotFoundError);
    fake.trouble = once("opendir index", STATUS.permissionDenied);
    await rejects(Array.fromAsync(store.list("index/")), { code: "EACCES" });
    fake.trouble = once("remove index/one", STATUS.permissionDenied);
    await rejects(store.remove("index/one"), { code: "EACCES" });
  });
});

Deno.test("SftpStore notices a server that says it wrote and did not", async () => {
  await withStore(async ({ fake, store }) => {
    fake.trouble = once("write tmp/NEW", STATUS.ok);
    const holed = new Uint8Array(10).fill(1);
    await rejects(store.create("index/one", holed), {
      message:
        "Cannot create index/one: the server has kept 0 of 10 bytes (EIO)",
      code: "EIO",
    });
    strictEqual(fake.files.has("index/one"), false);
  });
});

const DATA = (id: number, size: number) =>
  encodePacket(PACKET.data, [id, new Uint8Array(size)]);

/** Answers that none may be, to a request of a line. */
const LIES: readonly [string, string, (seen: Seen) => Uint8Array][] = [
  [
    "an answer to nothing",
    "stat index/one",
    ({ id }) => encodePacket(PACKET.status, [id + 1, 0, "", ""]),
  ],
  ["a huge packet", "stat index/one", () => new Uint8Array(4).fill(255)],
  ["an empty packet", "stat index/one", () => new Uint8Array(4)],
  [
    "a packet that ends in its number",
    "stat index/one",
    () => new Uint8Array([0, 0, 0, 3, 105, 0, 0]),
  ],
  ["another type", "stat index/one", ({ id }) => DATA(id, 5)],
  [
    "success without a file",
    "stat index/one",
    ({ id }) => encodePacket(PACKET.status, [id, 0, "", ""]),
  ],
  [
    "a file without a size",
    "stat index/one",
    ({ id }) => encodePacket(PACKET.attributes, [id, 0]),
  ],
  [
    "a size above 2^53",
    "stat index/one",
    ({ id }) => encodePacket(PACKET.attributes, [id, 1, 2n ** 63n]),
  ],
  [
    "attributes that end early",
    "stat index/one",
    ({ id }) => encodePacket(PACKET.attributes, [id, 0x8000_000d, 5n]),
  ],
  ["more than was asked for", "read index/one", ({ id }) => DATA(id, 50)],
  [
    "nothing where there is something",
    "read index/one",
    ({ id }) => DATA(id, 0),
  ],
  [
    "a field beyond the packet",
    "open index/one",
    ({ id }) => encodePacket(PACKET.handle, [id, 0xffff_ffff]),
  ],
  [
    "a list of none",
    "readdir index",
    ({ id }) => encodePacket(PACKET.name, [id, 0]),
  ],
  [
    "a list that is shorter than it says",
    "readdir index",
    ({ id }) => encodePacket(PACKET.name, [id, 0xffff_ffff, "a", "", 0]),
  ],
];
for (const [title, line, lie] of LIES) {
  Deno.test(`SftpStore ends a connection that brings ${title}`, async () => {
    await withStore(async ({ fake, store }) => {
      await store.create("index/one", bytes);
      const [what] = line.split(" ");
      const call = () =>
        what === "stat"
          ? store.size("index/one")
          : what === "readdir"
          ? Array.fromAsync(store.list("index/"))
          : store.read("index/one", { length: 10 });
      fake.trouble = once(line, lie);
      await rejects(call(), (error: Error & { code?: string }) => {
        match(
          error.message,
          /^Cannot reach sftp:\/\/fake\/store: .*\(PROTOCOL\)$/,
        );
        return error.code === "PROTOCOL";
      });
      strictEqual(fake.connections, 1);
      await call(); // By a new connection.
      strictEqual(fake.connections, 2);
    });
  });
}

const START: readonly [string, string | Uint8Array, RegExp][] = [
  [
    "a greeting",
    "Welcome to host!\r\nmore\n",
    /begins with a text: "Welcome to host!" \(PROTOCOL\)$/,
  ],
  [
    "another version",
    encodePacket(PACKET.version, [2]),
    /must have version 3: found 2/,
  ],
  ["another packet", encodePacket(PACKET.status, [3]), /must have version 3/],
  [
    "extensions that end early",
    encodePacket(PACKET.version, [3, "a"]),
    /needs 4 bytes: found 0/,
  ],
];
for (const [title, first, message] of START) {
  Deno.test(`SftpStore refuses a server that begins with ${title}`, async () => {
    let isClosed = false;
    const begin = typeof first === "string"
      ? new TextEncoder().encode(first)
      : first;
    const connect = () =>
      Promise.resolve({
        pipe: {
          readable: ReadableStream.from([begin]),
          writable: new WritableStream<Uint8Array>(),
        },
        explain: () => Promise.resolve(new Error("it has ended")),
        close: () => {
          isClosed = true;
          return Promise.resolve();
        },
      });
    const opening = openOverChannels(ADDRESS, connect, {});
    await rejects(opening, { message, code: "PROTOCOL" });
    strictEqual(isClosed, true);
  });
}

Deno.test("SftpStore ends a list that has no end", async () => {
  await withStore(async ({ fake, store }) => {
    fake.files.set("index", undefined);
    const entry = ["a", "", 0] as const;
    const fields = Array.from({ length: 10_000 }, () => entry).flat();
    fake.trouble = ({ line, id }) =>
      line === "readdir index"
        ? encodePacket(PACKET.name, [id, 10_000, ...fields])
        : undefined;
    await rejects(Array.fromAsync(store.list("index/")), {
      message: /the server has sent more than 1048576 entries/,
      code: "PROTOCOL",
    });
  });
});

Deno.test("SftpStore waits for no server that has stopped answering", async () => {
  await withStore(async ({ fake, store, timing }) => {
    await store.create("index/one", bytes);
    fake.trouble = once("stat index/one", () => {
      queueMicrotask(() => timing.pass(60_000));
      return "hang";
    });
    strictEqual(await store.size("index/one"), bytes.length);
    strictEqual(fake.connections, 2);
    strictEqual(store.meter.retries, 1);
    fake.trouble = ({ line }) => {
      if (line !== "stat index/one") return undefined;
      queueMicrotask(() => timing.pass(60_000));
      return "hang";
    };
    await rejects(store.size("index/one"), {
      message:
        "Cannot reach sftp://fake/store: nothing came for 60 s (ETIMEDOUT)",
      code: "ETIMEDOUT",
    });
    fake.trouble = () => undefined;
  }, { retry: { triesMax: 2 } });
});

Deno.test("SftpStore hears a signal in the middle of a request", async () => {
  await withStore(async ({ fake, store }) => {
    await store.create("index/one", bytes);
    const reason = new Error("enough");
    for (const line of ["stat index/one", "open index/one", "read index/one"]) {
      const stop = new AbortController();
      const call = line.startsWith("stat")
        ? store.size("index/one", stop)
        : store.read("index/one", stop);
      fake.trouble = once(line, () => {
        queueMicrotask(() => stop.abort(reason));
        return STATUS.failure;
      });
      await rejects(call, (error) => error === reason);
    }
    fake.trouble = () => undefined;
    strictEqual(await store.size("index/one"), bytes.length);
    strictEqual(fake.connections, 1);
  });
});

Deno.test("SftpStore is closed though the server answers no more", async () => {
  await withStore(async ({ fake, store, timing }) => {
    await store.create("index/one", bytes);
    const stop = new AbortController();
    fake.trouble = () => {
      queueMicrotask(() => stop.abort(new Error("enough")));
      return "hang";
    };
    await rejects(store.size("index/one", stop), /enough/);
    const closed = store[Symbol.asyncDispose]();
    while (timing.alarmCount < 2) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    timing.pass(5000);
    await closed;
    await rejects(store.size("index/one"), { code: "ECLOSED" });
  });
});

Deno.test("SftpStore makes no room for what a server only says that it has", async () => {
  await withStore(async ({ fake, store }) => {
    await store.create("index/one", bytes);
    const mode = 0o100_600;
    const lie = ({ id }: Seen) =>
      encodePacket(PACKET.attributes, [id, 5, 2n ** 50n, mode]);
    fake.trouble = once("fstat index/one", lie);
    await rejects(store.read("index/one"), { code: "SHORT" });
    fake.trouble = once("fstat index/one", lie);
    await rejects(store.read("index/one", { offset: 7 }), { code: "SHORT" });
  });
});

Deno.test("SftpStore closes what was opened for nobody", async () => {
  await withStore(async ({ fake, store }) => {
    await store.create("index/one", bytes);
    fake.seen.length = 0;
    const stop = new AbortController();
    fake.trouble = once("open index/one", () => {
      stop.abort(new Error("enough"));
      return undefined as unknown as Trouble;
    });
    await rejects(store.read("index/one", stop), /enough/);
    await store.size("index/one");
    await store.size("index/one");
    strictEqual(fake.lines.includes("close index/one"), true);
  });
});

Deno.test("SftpStore calls nothing absent when the store itself is gone", async () => {
  await withStore(async ({ fake, store }) => {
    strictEqual(await store.size("config/1"), undefined);
    await store.create("config/1", bytes);
    strictEqual(await store.size("index/one"), undefined);
    fake.files.clear();
    fake.files.set("", undefined);
    const gone = {
      message:
        "Cannot find sftp://fake/store: it was there and is gone, as if its disk were (ESTALE)",
      code: "ESTALE",
    };
    await rejects(store.size("index/one"), gone);
    await rejects(store.read("index/one"), gone);
    await rejects(Array.fromAsync(store.list("")), gone);
    await rejects(store.sync(["index/"]), gone);
    await rejects(store.remove("index/one"), gone);
  });
});

Deno.test("SftpStore says of a server that replaces that it needs a single writer", async () => {
  const fake = Object.assign(new FakeSftp(), {
    extensions: {},
    replaces: true,
  });
  await withStore(async ({ store }) => {
    const refused = {
      message:
        "Cannot create a name: the server cannot create only what is absent, so that it needs a single writer (NO_CONDITION)",
      code: "NO_CONDITION",
    };
    await rejects(store.probe(), refused);
    fake.seen.length = 0;
    await rejects(store.create("index/one", bytes), { code: "NO_CONDITION" });
    strictEqual(fake.lines.some((line) => /^(write|rename)/.test(line)), false);
    strictEqual(store.isDurable, false);
  }, { fake });
  deepStrictEqual([...fake.files.keys()], ["", "tmp"]);
});

Deno.test("SftpStore probes, and leaves nothing behind", async () => {
  for (const extensions of [{}, new FakeSftp().extensions]) {
    const fake = Object.assign(new FakeSftp(), { extensions });
    await withStore(async ({ store }) => await store.probe(), { fake });
    deepStrictEqual([...fake.files.keys()], ["", "tmp"]);
  }
});

Deno.test("SftpStore takes no promise of links for links", async () => {
  // Refused, or said to be done and not done.
  for (const status of [STATUS.unsupported, STATUS.ok]) {
    for (const replaces of [false, true]) {
      const fake = Object.assign(new FakeSftp(), { replaces });
      fake.trouble = ({ line }) =>
        line.startsWith("hardlink") ? status : undefined;
      await withStore(async ({ store }) => {
        const create = store.create("index/one", bytes);
        if (replaces) await rejects(create, { code: "NO_CONDITION" });
        else strictEqual(await create, true);
        strictEqual(fake.files.has("index/one"), !replaces);
      }, { fake });
    }
  }
  // A disk that has none: OpenSSH then looks and renames, which others can come between.
  const fake = new FakeSftp();
  fake.trouble = ({ line }) =>
    line.startsWith("hardlink") ? STATUS.permissionDenied : undefined;
  await withStore(async ({ store }) => {
    await rejects(store.create("index/one", bytes), { code: "NO_CONDITION" });
  }, { fake });
});

Deno.test("SftpStore fails when it cannot make a file durable, and does not try again", async () => {
  for (const line of ["fsync tmp/NEW", "fsync index"]) {
    await withStore(async ({ fake, store }) => {
      await store.create("index/one", bytes);
      fake.seen.length = 0;
      fake.trouble = once(line, STATUS.failure);
      await rejects(store.create("index/two", bytes), { code: "EREMOTEIO" });
      strictEqual(fake.lines.filter((one) => one === line).length, 1);
    });
  }
});
