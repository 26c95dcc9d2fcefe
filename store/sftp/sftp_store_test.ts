// Stores on real servers that speak SFTP on a pipe, without a network.
import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { lacksSshd } from "../../tests/_sshd.ts";
import { encodeHeader } from "../header.ts";
import { ownerText, thisOwner } from "../owner/process_owner.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import {
  canMount,
  mountTmpfs,
  remountReadOnly,
  unmount,
} from "../../tests/_tmpfs.ts";
import { testStore } from "../testing/test_store.ts";
import { openSftpStore, type SftpStore, type SftpStoreOptions } from "./mod.ts";

const SERVER = "/usr/lib/openssh/sftp-server";
const RCLONE = ["rclone", "--config=", "serve", "sftp", "--stdio"];
const SAVE_ID = "5a".repeat(16);
const ignore = lacksSshd();
const bytes = new Uint8Array(9_500_000).map((_, i) => i * i >> 7);
bytes.set(encodeHeader({
  kind: "PACK",
  saveId: new Uint8Array(16).fill(7),
  salt: new Uint8Array(32).fill(9),
}));

interface Place {
  readonly store: SftpStore;
  readonly folder: string;
}

type Opener = (
  folder: string,
  options?: SftpStoreOptions,
) => Promise<SftpStore>;

const openSsh: Opener = (folder, options) =>
  openSftpStore(`sftp://${folder}/store`, {
    command: [SERVER],
    spoolFolder: folder,
    ...options,
  });

const openRclone: Opener = (folder, options) => {
  mkdirSync(`${folder}/store`, { recursive: true });
  return openSftpStore("sftp:///?single-writer", {
    command: [...RCLONE, `${folder}/store`],
    spoolFolder: folder,
    ...options,
  });
};

for (
  const [name, open] of [["OpenSSH", openSsh], ["rclone", openRclone]] as const
) {
  testStore(`SftpStore on ${name}`, async () => {
    const folder = makeFastFolder();
    const store = await open(folder);
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      },
    };
  }, (title, fn) => Deno.test({ name: title, ignore, fn }));

  test(
    `SftpStore on ${name} gives bytes that are the caller's alone`,
    open,
    async ({ store }) => {
      const names = Array.from({ length: 20 }, (_, i) => `index/${i}`);
      for (const name of names) {
        await store.create(name, bytes.subarray(0, 500));
      }
      await Promise.all(names.map(async (name) => {
        const read = await store.read(name);
        strictEqual(read.buffer.byteLength, 500);
        deepStrictEqual(read, bytes.subarray(0, 500));
      }));
    },
  );

  test(
    `SftpStore on ${name} moves large files, and leaves nothing beside`,
    open,
    async ({ store, folder }) => {
      const path = await store.spoolPath(SAVE_ID);
      writeFileSync(path, bytes);
      strictEqual(await store.adopt("packs/ab/one", path), true);
      deepStrictEqual(await store.read("packs/ab/one"), bytes);
      deepStrictEqual(
        await store.read("packs/ab/one", {
          offset: 4_999_999,
          length: 4_500_001,
        }),
        bytes.subarray(4_999_999),
      );
      const other = bytes.with(50, 1); // Another salt.
      strictEqual(await store.create("packs/ab/one", other), false);
      await store[Symbol.asyncDispose]();
      deepStrictEqual(readdirSync(folder), ["store"]);
      deepStrictEqual(readdirSync(`${folder}/store/tmp`), []);
      deepStrictEqual(
        new Uint8Array(readFileSync(`${folder}/store/packs/ab/one`)),
        bytes,
      );
    },
  );
}

test(
  "SftpStore goes on when its server is killed in the middle",
  openSsh,
  async ({ folder }) => {
    const pids = `${folder}/pids`;
    const store = await openSsh(folder, {
      command: ["sh", "-c", `echo $$ >>${pids}; exec ${SERVER}`],
      retry: { pauseFirstMs: 1 },
    });
    const kill = () => {
      const all = readFileSync(pids, "utf8").trim().split("\n");
      process.kill(Number(all.at(-1)), "SIGKILL");
      return all.length;
    };
    await store.create("index/one", bytes.subarray(0, 100));
    kill();
    strictEqual(await store.size("index/one"), 100);
    const path = await store.spoolPath(SAVE_ID);
    writeFileSync(path, bytes);
    const adopt = store.adopt("packs/ab/one", path);
    while (store.meter.bytesOut < 1_000_000) await turn();
    kill();
    strictEqual(await adopt, true);
    const read = store.read("packs/ab/one");
    while (store.meter.bytesIn < 1_000_000) await turn();
    strictEqual(kill(), 3);
    deepStrictEqual(await read, bytes);
    strictEqual(store.meter.retries, 3);
    await store[Symbol.asyncDispose]();
  },
);

