import type { ByteSink } from "../byte_sink.ts";

/** A layer that was written. */
export interface ExportedLayer {
  /** Digest of the layer as it is stored. */
  readonly digest: string;
  /** Bytes of it. */
  readonly size: number;
  /** Digest of its plain archive. */
  readonly diffId: string;
}

/** Makes a layer, with the same bytes each time. */
export type MakeLayer = (sink: ByteSink) => Promise<ExportedLayer>;

/** Where an image layout is written. */
export interface LayoutTarget {
  /**
   * Stores a layer, whose name is its digest.
   *
   * @param make Makes it; may be called twice, as the digest is known at its end.
   */
  layer(make: MakeLayer): Promise<ExportedLayer>;
  /**
   * Stores a document.
   *
   * @param name Its path in the layout. The index is the last.
   */
  document(name: string, bytes: Uint8Array): Promise<void>;
}

/** The folder of blobs in a layout. */
export const BLOBS = "blobs/sha256";

/** Makes a layer for what is known of it alone. */
export async function layerDigest(make: MakeLayer): Promise<ExportedLayer> {
  return await make({ write: () => Promise.resolve() });
}
