import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EntryKind } from "@snap/manifest/extras";
import { EINVAL } from "@snap/posix/constants";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { Opcode } from "../device/protocol.ts";
import { type FakeEntry, FakeMount } from "../testdata/fake_mount.ts";
import { errnoOf, readBody, request } from "../testdata/requests.ts";

const OPCODES = [Opcode.READDIR, Opcode.READDIRPLUS];

interface Listed {
  readonly name: string;
  readonly offset: number;
  readonly inode: number;
  readonly node: number;
}

/** Reads the entries of a reply, and fails unless they fill it. */
function parse(reply: Uint8Array, isPlus: boolean): Listed[] {
  const view = new DataView(reply.buffer);
  const listed: Listed[] = [];
  for (let at = 16; at < reply.length;) {
    const node = isPlus ? view.getUint32(at, true) : 0;
    if (isPlus) at += 128;
    const nameEnd = at + 24 + view.getUint32(at + 16, true);
    const end = at + ((nameEnd - at + 7) & ~7);
    ok(end <= reply.length);
    ok(reply.subarray(nameEnd, end).every((byte) => byte === 0));
    listed.push({
      name: new TextDecoder().decode(reply.subarray(at + 24, nameEnd)),
      offset: view.getUint32(at + 8, true),
      inode: view.getUint32(at, true),
      node,
    });
    at = end;
  }
  return listed;
}

function rootOf(count: number, nameOf: (row: number) => string): FakeEntry {
  const entries = Array.from({ length: count }, (_, row): FakeEntry => ({
    name: nameOf(row),
    kind: EntryKind.fifo,
    inode: [1000 + row, 0],
  }));
  return { name: "", kind: EntryKind.directory, inode: [999, 0], entries };
}

/** Lists a directory as the kernel does: on from the offset of the last entry. */
function listAll(
  mount: FakeMount,
  opcode: number,
  size: () => number,
): Listed[] {
  const listed: Listed[] = [];
  for (;;) {
    const bytes = size();
    const offset = listed.at(-1)?.offset ?? 0;
    const reply = mount.ask(request(opcode, 1, readBody(offset, bytes)));
    strictEqual(errnoOf(reply), 0);
    ok(reply.length <= 16 + bytes);
    const part = parse(reply, opcode === Opcode.READDIRPLUS);
    if (part.length === 0) return listed;
    listed.push(...part);
  }
}

function randomRoot(prng: Prng): FakeEntry {
  return rootOf(
    prng.below(40),
    (row) => `${row}`.padStart(3, "0").padEnd(3 + prng.below(253), "n"),
  );
}

seededTest("DirectoryReply lists every entry once, whatever fits", (prng) => {
  const root = randomRoot(prng);
  for (const opcode of OPCODES) {
    const mount = new FakeMount(root);
    const listed = listAll(mount, opcode, () => 408 + prng.below(1000));
    const names = [".", "..", ...root.entries!.map(({ name }) => name)];
    deepStrictEqual(listed.map(({ name }) => name), names);
    listed.forEach(({ offset, inode, node }, i) => {
      strictEqual(offset, i + 1);
      strictEqual(inode, i < 2 ? 999 : 1000 + i - 2);
      strictEqual(node, i < 2 || opcode === Opcode.READDIR ? 0 : i);
    });
    const count = opcode === Opcode.READDIR ? 0 : root.entries!.length;
    strictEqual(mount.nodes.references.size, count);
  }
});

seededTest("DirectoryReply goes on from any offset", (prng) => {
  const root = randomRoot(prng);
  const count = root.entries!.length + 2;
  const mount = new FakeMount(root);
  for (const opcode of OPCODES) {
    for (let offset = 0; offset < count + 3; offset++) {
      const reply = mount.ask(request(opcode, 1, readBody(offset, 2 ** 20)));
      const listed = parse(reply, opcode === Opcode.READDIRPLUS);
      deepStrictEqual(
        listed.map((entry) => entry.offset),
        Array.from(
          { length: Math.max(0, count - offset) },
          (_, i) => offset + i + 1,
        ),
      );
    }
    for (const offset of [2 ** 32, 2 ** 53, 2 ** 63]) {
      const reply = mount.ask(request(opcode, 1, readBody(offset, 4096)));
      strictEqual(reply.length, 16);
    }
  }
});

Deno.test("DirectoryReply does not call it the end when no entry fits", () => {
  const mount = new FakeMount(rootOf(1, () => "n".repeat(9)));
  const errno = (opcode: number, offset: number, size: number): number =>
    errnoOf(mount.ask(request(opcode, 1, readBody(offset, size))));
  strictEqual(errno(Opcode.READDIR, 0, 31), EINVAL);
  strictEqual(errno(Opcode.READDIR, 0, 32), 0);
  strictEqual(errno(Opcode.READDIR, 2, 39), EINVAL);
  strictEqual(errno(Opcode.READDIR, 2, 40), 0);
  strictEqual(errno(Opcode.READDIRPLUS, 2, 167), EINVAL);
  strictEqual(errno(Opcode.READDIRPLUS, 2, 168), 0);
  strictEqual(errno(Opcode.READDIR, 3, 0), 0);
});

Deno.test("DirectoryReply looks at each entry of a wide directory once", () => {
  const count = 20_000;
  const mount = new FakeMount(rootOf(count, (i) => `${100_000 + i}`));
  const { nodes } = mount;
  const open = nodes.open.bind(nodes);
  let looks = 0;
  nodes.open = (cursor) => {
    const directory = open(cursor)!;
    const nodeId = (row: number): number => {
      looks++;
      return directory.nodeId(row);
    };
    return { ...directory, nodeId };
  };
  strictEqual(
    listAll(mount, Opcode.READDIRPLUS, () => 4096).length,
    count + 2,
  );
  strictEqual(looks, count);
});

Deno.test("DirectoryReply fills no more than a reply holds", () => {
  const mount = new FakeMount(rootOf(2000, (i) => `${1000 + i}`));
  const message = request(Opcode.READDIRPLUS, 1, readBody(0, 2 ** 32 - 1));
  const listed = parse(mount.ask(message), true);
  strictEqual(listed.length, Math.floor(128 * 1024 / 160));
  deepStrictEqual(mount.nodes.references.size, listed.length - 2);
});
