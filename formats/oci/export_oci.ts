import { createHash } from "node:crypto";
import process from "node:process";
import type { Snapshots } from "@snap/snapshot";
import type { ViewRoot } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import {
  type CompressedSink,
  compressedSink,
  type Compression,
} from "../compress/compressed_sink.ts";
import type { ByteSink } from "../byte_sink.ts";
import { folderLayout } from "./folder_layout.ts";
import { blobName, type Descriptor, MediaType, REF_NAME } from "./layout.ts";
import type { ExportedLayer, LayoutTarget } from "./layout_target.ts";
import { writeLayer, type WrittenLayer } from "./write_layer.ts";

/** What other programs call the machines that a runtime names. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
};

/** Options of {@linkcode exportOci}. */
export interface ExportOciOptions extends StoreOptions {
  /** A snapshot that becomes the layer below: the other layer is what differs. */
  readonly base?: ViewRoot | undefined;
  /**
   * How layers are compressed.
   *
   * @default {"gzip"}
   */
  readonly compression?: Compression | "none";
  /**
   * The name of the image in the layout.
   *
   * @default {"latest"}
   */
  readonly image?: string;
  /** The architecture that the image says it is for; this machine's if left out. */
  readonly architecture?: string;
  /**
   * Workers that read contents, and as many that compress.
   *
   * @default {0}
   */
  readonly workers?: number;
}

/** Result of {@linkcode exportOci}. */
export interface ExportOciResult {
  /** Digest of the manifest of the image. */
  readonly manifest: string;
  /** Its layers, the lowest first. */
  readonly layers: readonly ExportedLayer[];
}

/**
 * Writes a snapshot as an image of one layer, or of two where another snapshot is
 * below. The same snapshots give the same plain layers.
 *
 * @param snapshots The store that has them.
 * @param root The snapshot, or a directory of one.
 * @param layout Where the image layout goes: a folder that is empty, or a target.
 * @returns The digests.
 * @throws {DamageError} If something is damaged in every copy.
 * @throws {ExportError} If a name would say something else in a layer.
 */
export async function exportOci(
  snapshots: Snapshots,
  root: ViewRoot,
  layout: string | LayoutTarget,
  options: ExportOciOptions = {},
): Promise<ExportOciResult> {
  const { base, compression = "gzip", image = "latest" } = options;
  const target = typeof layout === "string" ? folderLayout(layout) : layout;
  const parts = base === undefined
    ? [{ root }]
    : [{ root: base }, { root, base }];
  const layers: ExportedLayer[] = [];
  for (const part of parts) {
    const write = (sink: ByteSink) =>
      writeLayer(snapshots, part, sink, options);
    layers.push(
      await target.layer((sink) =>
        compression === "none"
          ? plainLayer(sink, write)
          : compressedLayer(compressedSink(compression, sink, options), write)
      ),
    );
  }
  const { arch } = process;
  const config = await writeDocument(target, MediaType.config, {
    architecture: options.architecture ?? ARCHITECTURES[arch] ?? arch,
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const suffix = compression === "none" ? "" : `+${compression}`;
  const manifest = await writeDocument(target, MediaType.manifest, {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config,
    layers: layers.map(({ digest, size }) => ({
      ...{ mediaType: `${MediaType.layer}${suffix}`, digest, size },
    })),
  });
  const version = { imageLayoutVersion: "1.0.0" };
  await target.document("oci-layout", jsonBytes(version));
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [{ ...manifest, annotations: { [REF_NAME]: image } }],
  };
  await target.document("index.json", jsonBytes(index));
  return { manifest: manifest.digest, layers };
}

type WriteLayer = (sink: ByteSink) => Promise<WrittenLayer>;

/** Writes a layer as it is, and tells its digest. */
async function plainLayer(
  sink: ByteSink,
  write: WriteLayer,
): Promise<ExportedLayer> {
  const plain = await write(sink);
  return layerOf(plain, plain);
}

/** Writes a layer, compressed, and tells both its digests. */
async function compressedLayer(
  sink: CompressedSink,
  write: WriteLayer,
): Promise<ExportedLayer> {
  try {
    const plain = await write(sink);
    return layerOf(plain, await sink.finish());
  } finally {
    await sink[Symbol.asyncDispose]();
  }
}

function layerOf(plain: WrittenLayer, stored: WrittenLayer): ExportedLayer {
  return {
    digest: `sha256:${stored.sha256}`,
    size: stored.byteCount,
    diffId: `sha256:${plain.sha256}`,
  };
}

async function writeDocument(
  target: LayoutTarget,
  mediaType: string,
  value: unknown,
): Promise<Descriptor> {
  const bytes = jsonBytes(value);
  const hex = createHash("sha256").update(bytes).digest("hex");
  const digest = `sha256:${hex}`;
  await target.document(blobName({ digest }), bytes);
  return { mediaType, digest, size: bytes.length };
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
