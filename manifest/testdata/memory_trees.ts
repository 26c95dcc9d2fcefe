import { AttributePage } from "../page/attribute_page.ts";
import type { DiffSide, DiffSource } from "../diff_cursor.ts";
import { EntryKind } from "../entry_kind.ts";
import { encodeExtras, type Extras } from "../extras/extras.ts";
import { Tree } from "../tree/tree.ts";
import { EMPTY_ID, utf8 } from "./golden.ts";
import {
  AttributePageBuilder,
  TreeBuilder,
} from "../../tests/_manifest_builders.ts";

/**
 * A directory as an object: text is a file (`x:` in front an executable, `l:` a link,
 * `p:` a fifo, `c:1:3` a device), an object a directory. `name@600` gives a mode,
 * `name+` a directory an extended attribute, `name#7` an inode with more names than this.
 */
export interface Plan {
  readonly [name: string]: string | Plan;
}

const LETTERS: Record<string, EntryKind> = {
  x: EntryKind.executable,
  l: EntryKind.symlink,
  p: EntryKind.fifo,
  c: EntryKind.characterDevice,
};

const EXTRAS: Extras = {
  xattrs: [{ name: utf8("user.a"), size: 1, value: utf8("1") }],
};

/** Ids for tests: the text's bytes summed in some way, equal for equal bytes. */
function fakeId(bytes: Uint8Array): Uint8Array {
  const id = new Uint8Array(32);
  let sum = 0x811c9dc5;
  for (let at = 0; at < bytes.length + 32; at++) {
    sum = Math.imul(sum ^ bytes[at % Math.max(bytes.length, 1)], 0x01000193) >>>
      0;
    id[at % 32] = (id[at % 32] + (sum >>> 24)) & 0xff;
  }
  return id;
}

/** Trees and pages in memory, counted when they are read. */
export class MemoryTrees implements DiffSource {
  /** How many trees were read. */
  treeReads = 0;
  /** How many pages were read. */
  pageReads = 0;
  readonly #objects: Map<string, Uint8Array> = new Map();

  /** Keeps all trees and pages of a plan, and returns its root. */
  put(
    plan: Plan,
    mtimeSec = 0,
    extras?: Extras,
  ): DiffSide & { pageId: Uint8Array } {
    const builder = new TreeBuilder();
    const page = new AttributePageBuilder();
    const owner = page.internOwner(1000, 100, utf8("ann"), utf8(""));
    const addRow = (mode: number): number => {
      const row = page.addRow();
      page.setOwner(row, owner);
      page.setMode(row, mode);
      page.setTimes(row, mtimeSec, 5, 0, 0);
      return row;
    };
    addRow(0o755);
    if (extras !== undefined) page.setExtras(0, encodeExtras(extras));
    for (const key of Object.keys(plan).sort()) {
      const [unlinked, inode] = key.split("#");
      const [marked, mode = "644"] = unlinked.split("@");
      const name = marked.replace(/\+$/, "");
      const extras = marked === name ? undefined : EXTRAS;
      const pageId = this.#addEntry(builder, utf8(name), plan[key], extras);
      if (pageId !== undefined) page.addPageId(pageId);
      const row = addRow(parseInt(mode, 8));
      if (inode !== undefined) page.setInode(row, Number(inode), 0, 2, 1);
    }
    const treeId = this.#keep(builder.build());
    page.setTreeId(treeId);
    return { source: this, treeId, pageId: this.#keep(page.build()) };
  }

  #addEntry(
    builder: TreeBuilder,
    name: Uint8Array,
    plan: string | Plan,
    extras?: Extras,
  ): Uint8Array | undefined {
    if (typeof plan === "object") {
      const { treeId, pageId } = this.put(plan, 0, extras);
      builder.setTree(
        builder.add(name, 0, name.length, EntryKind.directory),
        treeId,
      );
      return pageId;
    }
    const [, letter = "", text = plan] = /^([xlpc]):(.*)$/s.exec(plan) ?? [];
    const kind = LETTERS[letter] ?? EntryKind.file;
    const row = builder.add(name, 0, name.length, kind);
    const content = utf8(text);
    if (kind === EntryKind.symlink) builder.setTarget(row, content);
    else if (kind === EntryKind.characterDevice) {
      const [major, minor] = text.split(":").map(Number);
      builder.setDevice(row, major, minor);
    } else if (kind !== EntryKind.fifo) {
      builder.setContent(
        row,
        content.length,
        content.length === 0 ? EMPTY_ID : fakeId(content),
      );
    }
    return undefined;
  }

  #keep(bytes: Uint8Array): Uint8Array {
    const id = fakeId(bytes);
    this.#objects.set(id.join(), bytes);
    return id;
  }

  /** Reads a tree. */
  tree(id: Uint8Array): Promise<Tree> {
    this.treeReads++;
    return Promise.resolve(Tree.decode(this.#objects.get(id.join())!));
  }

  /** Reads a page. */
  page(id: Uint8Array): Promise<AttributePage> {
    this.pageReads++;
    return Promise.resolve(AttributePage.decode(this.#objects.get(id.join())!));
  }
}
