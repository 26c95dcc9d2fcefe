import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { EntryKind } from "@snap/manifest/extras";
import { View, type ViewEntry } from "@snap/snapshot/view";
import { makeTree, saveAndCompare } from "../../tests/_saves.ts";
import {
  makeSnapshots,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "../../tests/_snapshots.ts";
import { filesOf, testMount, TestRanges } from "../_testing.ts";
import { Counters } from "../counters.ts";
import { Opcode, ROOT_ID } from "../device/protocol.ts";
import type { Reply } from "../device/reply.ts";
import { Outcome, Session } from "./session.ts";
import { errnoOf, readBody, request, wordAt } from "../testdata/requests.ts";

const ROUNDS_MAX = 100;

/** All bytes of a reply. */
function bytesOf(reply: Reply): Uint8Array {
  const { head, headSize, pieces } = reply;
  const views: Uint8Array[] = [head.subarray(0, headSize)];
  views.push(...pieces.views.slice(0, pieces.count));
  return Uint8Array.from(views.flatMap((view) => [...view]));
}

/** Asks as the kernel does of a store whose bytes come late, and compares with a view. */
class Comparison {
  entryCount = 0;
  pendingCount = 0;
  sent: Uint8Array = new Uint8Array(0);
  readonly view: View;
  readonly ranges: TestRanges;
  readonly session: Session;

  constructor(
    view: View,
    ranges: TestRanges,
    { nodes, contents }: Awaited<ReturnType<typeof testMount>>,
  ) {
    this.view = view;
    this.ranges = ranges;
    this.session = new Session({
      nodes,
      contents,
      counters: Counters.create(1),
      agreed: new Int32Array(1),
      send: (reply) => {
        this.sent = bytesOf(reply);
        return reply.size;
      },
      onFault: ({ error }) => {
        throw error;
      },
    }, {
      isAll: false,
      hasXattrs: true,
      isShared: false,
      hasHoles: true,
      totals: { entryCount: 0, byteCount: 0 },
    });
  }

  ask(opcode: number, node: number, body?: Uint8Array): Uint8Array {
    const message = request(opcode, node, body);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (this.session.handle(message) === Outcome.done) {
        strictEqual(errnoOf(this.sent), 0);
        return this.sent;
      }
      this.pendingCount++;
      this.ranges.deliver();
    }
    throw new Error("Cannot go on as the bytes never come");
  }

  async compareDirectory(directory: ViewEntry, node: number): Promise<void> {
    const reply = this.ask(Opcode.READDIRPLUS, node, readBody(2, 131072));
    let at = 0;
    for await (const batch of this.view.children(directory).batches()) {
      for (const entry of batch) {
        const id = wordAt(reply, at);
        const nameSize = wordAt(reply, at + 128 + 16);
        const name = reply.subarray(16 + at + 152, 16 + at + 152 + nameSize);
        deepStrictEqual(Uint8Array.from(name), Uint8Array.from(entry.name));
        strictEqual(wordAt(reply, at + 40 + 60) & 0xfff, entry.attributes.mode);
        strictEqual(wordAt(reply, at + 40 + 64), entry.attributes.nlink);
        strictEqual(wordAt(reply, at + 40 + 56), entry.attributes.ctimeNs);
        at += 128 + ((24 + nameSize + 7) & ~7);
        await this.#compareEntry(entry, id);
      }
    }
    strictEqual(at, reply.length - 16);
  }

  async #compareEntry(entry: ViewEntry, id: number): Promise<void> {
    this.entryCount++;
    if (entry.kind === EntryKind.directory) {
      await this.compareDirectory(entry, id);
    } else if (entry.kind === EntryKind.symlink) {
      const target = this.ask(Opcode.READLINK, id).subarray(16);
      deepStrictEqual([...target], [...entry.target]);
    } else if (entry.kind <= EntryKind.executable) {
      const body = readBody(0, entry.size + 4096);
      const content = this.ask(Opcode.READ, id, body).subarray(16);
      const expected = await this.view.read(entry);
      ok(content.length === expected.length);
      ok(content.every((byte, i) => byte === expected[i]));
    }
  }
}

Deno.test("Session shows a saved tree as a view does, while bytes come late", async () => {
  using folder = new TemporaryFolder();
  makeTree(folder.join("tree"));
  await using snapshots = await makeSnapshots(
    folder.join("store"),
    SMALL_SETTINGS,
  );
  const { record } = await saveAndCompare(snapshots, folder.join("tree"));
  await snapshots.refresh();
  const view = await View.open(snapshots, record!);
  const ranges = new TestRanges(await filesOf(snapshots.store));
  const parts = await testMount(snapshots.store, record!, { ranges });
  ranges.isLate = true;
  const comparison = new Comparison(view, ranges, parts);
  await comparison.compareDirectory(view.root, ROOT_ID);
  strictEqual(comparison.entryCount, record!.totals.entryCount);
  ok(comparison.pendingCount > 0);
});
