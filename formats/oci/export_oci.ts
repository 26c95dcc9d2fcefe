import { createHash } from "node:crypto";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Snapshots } from "@snap/snapshot";
import type { ViewRoot } from "@snap/snapshot/view";
import type { StoreOptions } from "@snap/store";
import {
  type CompressedDigest,
  compressedSink,
  type Compression,
} from "../compress/compressed_sink.ts";
import type { ByteSink } from "../tar/tar_output.ts";
import { type Descriptor, MediaType, REF_NAME } from "./layout.ts";
import { writeLayer, type WrittenLayer } from "./write_layer.ts";

const BLOBS = "blobs/sha256";
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
}

/** A layer that was written. */
export interface ExportedLayer {
  /** Digest of the layer as it is stored. */
  readonly digest: string;
  /** Bytes of it. */
  readonly size: number;
  /** Digest of its plain archive. */
  readonly diffId: string;
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
 * @param folder Where the image layout goes: a folder that is empty.
 * @returns The digests.
 * @throws {DamageError} If something is damaged in every copy.
 * @throws {ExportError} If a name would say something else in a layer.
 */
export async function exportOci(
  snapshots: Snapshots,
  root: ViewRoot,
  folder: string,
  options: ExportOciOptions = {},
): Promise<ExportOciResult> {
  const { base, compression = "gzip", image = "latest" } = options;
  await mkdir(join(folder, BLOBS), { recursive: true });
  const parts = base === undefined
    ? [{ root }]
    : [{ root: base }, { root, base }];
  const layers: ExportedLayer[] = [];
  for (const part of parts) {
    layers.push(
      await writeBlob(
        folder,
        compression,
        (sink) => writeLayer(snapshots, part, sink, options),
      ),
    );
  }
  const { arch } = process;
  const config = await writeDocument(folder, MediaType.config, {
    architecture: options.architecture ?? ARCHITECTURES[arch] ?? arch,
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const suffix = compression === "none" ? "" : `+${compression}`;
  const manifest = await writeDocument(folder, MediaType.manifest, {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config,
    layers: layers.map(({ digest, size }) => ({
      ...{ mediaType: `${MediaType.layer}${suffix}`, digest, size },
    })),
  });
  await writeJson(join(folder, "index.json"), {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [{ ...manifest, annotations: { [REF_NAME]: image } }],
  });
  await writeJson(join(folder, "oci-layout"), { imageLayoutVersion: "1.0.0" });
  return { manifest: manifest.digest, layers };
}

/** Writes a layer, which gets its name when its digest is known. */
async function writeBlob(
  folder: string,
  compression: Compression | "none",
  write: (sink: ByteSink) => Promise<WrittenLayer>,
): Promise<ExportedLayer> {
  const temporary = join(folder, "layer");
  const handle = await open(temporary, "wx");
  let plain: WrittenLayer, stored: CompressedDigest;
  try {
    const file: ByteSink = {
      async write(bytes) {
        for (let at = 0; at < bytes.length;) {
          at += (await handle.write(bytes, at)).bytesWritten;
        }
      },
    };
    const compressed = compression === "none"
      ? undefined
      : compressedSink(compression, file);
    plain = await write(compressed ?? file);
    stored = await compressed?.finish() ?? plain;
    await handle.sync();
  } finally {
    await handle.close();
  }
  const { sha256, byteCount } = stored;
  await rename(temporary, join(folder, BLOBS, sha256));
  return {
    digest: `sha256:${sha256}`,
    size: byteCount,
    diffId: `sha256:${plain.sha256}`,
  };
}

async function writeDocument(
  folder: string,
  mediaType: string,
  value: unknown,
): Promise<Descriptor> {
  const text = JSON.stringify(value);
  const sha256 = createHash("sha256").update(text).digest("hex");
  await writeJson(join(folder, BLOBS, sha256), value);
  return {
    mediaType,
    digest: `sha256:${sha256}`,
    size: new TextEncoder().encode(text).length,
  };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, JSON.stringify(value), { flag: "wx" });
}
