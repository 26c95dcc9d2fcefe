import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type Prng, seededTest } from "../../tests/_prng.ts";
import { Opcode } from "../device/protocol.ts";
import { Outcome } from "./session.ts";
import { type FakeEntry, FakeMount } from "../testdata/fake_mount.ts";
import { GOLDEN_ROOT } from "../testdata/golden_root.ts";
import {
  initBody,
  nameBody,
  readBody,
  request,
  seekBody,
  wordsBody,
  xattrBody,
} from "../testdata/requests.ts";

const MESSAGES_A_ROUND = 10_000;
const MARGIN = 64;

/** The golden snapshot with a file that is sparse but not large. */
const ROOT: FakeEntry = {
  ...GOLDEN_ROOT,
  entries: GOLDEN_ROOT.entries!.map((entry) =>
    entry.name === "sparse"
      ? { ...entry, content: 300_000, holes: [65536, 65536] }
      : entry
  ),
};

/** Opcodes to which there is no reply. */
const SILENT: readonly number[] = [
  Opcode.FORGET,
  Opcode.BATCH_FORGET,
  Opcode.INTERRUPT,
  Opcode.NOTIFY_REPLY,
];

/** Requests that mean something. */
const REQUESTS: readonly Uint8Array[] = [
  request(Opcode.LOOKUP, 1, nameBody("hello")),
  request(Opcode.LOOKUP, 3, nameBody("..")),
  request(Opcode.GETATTR, 10, wordsBody(0, 0, 0, 0)),
  request(Opcode.READLINK, 5),
  request(Opcode.OPEN, 4, wordsBody(0, 0)),
  request(Opcode.OPENDIR, 1, wordsBody(0, 0)),
  request(Opcode.READ, 10, readBody(4096, 65536)),
  request(Opcode.READ, 4, readBody(0, 4096)),
  request(Opcode.READDIR, 1, readBody(3, 4096)),
  request(Opcode.READDIRPLUS, 1, readBody(0, 4096)),
  request(Opcode.STATFS, 1),
  request(Opcode.LSEEK, 10, seekBody(70000, 3)),
  request(Opcode.LSEEK, 10, seekBody(0, 4)),
  request(Opcode.GETXATTR, 4, xattrBody(4096, "user.large")),
  request(Opcode.LISTXATTR, 4, xattrBody(4096)),
  request(Opcode.FORGET, 4, wordsBody(1, 0)),
  request(Opcode.BATCH_FORGET, 0, wordsBody(1, 0, 4, 0, 1, 0)),
  request(Opcode.INIT, 0, initBody(45, 0xffffffff)),
  ...Object.values(Opcode).map((opcode) =>
    request(opcode, 1, wordsBody(0, 0, 0, 0, 0, 0, 0, 0))
  ),
];

/** Numbers that are at the edge of something. */
const EDGES = [0, 1, 2, 11, 12, 0x7f, 4096, 0x7fffffff, 0x80000000, 0xffffffff];

/** Changes a message in one of the ways in which messages go wrong. */
function mutate(message: Uint8Array, prng: Prng): Uint8Array {
  let bytes = message.slice();
  for (let times = 1 + prng.below(3); times > 0; times--) {
    const at = prng.below(bytes.length + 1);
    const way = prng.below(6);
    if (way === 0) bytes[at] ^= 1 << prng.below(8);
    else if (way === 1) bytes[at] = prng.u32();
    else if (way === 2 && bytes.length >= 44) {
      const word = 4 * prng.below(bytes.length >> 2);
      new DataView(bytes.buffer).setUint32(word, prng.pick(EDGES), true);
    } else if (way === 3) bytes = bytes.slice(0, at);
    else if (way === 4) {
      bytes = Uint8Array.from([...bytes, ...prng.bytes(prng.below(40))]);
    } else bytes = bytes.map((byte, i) => i >= 40 && byte === 0 ? 0x2f : byte);
  }
  if (bytes.length >= 4 && prng.below(4) > 0) {
    new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  }
  return bytes;
}

/** Handles a message that lies in other bytes, and returns what was sent: none when it is forwarded. */
function sentFor(
  mount: FakeMount,
  message: Uint8Array,
  around: number,
): Uint8Array[] | undefined {
  const room = new Uint8Array(message.length + 2 * MARGIN).fill(around);
  room.set(message, MARGIN);
  mount.sent.length = 0;
  const outcome = mount.handle(
    room.subarray(MARGIN, MARGIN + message.length),
  );
  if (outcome === Outcome.done) return [...mount.sent];
  strictEqual(outcome, Outcome.forward);
  strictEqual(mount.sent.length, 0);
  return undefined;
}

/** Fails unless a reply is one that the kernel takes. */
function checkReply(reply: Uint8Array, message: Uint8Array): void {
  const view = new DataView(reply.buffer);
  strictEqual(view.getUint32(0, true), reply.length);
  const error = view.getInt32(4, true);
  ok(error <= 0 && error > -4096);
  if (error !== 0) strictEqual(reply.length, 16);
  deepStrictEqual(reply.subarray(8, 16), message.subarray(8, 16));
}

/** Fails unless each of many mutated messages gets one reply, or none where none is due; returns how many were forwarded. */
function checkMessages(mount: FakeMount, prng: Prng): number {
  let forwarded = 0;
  mount.contents.pieceSize = 65536;
  for (let i = 0; i < MESSAGES_A_ROUND; i++) {
    const message = mutate(prng.pick(REQUESTS), prng);
    const sent = sentFor(mount, message, 0x00);
    // A difference between large replies would take minutes to show.
    const again = sentFor(mount, message, 0x41);
    ok(isDeepStrictEqual(again, sent), message.join());
    if (sent === undefined) {
      forwarded++;
      continue;
    }
    const isSilent = message.length < 40 ||
      SILENT.includes(new DataView(message.buffer).getUint32(4, true));
    strictEqual(sent.length, isSilent ? 0 : 1);
    for (const reply of sent) checkReply(reply, message);
  }
  deepStrictEqual(mount.faults, []);
  return forwarded;
}

seededTest(
  "Session answers any message, with what the message says alone",
  (prng) => {
    strictEqual(checkMessages(new FakeMount(ROOT), prng), 0);
  },
  { roundCount: 20 },
);

seededTest(
  "Session of many snapshots answers or forwards any message",
  (prng) => {
    ok(checkMessages(new FakeMount(ROOT, { isAll: true }), prng) > 0);
  },
  { roundCount: 5 },
);
