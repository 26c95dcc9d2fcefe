import { linkKey } from "@snap/manifest/diff";
import { EntryKind } from "@snap/manifest/extras";
import { displayPath } from "@snap/manifest/path";
import type { Snapshots } from "@snap/snapshot";
import { diffSnapshots, snapshotSide } from "@snap/snapshot/query";
import { View, type ViewEntry, type ViewRoot } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import { ExportError } from "../errors.ts";
import type { ByteSink } from "../byte_sink.ts";
import { openContents } from "../contents/open_contents.ts";
import { TarOutput } from "../tar/tar_output.ts";
import { type FirstNames, TarWriter } from "../tar/tar_writer.ts";
import { WHITEOUT } from "./layer_rules.ts";

const SLASH = 0x2f;
const mark = new TextEncoder().encode(WHITEOUT);

/** A plain layer that was written. */
export interface WrittenLayer {
  /** The SHA-256 of the archive, 64 hex digits. */
  readonly sha256: string;
  /** Bytes of the archive. */
  readonly byteCount: number;
}

/** Options of {@linkcode writeLayer}. */
export interface WriteLayerOptions extends StoreOptions {
  /** Workers that read contents. */
  readonly workers?: number;
}

/**
 * Writes a snapshot as a layer: all of it, or what makes it of another one.
 *
 * @param root The snapshot, or a directory of one.
 * @param base The snapshot that is below; nothing if left out.
 * @param sink Where the plain archive goes.
 * @throws {ExportError} If a name in it would say something else in a layer.
 */
export async function writeLayer(
  snapshots: Snapshots,
  { root, base }: {
    readonly root: ViewRoot;
    readonly base?: ViewRoot | undefined;
  },
  sink: ByteSink,
  options: WriteLayerOptions = {},
): Promise<WrittenLayer> {
  const view = await View.open(snapshots, root, options);
  const output = new TarOutput(sink);
  const contents = await openContents(snapshots, { ...options, view });
  try {
    const writer = new TarWriter(view.root, {
      ...options,
      ...{ snapshots, view, contents, output, isLayer: true },
      ...base !== undefined && { firstNames: await firstNames(view, options) },
    });
    if (base === undefined) await writeAll(view, writer, options);
    else {
      const reader = await snapshots.reader();
      const changes = diffSnapshots(
        snapshotSide(reader, base, options),
        snapshotSide(reader, root, options),
        options,
      );
      let gone: Uint8Array | undefined;
      for await (const batch of changes.batches()) {
        for (const { kind, path } of batch) {
          if (gone !== undefined && isBelow(path, gone)) {
            if (kind === "removed") continue;
          } else gone = undefined;
          if (kind === "removed") await writer.addMark(whiteout(path));
          else await add(writer, (await view.lookup(path, options))!);
          // What replaces a directory, or hides it, goes for all below it.
          if (kind === "removed" || kind === "type") gone = path.slice();
        }
      }
    }
    await writer.finish();
    const sha256 = await output.finish();
    return { sha256, byteCount: output.byteCount };
  } finally {
    await contents[Symbol.asyncDispose]();
    await output[Symbol.asyncDispose]();
  }
}

async function writeAll(
  view: View,
  writer: TarWriter,
  options: StoreOptions,
): Promise<void> {
  await add(writer, view.root);
  for await (const batch of view.walk(view.root, options).batches()) {
    for (const entry of batch) await add(writer, entry);
  }
}

async function add(writer: TarWriter, entry: ViewEntry): Promise<void> {
  if (mark.every((byte, i) => entry.name[i] === byte)) {
    throw new ExportError(
      `Cannot export ${
        displayPath(entry.path)
      } in a layer: a name that begins with ${WHITEOUT} says there what goes`,
    );
  }
  await writer.add(entry);
}

/** Finds the first names of files that have several: a layer may hold any of these. */
async function firstNames(
  view: View,
  options: StoreOptions,
): Promise<FirstNames> {
  const found: FirstNames = new Map();
  for await (const batch of view.walk(view.root, options).batches()) {
    for (const { kind, tree, page, row, path } of batch) {
      if (kind === EntryKind.directory) continue;
      const key = linkKey(tree, page, row);
      if (key === undefined || found.has(key)) continue;
      found.set(key, { name: path.slice(), left: Infinity });
    }
  }
  return found;
}

/** The name of a file that says that a name goes. */
function whiteout(path: Uint8Array): Uint8Array {
  const start = path.lastIndexOf(SLASH) + 1;
  const name = new Uint8Array(path.length + mark.length);
  name.set(path.subarray(0, start));
  name.set(mark, start);
  name.set(path.subarray(start), start + mark.length);
  return name;
}

function isBelow(path: Uint8Array, directory: Uint8Array): boolean {
  return path.length > directory.length && path[directory.length] === SLASH &&
    Buffer.compare(path.subarray(0, directory.length), directory) === 0;
}
