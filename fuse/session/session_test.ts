import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EntryKind } from "@snap/manifest/extras";
import {
  E2BIG,
  EINVAL,
  EIO,
  ENAMETOOLONG,
  ENODATA,
  ENOENT,
  ENOSYS,
  EROFS,
  errnos,
  O_RDWR,
  O_TRUNC,
} from "@snap/posix/constants";
import { Counter } from "../counters.ts";
import { InitFlag, Opcode } from "../device/protocol.ts";
import { Outcome } from "./session.ts";
import { type FakeEntry, FakeMount } from "../testdata/fake_mount.ts";
import { GOLDEN_ROOT } from "../testdata/golden_root.ts";
import {
  errnoOf,
  initBody,
  nameBody,
  readBody,
  request,
  seekBody,
  wordAt,
  wordsBody,
  xattrBody,
} from "../testdata/requests.ts";

const DOCS = 3;
const HELLO = 4;
const SPARSE = 10;
const ALL_FLAGS = 0xffffffff;
const IS_ALL = { isAll: true, hasXattrs: false, hasHoles: false };

function directoryOf(...entries: FakeEntry[]): FakeEntry {
  return { name: "", kind: EntryKind.directory, entries };
}

/** A file whose list of holes is content of its own. */
function holed(): FakeEntry {
  const holes = Array.from(
    { length: 1000 },
    (_, i) => [i * 2 ** 20, 65536 + i],
  ).flat();
  const content = 1000 * 2 ** 20;
  return { name: "holed", kind: EntryKind.file, content, holes };
}

Deno.test("Session is not asked to open once the kernel knows how", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const open = request(Opcode.OPEN, HELLO, wordsBody(0, 0));
  const opendir = request(Opcode.OPENDIR, DOCS, wordsBody(0, 0));
  mount.ask(request(Opcode.INIT, 0, initBody(45, ALL_FLAGS)));
  strictEqual(errnoOf(mount.ask(open)), ENOSYS);
  strictEqual(errnoOf(mount.ask(opendir)), ENOSYS);

  const flags = ALL_FLAGS & ~InitFlag.NO_OPENDIR_SUPPORT;
  mount.ask(request(Opcode.INIT, 0, initBody(28, flags)));
  strictEqual(errnoOf(mount.ask(open)), ENOSYS);
  strictEqual(errnoOf(mount.ask(opendir)), 0);

  mount.ask(request(Opcode.INIT, 0, initBody(22, 0xffff)));
  strictEqual(errnoOf(mount.ask(open)), 0);
});

Deno.test("Session opens nothing to write, and cuts nothing", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  for (const flags of [1, O_RDWR, O_TRUNC]) {
    const open = request(Opcode.OPEN, HELLO, wordsBody(flags, 0));
    strictEqual(errnoOf(mount.ask(open)), EROFS);
  }
});

Deno.test("Session of many snapshots compares cached listings with times, and answers OPENDIR", () => {
  const mount = new FakeMount(GOLDEN_ROOT, IS_ALL);
  const reply = mount.ask(request(Opcode.INIT, 0, initBody(45, ALL_FLAGS)));
  const flags = wordAt(reply, 12);
  ok(flags & InitFlag.AUTO_INVAL_DATA);
  strictEqual(flags & InitFlag.EXPLICIT_INVAL_DATA, 0);
  strictEqual(flags & InitFlag.NO_OPENDIR_SUPPORT, 0);
  const opened = mount.ask(request(Opcode.OPENDIR, DOCS, wordsBody(0, 0)));
  strictEqual(errnoOf(opened), 0);
  const open = request(Opcode.OPEN, HELLO, wordsBody(0, 0));
  strictEqual(errnoOf(mount.ask(open)), ENOSYS);
});

