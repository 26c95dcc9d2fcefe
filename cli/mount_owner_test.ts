import { strictEqual } from "node:assert/strict";
import { MountScene, mountTest } from "../tests/_mount.ts";

/** How a snapshot is looked at; each says the owner of the file in it. */
const WAYS: Readonly<Record<string, string>> = {
  mount: `snap mount main "$MOUNT" $HOW >said
    stat -c "%u %g" "$MOUNT/a"; snap umount "$MOUNT"`,
  "mount --all": `snap mount --all "$MOUNT" $HOW >said
    stat -c "%u %g" "$MOUNT"/tags/main/latest/a; snap umount "$MOUNT"`,
  "the root of one in mount --all": `snap mount --all "$MOUNT" $HOW >said
    stat -L -c "%u %g" "$MOUNT"/tags/main/latest; snap umount "$MOUNT"`,
  exec: `snap exec main $HOW -- stat -c "%u %g" a`,
};

for (const [way, script] of Object.entries(WAYS)) {
  mountTest(
    `owners are shown by name, or by number where that is told: ${way}`,
    async () => {
      await using scene = new MountScene();
      const { stdout, stderr } = await scene.run(`
    snap() { "$DENO" run -A ${
        new URL("main.ts", import.meta.url).pathname
      } "$@"; }
    look() { ${script}; }
    export SNAP_STORE="$STORE"; snap init >said
    echo x >"$SOURCE/a"; chown 1234:5678 "$SOURCE" "$SOURCE/a"
    printf 'root:x:0:0::/:/bin/sh\\nann:x:%s:0::/:/bin/sh\\n' 1234 >users
    printf 'root:x:0:\\nbees:x:%s:\\n' 5678 >groups
    unshare -m bash -euc '
      mount --bind users /etc/passwd; mount --bind groups /etc/group
      '"$(declare -f snap look)"'
      snap save "$SOURCE" -t main >said
      moved=$(sed s/1234/4321/ users); echo "$moved" >users
      moved=$(sed s/5678/8765/ groups); echo "$moved" >groups
      for HOW in "" --numeric-owner; do look; done
      sed -i s/ann/ben/ users; cat users >/etc/passwd
      HOW= look'`);
      strictEqual(stderr, "");
      strictEqual(stdout, "4321 8765\n1234 5678\n1234 8765\n");
    },
  );
}
