// Image layouts made by hand, for tests. Not part of the package.
import { createHash } from "node:crypto";
import { inPieces, joined, latinBytes } from "../tar/_testing.ts";
import { type Descriptor, type LayoutFiles, MediaType } from "./layout.ts";

/** An image layout in memory, with how often each file was read. */
export class TestLayout implements LayoutFiles {
  readonly files: Map<string, Uint8Array> = new Map();
  readonly reads: Map<string, number> = new Map();

  /** Adds a blob. */
  blob(bytes: Uint8Array | string, mediaType: string = "x"): Descriptor {
    const content = typeof bytes === "string" ? latinBytes(bytes) : bytes;
    const hex = sha256(content);
    this.files.set(`blobs/sha256/${hex}`, content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  }

  read(name: string): AsyncIterable<Uint8Array> {
    this.reads.set(name, (this.reads.get(name) ?? 0) + 1);
    return inPieces(this.files.get(name) ?? latinBytes("{}"), 1000);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** The SHA-256 of bytes, 64 hex digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** How a layout is made otherwise than it should be. */
export interface LayoutChanges {
  /** Compresses the plain layers. */
  readonly compress?: (plain: Uint8Array, layer: number) => Uint8Array;
  /** Changes the descriptors of layers. */
  readonly layers?: (layers: Descriptor[]) => unknown;
  /** Changes the digests of plain layers. */
  readonly diffIds?: (ids: string[]) => unknown;
  /** Changes the descriptors of the index. */
  readonly manifests?: (manifests: Descriptor[]) => unknown;
}

/** Makes an image of plain layers. */
export function imageOf(
  layers: readonly (readonly Uint8Array[])[],
  changes: LayoutChanges = {},
): TestLayout {
  const layout = new TestLayout();
  const plain = layers.map((parts) => joined(...parts));
  const ids = plain.map((one) => `sha256:${sha256(one)}`);
  const config = layout.blob(JSON.stringify({
    rootfs: { type: "layers", diff_ids: changes.diffIds?.(ids) ?? ids },
  }));
  const stored = plain.map((one, i) =>
    layout.blob(changes.compress?.(one, i) ?? one)
  );
  const manifest = layout.blob(
    JSON.stringify({ config, layers: changes.layers?.(stored) ?? stored }),
    MediaType.manifest,
  );
  const manifests = changes.manifests?.([manifest]) ?? [manifest];
  layout.files.set("index.json", latinBytes(JSON.stringify({ manifests })));
  return layout;
}