Deno.test("Session forwards what is asked of virtual nodes, and sends nothing", () => {
  const mount = new FakeMount(GOLDEN_ROOT, IS_ALL);
  for (const node of [1, [1, 1], [HELLO, 1]] as const) {
    for (
      const message of [
        request(Opcode.LOOKUP, node, nameBody("hello")),
        request(Opcode.GETATTR, node),
        request(Opcode.READDIRPLUS, node, readBody(0, 4096)),
        request(Opcode.LISTXATTR, node, xattrBody(0)),
      ]
    ) strictEqual(mount.handle(message), Outcome.forward);
  }
  strictEqual(mount.sent.length, 0);
  const forget = request(Opcode.FORGET, [HELLO, 1], wordsBody(1, 0));
  strictEqual(mount.handle(forget), Outcome.done);
  strictEqual(errnoOf(mount.ask(request(Opcode.STATFS, 1))), 0);
  strictEqual(errnoOf(mount.ask(request(Opcode.MKDIR, 1))), EROFS);
  const above = request(Opcode.LOOKUP, DOCS, nameBody(".."));
  strictEqual(errnoOf(mount.ask(above)), 0);
});

Deno.test("Session has the kernel check access control lists where it checks modes", () => {
  const init = (options: object, flags = ALL_FLAGS) =>
    new FakeMount(GOLDEN_ROOT, options)
      .ask(request(Opcode.INIT, 0, initBody(45, flags)));
  // At 12 of `fuse_init_out` are the flags.
  const asks = (reply: Uint8Array) =>
    (wordAt(reply, 12) & InitFlag.POSIX_ACL) !== 0;
  ok(asks(init({ isShared: true })));
  ok(asks(init({ ...IS_ALL, isShared: true })));
  ok(!asks(init({ isShared: true, hasXattrs: false })));
  // It would check modes, too, and keep the owner of the mount out.
  ok(!asks(init({ isShared: false })));
  const without = ALL_FLAGS & ~InitFlag.POSIX_ACL;
  strictEqual(errnoOf(init({ isShared: true }, without)), errnos.EPROTO);
  strictEqual(errnoOf(init({ isShared: false }, without)), 0);
});

Deno.test("Session does not know the parent of a volume", () => {
  const mount = new FakeMount(GOLDEN_ROOT, IS_ALL);
  const { nodes } = mount;
  const open = nodes.open.bind(nodes);
  nodes.open = (cursor) => {
    const directory = open(cursor)!;
    return { ...directory, id: DOCS, parentId: DOCS };
  };
  const above = request(Opcode.LOOKUP, DOCS, nameBody(".."));
  strictEqual(errnoOf(mount.ask(above)), ENOENT);
});

Deno.test("Session says ENOSYS where no entry has attributes, and no file holes", () => {
  const mount = new FakeMount(GOLDEN_ROOT, {
    hasXattrs: false,
    hasHoles: false,
  });
  for (
    const message of [
      request(Opcode.GETXATTR, HELLO, xattrBody(0, "user.mime")),
      request(Opcode.LISTXATTR, HELLO, xattrBody(0)),
      request(Opcode.LSEEK, SPARSE, seekBody(0, 3)),
    ]
  ) strictEqual(errnoOf(mount.ask(message)), ENOSYS);
  const all = new FakeMount(GOLDEN_ROOT, IS_ALL);
  const get = request(Opcode.GETXATTR, DOCS, xattrBody(0, "user.mime"));
  strictEqual(errnoOf(all.ask(get)), ENODATA);
});

Deno.test("Session sends nothing while bytes are on their way, and the whole reply then", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const read = request(Opcode.READ, HELLO, readBody(0, 4096));
  mount.contents.pendingCount = 2;
  strictEqual(mount.handle(read), Outcome.pending);
  strictEqual(mount.handle(read), Outcome.pending);
  strictEqual(mount.sent.length, 0);
  strictEqual(mount.counters.total(Opcode.READ), 0);
  strictEqual(mount.handle(read), Outcome.done);
  strictEqual(
    new TextDecoder().decode(mount.sent[0].subarray(16)),
    "Hello, FUSE",
  );
  strictEqual(mount.counters.total(Opcode.READ), 1);
  strictEqual(mount.counters.total(Counter.bytesRead), 11);
  strictEqual(mount.contents.releaseCount, 3);
});

