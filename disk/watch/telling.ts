/**
 * File systems, as statfs(2) gives them, on which nobody but this kernel changes anything, and
 * which tell of each change.
 */
const TELLING: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xca451a4e, // bcachefs
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlay
  0x4d44, // vfat
  0x2011bab0, // exfat
  0x7366746e, // ntfs3
  0x73717368, // squashfs
  0xe0f5e1e2, // erofs
  0x9660, // iso9660
]);

/**
 * Whether the kernel tells of every change on a file system: not where other machines or programs
 * change it.
 *
 * @param type What statfs(2) says.
 */
export function tellsChanges(type: number): boolean {
  return TELLING.has(type);
}
