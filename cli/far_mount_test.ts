import { match, strictEqual } from "node:assert/strict";
import { MountScene, mountTest } from "../tests/_mount.ts";

const MAIN = new URL("main.ts", import.meta.url).pathname;
const TOKEN = "0123456789abcdef0123456789";

mountTest(
  "mount and exec: a store far away, whose token no process list shows",
  async () => {
    await using scene = new MountScene();
    Deno.writeTextFileSync(`${scene.source}/a`, "alpha\n");
    await scene.init();
    // The lines of bash stand in a process list, too.
    for (
      const [name, text] of [["tokens", `read ${TOKEN}`], ["token", TOKEN]]
    ) {
      Deno.writeTextFileSync(scene.folder.join(name), text, { mode: 0o600 });
    }
    const stdout = await scene.bash(`
      snap() { "${Deno.execPath()}" run -A --no-check "${MAIN}" "$@"; }
      export XDG_CACHE_HOME="$FOLDER/cache" SNAP_CONFIG="$FOLDER/config"
      umask 077
      : >"$SNAP_CONFIG"
      snap save "${scene.source}" --store "${scene.store}" >"$FOLDER/id"
      mkfifo "$FOLDER/url"
      "${Deno.execPath()}" run -A --no-check "${MAIN}" serve "${scene.store}" \\
        --listen 127.0.0.1:0 --tokens "$FOLDER/tokens" >"$FOLDER/url" &
      read -r url <"$FOLDER/url"
      printf '[stores.far]\\nurl = "%s"\\ntoken-file = "%s"\\n' \\
        "$url" "$FOLDER/token" >"$SNAP_CONFIG"
      snap mount latest --any "$MOUNT" --store far >/dev/null
      cat "$MOUNT/a"
      cat /proc/*/cmdline | tr '\\0' ' ' >"$FOLDER/commands" 2>/dev/null || true
      snap umount "$MOUNT"
      SNAP_TOKEN=$(cat "$FOLDER/token") snap exec latest --any --store "$url" -- cat a
      snap exec latest --any --store "$url" -- cat a 2>&1 || echo "refused $?"
      kill %1
      wait %1`);
    match(stdout, /^alpha\nalpha\nsnap: .*token.*\n.*hint: .*\nrefused 1\n$/);
    const commands = Deno.readTextFileSync(scene.folder.join("commands"));
    match(commands, /mount --foreground --report --store=far /);
    strictEqual(commands.includes(TOKEN), false);
  },
);
