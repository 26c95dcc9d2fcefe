import { makeStore, peer, withStore } from "./_peers.ts";

/** A program that copies a store: shell commands over `$TREE`, `$FROM`, `$TO` and `$TARGET`. */
export interface Copier {
  /** The name in tables. */
  readonly name: string;
  /** Prints the version, and fails where the program is not installed. */
  readonly version: string;
  /** What `$FROM` is a store of; copiers that share it share `$FROM`. */
  readonly kind: "snap" | "restic" | "backpak";
  /** Makes an empty `$TO`; not measured. */
  readonly init?: string;
  /** Copies `$FROM` to `$TO`. */
  readonly copy: string;
  /** Restores what has arrived into the new folder `$TARGET`. */
  readonly restore: string;
  /** Whether `$URL` is that of a server: of `$TO` if it is copied there, or of `$FROM`. */
  readonly server?: "to" | "from";
}

/** Makes `$FROM` of `$TREE`, by the kind of the store. */
export const MAKE_STORE: Readonly<Record<Copier["kind"], string>> = {
  snap: `$SNAP init --store "$FROM" && $SNAP save --store "$FROM" "$TREE"`,
  restic: makeStore("restic", "$FROM"),
  backpak: makeStore("backpak", "$FROM"),
};

const BACKPAK = withStore(peer("backpak"), "$TO");
const SNAP_VERSION = "$SNAP --version";
const RCLONE_VERSION = "rclone version | sed -n 1p";

function restoreOf(store: string): string {
  return `$SNAP restore --store "${store}" $ID "$TARGET"`;
}

/** What copies from folder to folder. */
export const FOLDER_COPIERS: readonly Copier[] = [{
  name: "snap",
  version: SNAP_VERSION,
  kind: "snap",
  init: `$SNAP init --store "$TO"`,
  copy: `$SNAP push --json --store "$FROM" "$TO"`,
  restore: restoreOf("$TO"),
}, {
  name: "restic copy",
  version: "restic version",
  kind: "restic",
  init: `restic -q -r "$TO" init --from-repo "$FROM" --copy-chunker-params`,
  copy: `restic -q -r "$TO" copy --from-repo "$FROM"`,
  restore: withStore(peer("restic"), "$TO").restore!,
}, {
  name: "backpak copy",
  version: BACKPAK.version,
  kind: "backpak",
  init: BACKPAK.init!,
  copy: `backpak --config /dev/null -r "$FROM" copy --quiet --to "$TO" --all`,
  restore: BACKPAK.restore!,
}, {
  name: "rclone copy, the same files",
  version: RCLONE_VERSION,
  kind: "snap",
  copy: `rclone copy "$FROM" "$TO"`,
  restore: restoreOf("$TO"),
}];

/** What copies through a server of ours on this machine. */
export const SERVER_COPIERS: readonly Copier[] = [{
  name: "snap push",
  version: SNAP_VERSION,
  kind: "snap",
  server: "to",
  init: `$SNAP init --store "$TO"`,
  copy: `$SNAP push --json --store "$FROM" "$URL"`,
  restore: restoreOf("$TO"),
}, {
  name: "snap pull",
  version: SNAP_VERSION,
  kind: "snap",
  server: "from",
  init: `$SNAP init --store "$TO"`,
  copy: `$SNAP pull --json --store "$TO" "$URL"`,
  restore: restoreOf("$TO"),
}];

/** What copies into a bucket, at `$PREFIX`. */
export const BUCKET_COPIERS: readonly Copier[] = [{
  name: "snap",
  version: SNAP_VERSION,
  kind: "snap",
  init: `$SNAP init --store "s3://$BUCKET/$PREFIX"`,
  copy: `$SNAP push --json --store "$FROM" "s3://$BUCKET/$PREFIX"`,
  restore: restoreOf("s3://$BUCKET/$PREFIX"),
}, {
  name: "rclone copy, the same files",
  version: RCLONE_VERSION,
  kind: "snap",
  copy: `rclone copy "$FROM" ":s3:$BUCKET/$PREFIX" --transfers 8`,
  restore: restoreOf("s3://$BUCKET/$PREFIX"),
}];
