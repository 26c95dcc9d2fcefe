import { checkFields } from "@snap/hash";
import { EntryKind } from "@snap/manifest/extras";
import { checkSnapshots, checkView, type Snapshots } from "@snap/snapshot";
import type { View, ViewEntry } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import type { ByteSink } from "../byte_sink.ts";
import { openContents } from "../contents/open_contents.ts";
import { TarOutput } from "./tar_output.ts";
import { TarWriter } from "./tar_writer.ts";

/** Options of {@linkcode exportTar}. */
export interface ExportTarOptions extends StoreOptions {
  /** The snapshots that the view is one of. */
  readonly snapshots: Snapshots;
  /**
   * Workers that read contents.
   *
   * @default {0}
   */
  readonly workers?: number;
  /** Called for each entry that was written. */
  readonly onEntry?: (entry: ViewEntry) => void;
}

/** Result of {@linkcode exportTar}. */
export interface ExportTarResult {
  /** The SHA-256 of the archive, 64 hex digits. */
  readonly sha256: string;
  /** Bytes of the archive. */
  readonly byteCount: number;
  /** Entries in it, the directory that was exported counted. */
  readonly entryCount: number;
}

/**
 * Writes what a directory of a snapshot holds as a tar archive, or one entry. The
 * same entries give the same bytes: they stand in the order of their names, and
 * nothing but the snapshot is written down. Every byte was checked before.
 *
 * @example
 * ```ts
 * import { exportTar } from "@snap/formats/tar";
 * import { wasmHasher } from "@snap/hash/wasm-hasher";
 * import { saveEntries } from "@snap/save/entries";
 * import { openSnapshots } from "@snap/snapshot";
 * import { View } from "@snap/snapshot/view";
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const snapshots = await openSnapshots(store, { hasher: wasmHasher });
 * const { record } = await saveEntries(snapshots, [
 *   { path: "src/mod.ts", content: "export {};" },
 * ], { source: "build" });
 * const view = await View.open(snapshots, record);
 * let size = 0;
 * const sink = { write: (bytes: Uint8Array) => void (size += bytes.length) };
 * const { byteCount } = await exportTar(view, view.root, sink, { snapshots });
 * strictEqual(size, byteCount);
 * await snapshots.close();
 * ```
 *
 * @param view The snapshot.
 * @param from The directory, or another entry.
 * @param sink Where the archive goes.
 * @returns What was written.
 * @throws {TypeError} If one of them is something else, or `snapshots` is absent.
 * @throws {DamageError} If something is damaged in every copy.
 */
export async function exportTar(
  view: View,
  from: ViewEntry,
  sink: ByteSink,
  options: ExportTarOptions,
): Promise<ExportTarResult> {
  const action = "export";
  checkView(view, action);
  const need = "an entry of the view";
  checkFields({ from }, { action, need, fields: ["path", "kind"] });
  checkFields({ sink }, { action, need: "a sink", fields: ["write"] });
  checkSnapshots(options?.snapshots, action);
  const output = new TarOutput(sink);
  const { snapshots, signal } = options;
  const contents = await openContents(snapshots, { ...options, view });
  try {
    const writer = new TarWriter(from, {
      ...{ snapshots, view, contents, output },
      ...{ signal, onEntry: options.onEntry },
    });
    await writer.add(from);
    if (from.kind === EntryKind.directory) {
      for await (const batch of view.walk(from, options).batches()) {
        for (const entry of batch) await writer.add(entry);
      }
    }
    await writer.finish();
    const sha256 = await output.finish();
    const { entryCount } = writer;
    return { sha256, byteCount: output.byteCount, entryCount };
  } finally {
    await contents[Symbol.asyncDispose]();
    await output[Symbol.asyncDispose]();
  }
}
