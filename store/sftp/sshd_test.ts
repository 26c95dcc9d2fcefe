// Stores through a real sshd, with the user's own client.
import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import {
  lacksSshd,
  type Sshd,
  type SshdOptions,
  startSshd,
} from "../../tests/_sshd.ts";
import { openFileStore } from "../file/open_file_store.ts";
import { initStore } from "../format/store_config.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { testStore } from "../testing/test_store.ts";
import type { RemoteError } from "../wrap/remote_error.ts";
import { openSftpStore, type SftpStore } from "./mod.ts";

const SAVE_ID = "5a".repeat(16);
const ignore = lacksSshd();
const bytes = new Uint8Array(7);

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

async function open(
  sshd: Sshd,
  path: string,
  ssh: readonly string[] = sshd.ssh,
): Promise<SftpStore> {
  return await openSftpStore(`sftp://${sshd.host}${path}`, {
    ssh,
    spoolFolder: sshd.folder,
  });
}

testStore("SftpStore through sshd", async () => {
  const sshd = await startSshd();
  const folder = makeFastFolder();
  const store = await open(sshd, `${folder}/a store`);
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}, test);

test("a store over SFTP is the folder that is opened there", async () => {
  await using sshd = await startSshd();
  const store = await open(sshd, "/~/snaps");
  await initStore(store);
  const bytes = new Uint8Array(300_000).map((_, i) => i >> 2);
  const spool = await store.spoolPath(SAVE_ID);
  writeFileSync(spool, bytes);
  strictEqual(await store.adopt("packs/ab/one", spool), true);
  const there = await openFileStore(`${sshd.home}/snaps`);
  deepStrictEqual(await there.read("packs/ab/one"), bytes);
  strictEqual(await there.create("index/one", bytes), true);
  deepStrictEqual(
    await store.read("index/one", { length: 9 }),
    bytes.subarray(0, 9),
  );
  for (const name of ["", "packs", "packs/ab", "packs/ab/one", "config/1"]) {
    const { mode, isFile } = Deno.statSync(`${there.path}/${name}`);
    strictEqual(mode! & 0o777, isFile ? 0o600 : 0o700, name);
  }
  await store[Symbol.asyncDispose]();
});

/** What is wrong, and what is said of it. */
const FAULTS: Readonly<
  Record<string, SshdOptions & { code: string; message: RegExp; hint?: RegExp }>
> = {
  "an unknown host": {
    client: ["UserKnownHostsFile none"],
    code: "EHOSTKEY",
    message: /Host key verification failed\. \(EHOSTKEY\)$/,
    hint: /ssh to the host once by hand/,
  },
  "a key that is not known there": {
    server: ["AuthorizedKeysFile none"],
    code: "EACCES",
    message: /Permission denied \(publickey\)/,
    hint: /ssh-agent/,
  },
  "a host that wants a password, which nobody is asked for": {
    server: ["AuthorizedKeysFile none", "PasswordAuthentication yes"],
    code: "EACCES",
    message: /Permission denied \(publickey,password\)/,
  },
  "a host without SFTP": {
    hasSftp: false,
    code: "ENOSYS",
    message: /subsystem request failed on channel 0/,
    hint: /switched off/,
  },
  "a shell that greets": {
    greeting: "Welcome to the host",
    code: "PROTOCOL",
    message: /it begins with a text: "Welcome to the host" \(PROTOCOL\)$/,
    hint: /must print nothing/,
  },
};
for (
  const [title, { code, message, hint, ...options }] of Object.entries(FAULTS)
) {
  test(`openSftpStore says what is wrong with ${title}`, async () => {
    await using sshd = await startSshd(options);
    await rejects(open(sshd, "/~/x"), (error: RemoteError) => {
      match(error.message, message);
      match(error.message, /^Cannot reach sftp:\/\/127\.0\.0\.1:\d+\/~\/x: /);
      if (hint !== undefined) match(error.hint!, hint);
      strictEqual(error.code, code);
      return true;
    });
  });
}

test("openSftpStore says that nobody listens, and that nobody answers", async () => {
  await using sshd = await startSshd();
  const silent = await listenInSilence();
  const ssh = [...sshd.ssh, "-o", "ConnectTimeout=1"];
  const opening = () => openSftpStore(`sftp://${silent.host}/x`, { ssh });
  await rejects(opening(), { code: "ETIMEDOUT", isTransient: true });
  await silent[Symbol.asyncDispose]();
  await rejects(opening(), { code: "ECONNREFUSED", isTransient: true });
  await rejects(
    openSftpStore("sftp://no-such-host.invalid/x", { ssh: sshd.ssh }),
    { code: "ENOTFOUND" },
  );
});

test("openSftpStore ends when it is told to", async () => {
  await using sshd = await startSshd();
  await using silent = await listenInSilence();
  const stop = new AbortController();
  silent.heard.then(() => stop.abort(new Error("enough")));
  await rejects(
    openSftpStore(`sftp://${silent.host}/x`, {
      ssh: sshd.ssh,
      signal: stop.signal,
    }),
    /enough/,
  );
});

/** Listens, and never answers. */
async function listenInSilence(): Promise<
  AsyncDisposable & { readonly host: string; readonly heard: Promise<void> }
> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  const heard = new Promise<void>((resolve) =>
    server.once("connection", () => resolve())
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    host: `127.0.0.1:${port}`,
    heard,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a folder that was made for a name goes with it, also when it was made again meanwhile", async () => {
  await using sshd = await startSshd();
  const folder = makeFastFolder();
  try {
    await using store = await open(sshd, `${folder}/store`);
    await initStore(store);
    const lease = `leases/${SAVE_ID}`;
    for (let i = 0; i < 2; i++) {
      for (const entry of ["0", "1"]) {
        strictEqual(await store.create(`${lease}/${entry}`, bytes), true);
      }
      await store.remove(`${lease}/0`);
      strictEqual(await store.size(`${lease}/1`), bytes.length);
      await store.remove(`${lease}/1`);
      deepStrictEqual(readdirSync(`${folder}/store/leases`), []);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