test(
  "SftpStore says why a server does not come back",
  openSsh,
  async ({ folder }) => {
    const pid = `${folder}/pid`;
    const script =
      `test -e ${pid} && { echo no more >&2; exit 3; }; echo $$ >${pid}; exec ${SERVER}`;
    const store = await openSsh(folder, {
      command: ["sh", "-c", script],
      retry: { triesMax: 2, pauseFirstMs: 1 },
    });
    process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL");
    await rejects(store.size("index/one"), {
      message:
        `Cannot reach sftp://${folder}/store: sh says: no more (ECONNRESET)`,
      code: "ECONNRESET",
    });
    await store[Symbol.asyncDispose]();
  },
);

test(
  "SftpStore removes what killed processes of this machine left, and nothing else",
  openSsh,
  async ({ folder }) => {
    const tmp = `${folder}/store/tmp`;
    mkdirSync(tmp, { recursive: true });
    const own = thisOwner();
    const random = "ab".repeat(16);
    const name = (owner: Partial<typeof own>) =>
      `${SAVE_ID}-${random}-${ownerText({ ...own, ...owner })}`;
    const gone = [name({ boot: "00000000" }), name({ start: "1" })];
    const kept = [
      name({}),
      name({ host: "00000000", boot: "00000000" }),
      `${SAVE_ID}-${random}`,
      "reserve",
    ];
    for (const one of [...gone, ...kept]) writeFileSync(`${tmp}/${one}`, "");
    const store = await openSsh(folder);
    await store.size("index/one");
    strictEqual(readdirSync(tmp).length, 6); // To read removes nothing.
    await store.create("index/one", bytes.subarray(0, 100));
    await store[Symbol.asyncDispose]();
    deepStrictEqual(readdirSync(tmp).sort(), kept.sort());
  },
);

Deno.test({
  name: "SftpStore says that the disk of the server is full, or read-only",
  ignore: ignore || !canMount(),
  async fn() {
    await inFolder(async (folder) => {
      mountTmpfs(`${folder}/store`, "3m");
      try {
        const store = await openSsh(folder);
        await store.create("index/one", bytes.subarray(0, 100));
        for (const size of [4_000_000, 9_000_000]) {
          await rejects(store.create("index/two", bytes.subarray(0, size)), {
            message:
              "Cannot create index/two: the disk of the server is full (ENOSPC)",
            code: "ENOSPC",
          });
        }
        strictEqual(
          await store.create("index/two", bytes.subarray(0, 100)),
          true,
        );
        await store[Symbol.asyncDispose]();
        deepStrictEqual(readdirSync(`${folder}/store/tmp`), []);
        remountReadOnly(`${folder}/store`);
        const again = await openSsh(folder);
        strictEqual(await again.size("index/two"), 100);
        await rejects(again.create("index/three", bytes.subarray(0, 100)), {
          message:
            "Cannot create index/three: the disk of the server is read-only (EROFS)",
          code: "EROFS",
        });
        await rejects(again.remove("index/two"), { code: "EREMOTEIO" });
        await again[Symbol.asyncDispose]();
      } finally {
        unmount(`${folder}/store`);
      }
    });
  },
});

test(
  "openSftpStore takes an address with one parameter",
  openSsh,
  async ({ folder }) => {
    const refuse = async (url: string, message: RegExp) => {
      await rejects(
        openSftpStore(url, { command: [SERVER] }),
        (error: Error) => {
          match(error.message, message);
          return true;
        },
      );
    };
    await refuse(
      "sftp:///x?single-writer=maybe",
      /^Cannot use single-writer: it is true or false: found "maybe"$/,
    );
    await refuse(
      "sftp:///x?port=3",
      /its only parameter is single-writer: found port$/,
    );
    await refuse("sftp://h:22", /needs a path/);
    await rejects(openSftpStore("sftp:///x"), /it names no host$/);
    strictEqual(existsSync(`${folder}/store`), false); // To open makes nothing.
  },
);

Deno.test({
  name:
    "SftpStore on rclone needs a single writer, and says so before it writes",
  ignore,
  async fn() {
    await inFolder(async (folder) => {
      const store = await openRclone(folder, { singleWriter: false });
      strictEqual(store.isDurable, false);
      await rejects(store.probe(), { code: "NO_CONDITION" });
      await rejects(store.create("index/one", bytes), { code: "NO_CONDITION" });
      strictEqual(store.meter.bytesOut, 0);
      await store[Symbol.asyncDispose]();
      deepStrictEqual(readdirSync(`${folder}/store`), ["tmp"]);
      deepStrictEqual(readdirSync(`${folder}/store/tmp`), []);
    });
  },
});

function test(
  name: string,
  open: Opener,
  run: (place: Place) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    fn: () =>
      inFolder(async (folder) => {
        const store = await open(folder);
        try {
          await run({ store, folder });
        } finally {
          await store[Symbol.asyncDispose]();
        }
      }),
  });
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = makeFastFolder();
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}
