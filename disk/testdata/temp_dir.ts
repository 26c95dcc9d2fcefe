// Folders for tests, and both back ends.
import { mkdtempSync, rmSync } from "node:fs";
import { diskCalls } from "../best_calls.ts";
import type { DiskCalls } from "../disk_calls.ts";
import { nodeCalls } from "../node_calls.ts";
import { DiskError } from "../disk_error.ts";
import type { Source } from "../source/source.ts";
import type { SourceDirectory } from "../source/source_directory.ts";

/** A new folder, removed at the end of its scope. */
export function tempDir(
  place = "/tmp",
): { readonly path: string } & Disposable {
  const path = mkdtempSync(`${place}/disk-`);
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

const native = diskCalls();

/** Both back ends by name; one where native calls are absent. */
export const BACK_ENDS: ReadonlyMap<string, DiskCalls> = new Map([
  ...(native.reduced ? [] : [["native", native] as const]),
  ["node", nodeCalls()] as const,
]);

/** Whether native calls are absent, for tests that need them. */
export const isReduced: boolean = native.reduced === true;

/** Calls of which some are replaced. */
export function hooked(calls: DiskCalls, hooks: Partial<DiskCalls>): DiskCalls {
  return new Proxy(calls, {
    get(target, key) {
      const hook = hooks[key as keyof DiskCalls];
      if (hook !== undefined) return hook;
      const value = target[key as keyof DiskCalls];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes as text. */
export function text(of: Uint8Array): string {
  return decoder.decode(of);
}

/** Paths of everything in a source, in the order of the walk; directories end in a slash. */
export function pathsOf(source: Source): string[] {
  const paths: string[] = [];
  const visit = (directory: SourceDirectory): void => {
    for (let i = 0; i < directory.count; i++) {
      const isDirectory = directory.isDirectory(i);
      paths.push(text(directory.pathOf(i)) + (isDirectory ? "/" : ""));
      if (!isDirectory) continue;
      const child = directory.child(i);
      if (!(child instanceof DiskError)) visit(child);
    }
    directory.close();
  };
  visit(source.root());
  return paths;
}

/** Puts no object anywhere: its id is its size and zeros. */
export function putNothing(value: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, value.length, true);
  return id;
}
