import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Id } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { Catalog } from "./catalog.ts";
import type {
  CatalogRecord,
  CatalogSource,
  CatalogTagEntry,
} from "./catalog_source.ts";
import { NodeCursor } from "../nodes/node_cursor.ts";
import { NodeTable } from "../nodes/node_table.ts";
import {
  Attr,
  AttrOut,
  Dirent,
  EntryOut,
  Opcode,
  ReadIn,
  ReplyHead,
  RequestHead,
} from "../device/protocol.ts";
import type { Reply } from "../device/reply.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

const TEXT = new TextEncoder();

function idOf(number: number): Id {
  return number.toString(16).padStart(64, "0") as unknown as Id;
}

/** A store that counts how often it is asked. */
class FakeSource implements CatalogSource {
  records: CatalogRecord[] = [];
  logs = new Map<string, CatalogTagEntry[]>();
  listCount = 0;
  readCount = 0;
  failure: Error | undefined;

  add(tree: number, record: number, time: string): CatalogRecord {
    const added = {
      tree: idOf(tree),
      record: idOf(record),
      writer: "ab".repeat(16),
      page: idOf(1),
      time: `2026-11-20T${time}.000000000Z`,
    };
    this.records.push(added);
    return added;
  }

  tag(tag: string, name: CatalogRecord | undefined, time: string): void {
    const log = this.logs.get(tag) ?? [];
    const nonce = `${log.length}`;
    log.push({
      ...{ nonce, head: nonce },
      time: `2026-11-20T${time}.123000000Z`,
      ...(name === undefined ? {} : { name }),
    });
    this.logs.set(tag, log);
  }

  recordNames(): Promise<readonly CatalogRecord[]> {
    this.listCount++;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve(this.records);
  }

  record({ record }: { record: Id }): Promise<CatalogRecord> {
    this.readCount++;
    return Promise.resolve(this.records.find((one) => one.record === record)!);
  }

  tags(): Promise<ReadonlyMap<string, number>> {
    const heads = [...this.logs].map(([tag, log]) =>
      [tag, log.length] as const
    );
    return Promise.resolve(new Map(heads));
  }

  tagNumbers(tag: string): Promise<readonly number[]> {
    return Promise.resolve(this.logs.get(tag)!.map((_, i) => i + 1));
  }

  tagEntry(tag: string, number: number): Promise<CatalogTagEntry | undefined> {
    this.readCount++;
    return Promise.resolve(this.logs.get(tag)![number - 1]);
  }
}

/** A root of this mode, with one file. */
function rootBytes(mode: number) {
  const tree = new TreeBuilder();
  const row = tree.add(TEXT.encode("a"), 0, 1, EntryKind.file);
  tree.setContent(row, 1, new Uint8Array(32));
  const page = new AttributePageBuilder();
  page.setTreeId(new Uint8Array(32));
  const owner = page.internOwner(1, 2, TEXT.encode("u"), TEXT.encode("g"));
  for (const each of [mode, 0o644]) {
    const at = page.addRow();
    page.setMode(at, each);
    page.setOwner(at, owner);
  }
  return { treeBytes: tree.build(), pageBytes: page.build() };
}

interface Answer {
  readonly errno: number;
  readonly body: Uint8Array;
  readonly view: DataView;
}

/** A catalog whose device is a list, and whose clock stands still. */
class Scene {
  readonly source: FakeSource = new FakeSource();
  readonly nodes: NodeTable = NodeTable.create({
    isAll: true,
    sizeMax: 64 << 20,
  });
  readonly faults: unknown[] = [];
  readonly answers: Answer[] = [];
  readonly catalog: Catalog;
  nowMs = 1_800_000_000_000;
  loadCount = 0;
  refreshCount = 0;
  isInterrupted = false;

