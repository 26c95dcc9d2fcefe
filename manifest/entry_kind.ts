/** Numbers of the kinds of entries, as they stand in a tree. */
export const EntryKind = {
  /** A file. */
  file: 1,
  /** A file that its owner may execute. */
  executable: 2,
  /** A directory. */
  directory: 3,
  /** A symbolic link. */
  symlink: 4,
  /** A named pipe. */
  fifo: 5,
  /** A character device. */
  characterDevice: 6,
  /** A block device. */
  blockDevice: 7,
} as const;

/** The number of a kind of entry. */
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** The name of a kind of entry. */
export type EntryKindName = keyof typeof EntryKind;

/** Names of the kinds, each at the place of its number. */
const NAMES = Object.keys(EntryKind) as EntryKindName[];

/** Names a kind of entry, as JSON does. */
export function entryKindName(kind: EntryKind): EntryKindName {
  return NAMES[kind - 1];
}

/**
 * Says whether entries of a kind have content.
 *
 * @returns Whether it is `file` or `executable`.
 */
export function isFileKind(kind: number): boolean {
  return kind === EntryKind.file || kind === EntryKind.executable;
}

/**
 * Says whether entries of a kind have a device number.
 *
 * @returns Whether it is `characterDevice` or `blockDevice`.
 */
export function isDeviceKind(kind: number): boolean {
  return kind === EntryKind.characterDevice || kind === EntryKind.blockDevice;
}
