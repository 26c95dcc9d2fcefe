import { strictEqual } from "node:assert/strict";
import { MountScene, mountTest } from "../tests/_mount.ts";

mountTest(
  "restore takes owners by name, or by number where it is told to",
  async () => {
    await using scene = new MountScene();
    const { stdout, stderr } = await scene.run(`
    snap() { "$DENO" run -A ${
      new URL("main.ts", import.meta.url).pathname
    } "$@"; }
    export SNAP_STORE="$STORE"; snap init > "$FOLDER/said"
    echo x > "$SOURCE/a"; chown 1234:1234 "$SOURCE/a"
    printf 'root:x:0:0::/:/bin/sh\\nann:x:%s:%s::/:/bin/sh\\n' 1234 1234 > there
    printf 'root:x:0:\\nann:x:%s:\\n' 1234 > groups
    unshare -m bash -euc '
      mount --bind there /etc/passwd; mount --bind groups /etc/group
      '"$(declare -f snap)"'
      snap save "$SOURCE" -t main > "$FOLDER/said"
      for file in there groups; do
        moved=$(sed s/1234/4321/g "$file"); echo "$moved" > "$file"
      done
      for how in --owner --numeric-owner; do
        snap restore main "$FOLDER/out$how" "$how"
        stat -c "%u %g" "$FOLDER/out$how/a"
      done
      snap restore main:a - --numeric-owner'`);
    strictEqual(stderr, "");
    strictEqual(stdout, "4321 4321\n1234 1234\nx\n");
  },
);