  constructor() {
    this.catalog = new Catalog({
      source: this.source,
      nodes: this.nodes,
      loadRoot: ({ record }) => {
        this.loadCount++;
        return Promise.resolve(rootBytes(Number(`0x${record.slice(-4)}`)));
      },
      refresh: () => {
        this.refreshCount++;
        return Promise.resolve();
      },
      send: (reply) => this.#keep(reply),
      onFault: ({ error }) => void this.faults.push(error),
      uid: 7,
      gid: 8,
      now: () => this.nowMs,
    });
  }

  #keep({ head, headSize, pieces, view }: Reply): number {
    const parts = pieces.views.slice(0, pieces.count);
    const body = Uint8Array.from([
      ...head.subarray(ReplyHead.size, headSize),
      ...parts.flatMap((part) => [...part]),
    ]);
    const size = view.getUint32(ReplyHead.length, true);
    strictEqual(size, ReplyHead.size + body.length);
    this.answers.push({
      errno: Math.abs(view.getInt32(ReplyHead.error, true)),
      body,
      view: new DataView(body.buffer),
    });
    return this.isInterrupted ? -2 : size;
  }

  async ask(
    opcode: number,
    node: number,
    body: Uint8Array = new Uint8Array(0),
  ): Promise<Answer> {
    const request = new Uint8Array(RequestHead.size + body.length);
    const view = new DataView(request.buffer);
    view.setUint32(RequestHead.length, request.length, true);
    view.setUint32(RequestHead.opcode, opcode, true);
    view.setUint32(RequestHead.node, node, true);
    view.setUint32(RequestHead.node + 4, node / 2 ** 32, true);
    request.set(body, RequestHead.size);
    await this.catalog.handle(request);
    return this.answers.at(-1)!;
  }

  async lookup(parent: number, name: string): Promise<Answer> {
    return await this.ask(Opcode.LOOKUP, parent, TEXT.encode(`${name}\0`));
  }

  /** Walks a path, and returns the number of its node. */
  async walk(path: string): Promise<number> {
    let node = 1;
    for (const name of path.split("/")) {
      const { errno, view } = await this.lookup(node, name);
      strictEqual(errno, 0, path);
      node = nodeOf(view);
    }
    return node;
  }

  async list(
    node: number,
    { size = 32768, isPlus = false } = {},
  ): Promise<string[]> {
    const names: string[] = [];
    for (let offset = 0;;) {
      const body = new Uint8Array(ReadIn.size);
      const view = new DataView(body.buffer);
      view.setUint32(ReadIn.offset, offset, true);
      view.setUint32(ReadIn.byteCount, size, true);
      const opcode = isPlus ? Opcode.READDIRPLUS : Opcode.READDIR;
      const answer = await this.ask(opcode, node, body);
      strictEqual(answer.errno, 0);
      strictEqual(answer.body.length <= size, true);
      if (answer.body.length === 0) return names;
      for (let at = 0; at < answer.body.length;) {
        if (isPlus) {
          strictEqual(nodeOf(answer.view, at), 0);
          at += EntryOut.size;
        }
        const length = answer.view.getUint32(at + Dirent.nameSize, true);
        const start = at + Dirent.name;
        names.push(new TextDecoder().decode(
          answer.body.subarray(start, start + length),
        ));
        offset = answer.view.getUint32(at + Dirent.offset, true);
        at = start + Math.ceil(length / 8) * 8;
      }
    }
  }

  async mtime(node: number): Promise<number> {
    const { view } = await this.ask(Opcode.GETATTR, node, new Uint8Array(16));
    return view.getUint32(AttrOut.attr + Attr.mtime, true) * 1000 +
      view.getUint32(AttrOut.attr + Attr.mtimeNs, true) / 1e6;
  }
}

function nodeOf(view: DataView, at = 0): number {
  return view.getUint32(at + EntryOut.node, true) +
    view.getUint32(at + EntryOut.node + 4, true) * 2 ** 32;
}

function modeOf({ view }: Answer): number {
  return view.getUint32(EntryOut.attr + Attr.mode, true);
}