Deno.test("Session waits for directories, values and lists of holes", () => {
  const mount = new FakeMount(directoryOf(holed()));
  const { nodes, contents } = mount;
  const lookup = request(Opcode.LOOKUP, 1, nameBody("holed"));
  const plus = request(Opcode.READDIRPLUS, 1, readBody(0, 4096));
  nodes.pending.add(1);
  strictEqual(mount.handle(lookup), Outcome.pending);
  strictEqual(mount.handle(plus), Outcome.pending);
  nodes.pending.clear();
  for (
    const message of [
      lookup,
      plus,
      request(Opcode.GETATTR, 2),
      request(Opcode.LSEEK, 2, seekBody(0, 3)),
    ]
  ) {
    contents.pendingCount = 1;
    strictEqual(mount.handle(message), Outcome.pending);
  }
  strictEqual(mount.sent.length, 0);
  deepStrictEqual(nodes.references.size, 0);
  strictEqual(mount.handle(lookup), Outcome.done);
  // 1000 MiB less 1000 holes of 64 KiB and a sum of 0 to 999, in blocks of 512 bytes.
  const stored = 1000 * (2 ** 20 - 65536) - 499500;
  strictEqual(wordAt(mount.sent[0], 40 + 16), Math.ceil(stored / 512));

  const golden = new FakeMount(GOLDEN_ROOT);
  golden.contents.pendingCount = 1;
  const get = request(Opcode.GETXATTR, HELLO, xattrBody(4096, "user.large"));
  strictEqual(golden.handle(get), Outcome.pending);
  strictEqual(golden.ask(get).length, 16 + 2000);
});

Deno.test("Session answers EIO to what is damaged, and goes on", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const error = new Error("Cannot read as a test says so");
  const read = request(Opcode.READ, HELLO, readBody(0, 4096));
  mount.contents.error = error;
  strictEqual(errnoOf(mount.ask(read)), EIO);
  strictEqual(mount.sent[0].length, 16);
  mount.contents.error = undefined;
  mount.nodes.error = error;
  strictEqual(
    errnoOf(mount.ask(request(Opcode.LOOKUP, 1, nameBody("hello")))),
    EIO,
  );
  mount.nodes.error = undefined;
  const path = (node: number) => new TextEncoder().encode(`node ${node}`);
  deepStrictEqual(mount.faults, [
    { action: "READ", path: path(HELLO), error },
    { action: "LOOKUP", path: path(1), error },
  ]);
  strictEqual(mount.counters.total(Counter.faults), 2);
  strictEqual(errnoOf(mount.ask(read)), 0);
});

Deno.test("Session shows a file whose list of holes is damaged, as if it had none", () => {
  const mount = new FakeMount(directoryOf(holed()));
  mount.contents.error = new Error("Cannot read as a test says so");
  const reply = mount.ask(request(Opcode.GETATTR, 2));
  strictEqual(errnoOf(reply), 0);
  strictEqual(wordAt(reply, 16 + 16), 1000 * 2048);
  strictEqual(mount.faults.length, 1);
  const seek = request(Opcode.LSEEK, 2, seekBody(0, 3));
  strictEqual(errnoOf(mount.ask(seek)), EIO);
});

Deno.test("Session reads a list of holes once for whoever steps through it", () => {
  const mount = new FakeMount(directoryOf(holed()));
  mount.ask(request(Opcode.LSEEK, 2, seekBody(0, 3)));
  mount.contents.error = new Error("Cannot read twice");
  const reply = mount.ask(request(Opcode.LSEEK, 2, seekBody(2 ** 20, 3)));
  strictEqual(wordAt(reply, 0), 2 ** 20 + 65537);
});

Deno.test("Session remembers what the kernel was told, and takes back what it was not", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const { references } = mount.nodes;
  const lookup = request(Opcode.LOOKUP, 1, nameBody("hello"));
  const plus = request(Opcode.READDIRPLUS, 1, readBody(0, 4096));
  const expected = new Map([[HELLO, 2], [2, 1], [3, 1]]);
  for (let node = 5; node <= SPARSE; node++) expected.set(node, 1);

  mount.ask(lookup);
  mount.ask(request(Opcode.LOOKUP, 1, nameBody("nobody")));
  mount.ask(request(Opcode.READDIR, 1, readBody(0, 4096)));
  mount.ask(request(Opcode.GETATTR, 2));
  mount.ask(plus);
  deepStrictEqual(references, expected);

  mount.sendErrno = ENOENT;
  mount.ask(plus);
  mount.ask(lookup);
  deepStrictEqual(references, expected);

  mount.handle(request(Opcode.FORGET, HELLO, wordsBody(2, 0)));
  const batch = wordsBody(2, 0, 2, 0, 1, 0, 3, 0, 1, 0);
  mount.handle(request(Opcode.BATCH_FORGET, 0, batch));
  for (const node of [HELLO, 2, 3]) expected.set(node, 0);
  deepStrictEqual(references, expected);
});

