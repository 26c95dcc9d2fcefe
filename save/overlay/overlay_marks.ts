import type { AttributePage, Tree } from "@snap/manifest";
import {
  EntryKind,
  type ExtendedAttribute,
  type Extras,
  isFileKind,
} from "@snap/manifest/extras";

/** Namespaces of the attributes of an overlay: of root, and with `userxattr`. */
const PREFIXES = ["trusted.overlay.", "user.overlay."] as const;
/** An attribute of an overlay inside an overlay stands with this once more. */
const ESCAPED = "overlay.";
/** With these a name of the upper directory stands for content of the lower one. */
const POINTERS = ["metacopy", "redirect"] as const;

/** What the attributes of an entry of an upper directory say about the overlay. */
export interface OverlayMarks {
  /** Whether a directory hides the lower one of its name. */
  readonly isOpaque: boolean;
  /** Whether files in this directory may be whiteouts by their attribute. */
  readonly hasMarkedWhiteouts: boolean;
  /** Whether a file is a whiteout, in a directory that may hold such. */
  readonly isMarkedWhiteout: boolean;
  /** The attribute by which it stands for something of the lower directory, if any. */
  readonly pointer: string | undefined;
  /** The extras without the attributes of the overlay. */
  readonly extras: Extras | undefined;
}

const NO_MARKS: OverlayMarks = {
  isOpaque: false,
  hasMarkedWhiteouts: false,
  isMarkedWhiteout: false,
  pointer: undefined,
  extras: undefined,
};

/**
 * Reads what the attributes of a row say about the overlay.
 *
 * @param page The attribute page of a directory of the upper directory.
 * @param row The row in the page: 0 is the directory itself.
 */
export function overlayMarks(page: AttributePage, row: number): OverlayMarks {
  const extras = page.extraRows === 0 ? undefined : page.extras(row);
  if (extras === undefined) return NO_MARKS;
  const marks = new Map<string, string>();
  const xattrs: ExtendedAttribute[] = [];
  for (const xattr of extras.xattrs) {
    const name = String.fromCharCode(...xattr.name);
    const prefix = PREFIXES.find((one) => name.startsWith(one));
    const rest = prefix === undefined ? "" : name.slice(prefix.length);
    if (prefix === undefined) xattrs.push(xattr);
    else if (rest.startsWith(ESCAPED)) xattrs.push(unescaped(xattr, prefix));
    else marks.set(rest, String.fromCharCode(...xattr.value ?? []));
  }
  const opaque = marks.get("opaque");
  return {
    isOpaque: opaque === "y",
    hasMarkedWhiteouts: opaque === "x",
    isMarkedWhiteout: marks.has("whiteout"),
    pointer: POINTERS.find((one) => marks.has(one)),
    extras: { ...extras, xattrs },
  };
}

/**
 * Tells whether an entry stands for one that was removed.
 *
 * @param tree The tree of a directory of the upper directory.
 * @param row The row in the tree.
 * @param own The marks of the directory.
 * @param marks The marks of the entry.
 */
export function isWhiteout(
  tree: Tree,
  row: number,
  own: OverlayMarks,
  marks: OverlayMarks,
): boolean {
  const kind = tree.kind(row);
  if (kind === EntryKind.characterDevice) {
    return tree.deviceMajor(row) === 0 && tree.deviceMinor(row) === 0;
  }
  return own.hasMarkedWhiteouts && marks.isMarkedWhiteout &&
    isFileKind(kind) && tree.size(row) === 0;
}

/** The attribute as it is seen in the overlay. */
function unescaped(
  xattr: ExtendedAttribute,
  prefix: string,
): ExtendedAttribute {
  const { name } = xattr;
  const rest = name.subarray(prefix.length + ESCAPED.length);
  const seen = new Uint8Array(prefix.length + rest.length);
  seen.set(name.subarray(0, prefix.length));
  seen.set(rest, prefix.length);
  return { ...xattr, name: seen };
}