Deno.test("catalog: directories, times of a second, no negative entries", async () => {
  const scene = new Scene();
  deepStrictEqual(await scene.list(1), [".", "..", "ids", "tags"]);
  const ids = await scene.lookup(1, "ids");
  strictEqual(modeOf(ids), 0o040555);
  strictEqual(ids.view.getUint32(EntryOut.entryValid, true), 1);
  strictEqual(ids.view.getUint32(EntryOut.attrValid, true), 1);
  strictEqual(ids.view.getUint32(EntryOut.attr + Attr.uid, true), 7);
  strictEqual(nodeOf(ids.view) > 2 ** 32, true);
  deepStrictEqual(await scene.list(nodeOf(ids.view)), [".", ".."]);
  const absent = await scene.lookup(1, "absent");
  deepStrictEqual([absent.errno, absent.body.length], [2, 0]);
  strictEqual(nodeOf((await scene.lookup(nodeOf(ids.view), "..")).view), 1);
  strictEqual((await scene.ask(Opcode.GETATTR, 2 ** 32 + 999)).errno, 116);
  strictEqual((await scene.ask(Opcode.OPENDIR, 1)).body.length, 16);
});

Deno.test("catalog: the store is listed at most once a second, and only when somebody looks", async () => {
  const scene = new Scene();
  scene.source.add(0xa, 1, "10:00:00");
  const ids = await scene.walk("ids");
  strictEqual(scene.source.listCount, 0);
  for (let i = 0; i < 5; i++) {
    deepStrictEqual((await scene.list(ids)).length, 3);
  }
  strictEqual(scene.source.listCount, 1);
  const before = await scene.mtime(ids);
  scene.source.add(0xb, 2, "11:00:00");
  strictEqual((await scene.list(ids)).length, 3);
  scene.nowMs += 1000;
  deepStrictEqual(await scene.list(ids, { isPlus: true }), [
    ".",
    "..",
    idOf(0xa),
    idOf(0xb),
  ]);
  strictEqual(scene.source.listCount, 2);
  strictEqual(await scene.mtime(ids) > before, true);
  strictEqual(scene.source.readCount, 0);
});

Deno.test("catalog: of two records of a tree the newest, and each tag its own", async () => {
  const scene = new Scene();
  const old = scene.source.add(0xa, 0o700, "10:00:00");
  scene.source.tag("main", old, "10:00:01");
  const tree = idOf(0xa);
  const ids = await scene.walk("ids");
  strictEqual(modeOf(await scene.lookup(ids, tree)), 0o040700);
  const fresh = scene.source.add(0xa, 0o755, "12:00:00");
  scene.source.tag("main", fresh, "12:00:01");
  scene.nowMs += 1000;
  strictEqual(modeOf(await scene.lookup(ids, tree)), 0o040755);
  const main = await scene.walk("tags/main");
  const names = ["2026-11-20T10-00-01Z", "2026-11-20T12-00-01Z"];
  deepStrictEqual(await scene.list(main), [".", "..", ...names, "latest"]);
  strictEqual(modeOf(await scene.lookup(main, names[0])), 0o040700);
  strictEqual(modeOf(await scene.lookup(main, names[1])), 0o040755);
  strictEqual(modeOf(await scene.lookup(main, "latest")), 0o120777);
});

Deno.test("catalog: latest is another node when it names something else", async () => {
  const scene = new Scene();
  scene.source.tag("main", scene.source.add(1, 1, "10:00:00"), "10:00:01");
  const target = async (node: number) =>
    new TextDecoder().decode((await scene.ask(Opcode.READLINK, node)).body);
  const first = await scene.walk("tags/main/latest");
  strictEqual(await target(first), "2026-11-20T10-00-01Z");
  strictEqual(await scene.walk("tags/main/latest"), first);
  // Two in a second, one that is damaged, one whose record is gone.
  scene.source.tag("main", scene.source.add(2, 2, "10:00:00"), "10:00:01");
  scene.source.tag("main", undefined, "11:00:00");
  scene.nowMs += 1000;
  deepStrictEqual((await scene.list(await scene.walk("tags/main"))).slice(2), [
    "2026-11-20T10-00-01Z",
    "2026-11-20T10-00-01Z.2",
  ]);
  scene.source.records.shift();
  scene.source.tag("main", scene.source.records[0], "12:00:00");
  scene.nowMs += 1000;
  const main = await scene.walk("tags/main");
  deepStrictEqual((await scene.list(main)).slice(2), [
    "2026-11-20T10-00-01Z",
    "2026-11-20T12-00-00Z",
    "latest",
  ]);
  const second = await scene.walk("tags/main/latest");
  strictEqual(second === first, false);
  strictEqual(await target(second), "2026-11-20T12-00-00Z");
  // Who still holds the old one can read it.
  strictEqual(await target(first), "2026-11-20T10-00-01Z");
});

