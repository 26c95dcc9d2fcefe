/** A store of snapdir in memory, for the tests of this folder. */
import { type Id, idFromBytes } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { MemoryStore } from "@snap/store/memory";
import { SumDraft } from "./directory_sums.ts";
import { openFarFiles } from "./far_files.ts";
import {
  fileName,
  MANIFESTS,
  OBJECTS,
  type SnapdirFiles,
} from "./snapdir_files.ts";

/** A directory: contents of files, and directories. */
export type Contents = { readonly [name: string]: string | Contents };

const encoder = new TextEncoder();

/** Bytes of a text with a character for each, where it has one that UTF-8 cannot have. */
export function bytesOf(text: string): Uint8Array {
  return text.includes("\xff")
    ? Uint8Array.from(text, (one) => one.charCodeAt(0))
    : encoder.encode(text);
}

/** A store of snapdir in memory, filled by hand. */
export class MemoryPool {
  readonly objects: MemoryStore = new MemoryStore();
  readonly manifests: MemoryStore = new MemoryStore();
  readonly files: SnapdirFiles = openFarFiles({
    ...{ location: "memory", objects: this.objects, manifests: this.manifests },
  });

  /** Writes a directory as snapdir does, and gives the lines of its manifest. */
  async add(contents: Contents): Promise<string[]> {
    const lines: string[] = [];
    await this.#add(contents, "./", lines);
    return lines.sort((a, b) => pathOf(a) < pathOf(b) ? -1 : 1);
  }

  /** Writes a manifest, whatever it says. */
  async addManifest(text: string, id?: Id): Promise<Id> {
    const bytes = bytesOf(text);
    const counted = text.split("\n").filter((line) => !/^(#|$)/.test(line));
    id ??= wasmHasher.idOf(bytesOf(counted.map((one) => `${one}\n`).join("")));
    await this.#write(MANIFESTS, id, bytes);
    return id;
  }

  /** Writes an object under any name. */
  async addObject(content: Uint8Array, id?: Id): Promise<Id> {
    id ??= wasmHasher.idOf(content);
    await this.#write(OBJECTS, id, content);
    return id;
  }

  async #add(
    contents: Contents,
    path: string,
    lines: string[],
  ): Promise<{ checksum: Id; size: number }> {
    const draft = new SumDraft();
    for (const [name, entry] of Object.entries(contents)) {
      if (typeof entry !== "string") {
        draft.add(await this.#add(entry, `${path}${name}/`, lines));
        continue;
      }
      const content = encoder.encode(entry);
      const checksum = await this.addObject(content);
      lines.push(`F 644 ${checksum} ${content.length} ${path}${name}`);
      draft.add({ checksum, size: content.length });
    }
    const sum = draft.finish(wasmHasher);
    lines.push(`D 755 ${sum.checksum} ${sum.size} ${path}`);
    return sum;
  }

  async #write(folder: string, id: Id, bytes: Uint8Array): Promise<void> {
    const pieces = async function* () {
      yield await Promise.resolve(bytes);
    };
    await this.files.write(fileName(folder, id), {
      size: bytes.length,
      pieces,
    });
  }
}

function pathOf(line: string): string {
  return line.split(" ").slice(4).join(" ");
}

/** An id that nothing has. */
export const NO_ID: Id = idFromBytes(new Uint8Array(32).fill(1));
