// Lists and shows the files of the newest snapshot of a store, straight from a web
// server that knows nothing of stores: index.html?store=URL#PATH
import { ZSTDDecoder } from "zstddec";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { isFileKind } from "@snap/manifest/extras";
import type { FrameDecoders } from "@snap/pack/codecs";
import { openSnapshots } from "@snap/snapshot";
import { View } from "@snap/snapshot/view";
import { openHttpStore } from "@snap/store/http";

/** Browsers have no Zstandard: other codecs need nothing. */
async function zstdDecoders(): Promise<FrameDecoders> {
  const zstd = new ZSTDDecoder();
  await zstd.init();
  const decode = (stored: Uint8Array, out: Uint8Array): number => {
    const plain = zstd.decode(stored, out.length);
    if (plain.length === out.length) out.set(plain);
    return plain.length; // Any other number means that it is damaged.
  };
  return { zstd: { decode } };
}

async function openNewest(url: string): Promise<View> {
  const store = await openHttpStore(url);
  const decoders = await zstdDecoders();
  const snapshots = await openSnapshots(store, {
    hasher: wasmHasher,
    decoders,
  });
  const [newest] = await snapshots.records();
  if (newest === undefined) throw new Error("The store has no snapshot");
  return await View.open(snapshots, newest);
}

const at = (id: string): HTMLElement => document.getElementById(id)!;
const show = (id: string, text: string): void => {
  at(id).textContent = text;
};

async function listFiles(view: View): Promise<void> {
  for await (const entry of view.walk()) {
    if (!isFileKind(entry.kind)) continue;
    const path = new TextDecoder().decode(entry.path);
    const link = document.createElement("a");
    link.href = `#${encodeURIComponent(path)}`;
    link.textContent = `${path} (${entry.size})`;
    const item = document.createElement("li");
    item.append(link);
    at("files").append(item);
  }
}

async function showFile(view: View): Promise<void> {
  const path = decodeURIComponent(location.hash.slice(1));
  const entry = await view.lookup(new TextEncoder().encode(path));
  if (entry === undefined || !isFileKind(entry.kind)) return;
  const bytes = await view.read(entry, { length: 100_000 });
  show("content", new TextDecoder().decode(bytes));
}

try {
  const store = new URLSearchParams(location.search).get("store") ?? ".";
  const view = await openNewest(new URL(store, location.href).href);
  show("title", view.root.id);
  await listFiles(view);
  await showFile(view);
  const onHash = (): void =>
    void showFile(view).catch((error) => show("problem", String(error)));
  addEventListener("hashchange", onHash);
} catch (error) {
  show("problem", String(error));
}
document.body.dataset.state = "ready";