Deno.test("catalog: volumes come with a look-up, and go when they are forgotten", async () => {
  const scene = new Scene();
  const tree = idOf(scene.source.add(0xa, 0o700, "10:00:00") && 0xa);
  const path = `ids/${tree}`;
  const [first, again] = await Promise.all([
    scene.walk(path),
    scene.walk(path),
  ]);
  strictEqual(again, first);
  strictEqual(scene.loadCount, 1);
  strictEqual(scene.refreshCount, 1);
  strictEqual(scene.nodes.references(first), 3);
  const cursor = new NodeCursor();
  scene.nodes.select(first, 0, cursor);
  const { volume } = cursor;
  scene.nodes.forget(first, 1);
  scene.nowMs += 1000;
  await scene.list(1);
  strictEqual(scene.nodes.references(first), 2);
  scene.nodes.forget(first, 1);
  scene.nowMs += 1000;
  await scene.list(1);
  strictEqual(scene.nodes.select(first, 0, cursor), false);
  const second = await scene.walk(path);
  strictEqual(scene.loadCount, 2);
  scene.nodes.select(second, 0, cursor);
  strictEqual(cursor.volume === volume, false);
  strictEqual(scene.refreshCount, 1);
});

Deno.test("catalog: an interrupted look-up counts for nothing", async () => {
  const scene = new Scene();
  scene.source.add(0xa, 0o700, "10:00:00");
  const ids = await scene.walk("ids");
  scene.isInterrupted = true;
  const node = nodeOf((await scene.lookup(ids, idOf(0xa))).view);
  strictEqual(scene.nodes.references(node), 1);
});

Deno.test("catalog: many records and tags, in small pieces, while some come", async () => {
  const scene = new Scene();
  for (let i = 1; i <= 1000; i++) scene.source.add(i, i, "10:00:00");
  for (let i = 1; i <= 500; i++) {
    scene.source.tag(`t${i}`, scene.source.records[i], "10:00:00");
  }
  const ids = await scene.walk("ids");
  const names = await scene.list(ids, { size: 4096, isPlus: true });
  strictEqual(new Set(names).size, 1002);
  strictEqual((await scene.list(await scene.walk("tags"))).length, 502);
  strictEqual(scene.source.readCount, 0);
  for (let i = 1; i <= 1000; i++) await scene.walk(`ids/${idOf(i)}`);
  strictEqual(scene.loadCount, 1000);
  strictEqual(scene.source.readCount, 1000);
});

Deno.test("catalog: a store that fails is an error at first, and later what was known", async () => {
  const scene = new Scene();
  scene.source.add(0xa, 1, "10:00:00");
  scene.source.failure = new Error("Cannot list as the disk is gone");
  const ids = await scene.walk("ids").catch(() => undefined);
  strictEqual(ids === undefined, false);
  strictEqual((await scene.ask(Opcode.GETATTR, ids!)).errno, 5);
  match(String(scene.faults), /the disk is gone/);
  scene.source.failure = undefined;
  strictEqual((await scene.list(ids!)).length, 3);
  scene.source.failure = new Error("Cannot list again");
  scene.nowMs += 1000;
  strictEqual((await scene.list(ids!)).length, 3);
  match(String(scene.faults), /again/);
});
