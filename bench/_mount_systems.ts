import type { HasherName } from "@snap/hash";
import { makeStore } from "./_peers.ts";

/** A program that mounts: shell commands over `$TREE`, `$IMAGE` and `$MOUNT`. */
export interface MountSystem {
  /** The name in tables. */
  readonly name: string;
  /** Whether it is ours, reads a codec of ours, or is a peer with a choice of its own. */
  readonly kind: "ours" | "floor" | "image" | "backup" | "original";
  /** What it reads is compressed with. */
  readonly codec: string;
  /** Prints the version, and fails where the program is not there. */
  readonly version: string;
  /** The name of what it mounts; systems with the same one share it. */
  readonly image: string;
  /** Makes `$IMAGE` of `$TREE`. */
  readonly prepare: string;
  /** Mounts it at `$MOUNT` and stays in the foreground, or ends where the kernel does all. */
  readonly mount: string;
  /** Where the tree is below the mount point. */
  readonly below?: string;
  /** Prints what hashes and decodes, as JSON. */
  readonly about?: string;
}

/** Whether figures stand without a system: a peer, which may fail. */
export function isPeer({ kind }: MountSystem): boolean {
  return kind === "image" || kind === "backup";
}

/** What our program reads its store with. */
type OurCodec = "zstd" | "lz4";

function ours(codec: OurCodec, hashing: HasherName): MountSystem {
  const snap = hashing === "native" ? "$SNAP" : "$SNAP_WASM";
  const option = codec === "lz4" ? " --codec lz4" : "";
  const suffix = hashing === "native" ? "" : ", WASM hashing";
  return {
    name: `snap ${codec}${suffix}`,
    kind: hashing === "native" ? "ours" : "floor",
    codec,
    version: `${snap} --version`,
    image: `snap-${codec}`,
    prepare: `$SNAP init --store "$IMAGE"${option} &&
      $SNAP save --store "$IMAGE" --tag first "$TREE"`,
    mount: `exec ${snap} mount --foreground --store "$IMAGE" first "$MOUNT"`,
    about: `${snap} version --json`,
  };
}

function squashfs(
  program: "squashfuse" | "squashfuse_ll" | "kernel squashfs",
  codec: OurCodec,
): MountSystem {
  const isKernel = program === "kernel squashfs";
  return {
    name: `${program} ${codec}`,
    kind: "image",
    codec,
    version: isKernel
      ? "mksquashfs -version && modprobe -n squashfs 2>/dev/null; grep -qw squashfs /proc/filesystems && test -w /dev/loop-control && uname -r"
      : `command -v mksquashfs >/dev/null && command -v ${program} >/dev/null && { squashfuse --help 2>&1; true; } | sed -n 's/^squashfuse \\([0-9.]*\\).*/\\1/p'`,
    image: `squashfs-${codec}`,
    prepare:
      `mksquashfs "$TREE" "$IMAGE" -comp ${codec} -b 128K -noappend -quiet -no-progress`,
    mount: isKernel
      ? `mount -t squashfs -o loop,ro "$IMAGE" "$MOUNT"`
      : `exec ${program} -f "$IMAGE" "$MOUNT"`,
  };
}

/** Our program with both codecs, its floors, all peers, and the tree itself. */
export const SYSTEMS: readonly MountSystem[] = [
  ours("zstd", "native"),
  ours("lz4", "native"),
  ours("zstd", "wasm"),
  ours("lz4", "wasm"),
  squashfs("squashfuse", "zstd"),
  squashfs("squashfuse", "lz4"),
  squashfs("squashfuse_ll", "zstd"),
  squashfs("squashfuse_ll", "lz4"),
  squashfs("kernel squashfs", "zstd"),
  squashfs("kernel squashfs", "lz4"),
  {
    name: "restic",
    kind: "backup",
    codec: "zstd",
    version: "restic version",
    image: "restic",
    prepare: makeStore("restic", "$IMAGE"),
    mount: `exec restic -q -r "$IMAGE" mount --no-lock "$MOUNT"`,
    below: "/snapshots/latest",
  },
  {
    name: "borg",
    kind: "backup",
    codec: "lz4",
    version: "borg --version",
    image: "borg",
    prepare: makeStore("borg", "$IMAGE"),
    mount: `exec borg mount -f "$IMAGE::first" "$MOUNT"`,
  },
  {
    name: "tmpfs, the original",
    kind: "original",
    codec: "none",
    version: "uname -r",
    image: "original",
    prepare: "true",
    mount: `mount --bind "$TREE" "$MOUNT"`,
  },
];