Deno.test("Session forgets only what a message holds, and nodes that are there", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const batch = wordsBody(0xffffffff, 0, 999, 0, 1, 0, 2, 9, 1, 0, HELLO, 0, 1);
  mount.handle(request(Opcode.BATCH_FORGET, 0, batch));
  strictEqual(mount.nodes.references.size, 0);
  mount.handle(request(Opcode.FORGET, HELLO, wordsBody(1)));
  strictEqual(mount.nodes.references.size, 0);
  strictEqual(mount.sent.length, 0);
});

Deno.test("Session sends the volume as generation, so that old file handles do not name new nodes", () => {
  const mount = new FakeMount(GOLDEN_ROOT, IS_ALL);
  const select = mount.nodes.select.bind(mount.nodes);
  mount.nodes.select = (low, high, cursor) =>
    select(low, high, cursor) && (cursor.volume = 7) === 7;
  const found = mount.ask(request(Opcode.LOOKUP, DOCS, nameBody("a")));
  strictEqual(wordAt(found, 8), 7);
  const plus = mount.ask(
    request(Opcode.READDIRPLUS, DOCS, readBody(2, 4096)),
  );
  strictEqual(wordAt(plus, 8), 7);
});

Deno.test("Session refuses names that are none", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const lookup = (body: Uint8Array): number =>
    errnoOf(mount.ask(request(Opcode.LOOKUP, 1, body)));
  strictEqual(lookup(new Uint8Array(0)), EINVAL, "no NUL");
  strictEqual(lookup(new TextEncoder().encode("hello")), EINVAL, "no NUL");
  strictEqual(lookup(nameBody("")), EINVAL, "empty");
  strictEqual(lookup(nameBody("docs/a")), EINVAL, "slash");
  strictEqual(lookup(nameBody("x".repeat(256))), ENAMETOOLONG);
  strictEqual(lookup(nameBody("x".repeat(255))), 0);
  const get = xattrBody(0, "");
  strictEqual(errnoOf(mount.ask(request(Opcode.GETXATTR, HELLO, get))), EINVAL);
});

Deno.test("Session refuses a message that is not as long as it says", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  const read = request(Opcode.READ, HELLO, readBody(0, 4096));
  const view = new DataView(read.buffer);
  for (const length of [0, read.length - 1, read.length + 1]) {
    view.setUint32(0, length, true);
    strictEqual(errnoOf(mount.ask(read)), EINVAL);
  }
  const forget = request(Opcode.FORGET, HELLO, wordsBody(1, 0));
  new DataView(forget.buffer).setUint32(0, 40, true);
  mount.handle(forget);
  strictEqual(mount.nodes.references.size, 0);
});

Deno.test("Session hands out no attributes above what Linux has", () => {
  const mount = new FakeMount(directoryOf({
    name: "big",
    kind: EntryKind.file,
    xattrs: {
      "user.big": new Uint8Array(65537),
      ...Object.fromEntries(
        Array.from(
          { length: 300 },
          (_, i) => [`user.${i}`.padEnd(255, "n"), new Uint8Array(0)],
        ),
      ),
    },
  }));
  const get = (size: number): Uint8Array =>
    mount.ask(request(Opcode.GETXATTR, 2, xattrBody(size, "user.big")));
  strictEqual(wordAt(get(0), 0), 65537);
  strictEqual(errnoOf(get(2 ** 20)), E2BIG);
  const list = (size: number): Uint8Array =>
    mount.ask(request(Opcode.LISTXATTR, 2, xattrBody(size)));
  strictEqual(wordAt(list(0), 0), 300 * 256 + 9);
  strictEqual(errnoOf(list(2 ** 20)), E2BIG);
});

Deno.test("Session counts requests by opcode", () => {
  const mount = new FakeMount(GOLDEN_ROOT);
  mount.ask(request(Opcode.GETATTR, 1));
  mount.ask(request(Opcode.GETATTR, 999));
  mount.ask(request(4096, 1));
  strictEqual(mount.counters.total(Opcode.GETATTR), 2);
  strictEqual(mount.counters.total(Counter.requests), 1);
});
