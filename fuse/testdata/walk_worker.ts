// Looks at all of a snapshot, as one of several workers: see node_table_test.ts.
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { EntryKind } from "@snap/manifest/extras";
import { SharedFrameCache } from "@snap/pack/cache";
import { workerPort } from "@snap/posix/worker-port";
import { Objects, TableList } from "@snap/pack/objects";
import { FileContents } from "../content/file_contents.ts";
import { NodeCursor } from "../nodes/node_cursor.ts";
import { NodeTable } from "../nodes/node_table.ts";
import { Pieces } from "../device/pieces.ts";
import { ROOT_ID } from "../device/protocol.ts";
import { posixRanges } from "../content/posix_files.ts";

/** The mount that a worker walks. */
export interface WalkTask {
  readonly nodes: SharedArrayBuffer;
  readonly cache: SharedArrayBuffer;
  readonly tables: SharedArrayBuffer;
  readonly prefix: string;
  /** Counts the workers that are there: they begin together. */
  readonly start: SharedArrayBuffer;
}

/** The entries and bytes that a worker has seen. */
export interface WalkOutcome {
  readonly ids: readonly number[];
  readonly byteCount: number;
  readonly sum: number;
}

function walk(task: WalkTask): WalkOutcome {
  using ranges = posixRanges(task.prefix);
  const cache = new SharedFrameCache(task.cache);
  const tables = new TableList(task.tables);
  const objects = new Objects({ ranges, cache, hasher: wasmHasher, tables });
  const nodes = new NodeTable(task.nodes, { objects });
  const contents = new FileContents({ objects });
  const words = new Int32Array(task.start);
  if (Atomics.add(words, 0, 1) === 0) Atomics.wait(words, 0, 1);
  else Atomics.notify(words, 0);
  const cursor = new NodeCursor();
  const pieces = new Pieces();
  const ids = [ROOT_ID];
  let byteCount = 0;
  let sum = 0;
  for (let i = 0; i < ids.length; i++) {
    if (!nodes.select(ids[i], 0, cursor)) throw new Error(`No node ${ids[i]}`);
    if (cursor.kind === EntryKind.directory) {
      const directory = nodes.open(cursor)!;
      for (let row = 0; row < directory.tree.count; row++) {
        ids.push(directory.nodeId(row));
      }
    } else if (cursor.kind <= EntryKind.executable) {
      const size = cursor.tree.size(cursor.row);
      const start = cursor.tree.idStart(cursor.row);
      contents.collect(cursor.tree.bytes, start, size, 0, size, pieces);
      byteCount += pieces.byteCount;
      for (let at = 0; at < pieces.count; at++) {
        for (const byte of pieces.views[at]) sum = (sum * 31 + byte) | 0;
      }
      pieces.clear();
      contents.release();
    }
  }
  // The worker that loads a directory gives it an address, and either may be first.
  return { ids: ids.sort((a, b) => a - b), byteCount, sum };
}

const port = workerPort();
port?.onMessage((task) => port.postMessage(walk(task as WalkTask)));
