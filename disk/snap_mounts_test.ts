import assert from "node:assert/strict";
import { diskCalls } from "./best_calls.ts";
import { mountType, SnapMounts } from "./snap_mounts.ts";
import { hooked, isReduced } from "./testdata/temp_dir.ts";

const MOUNTINFO = `25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
40 25 0:37 / /home/ann/mnt rw,nosuid master:2 propagate_from:2 - fuse.snap snap ro,user_id=0
41 25 0:38 / /mnt\\040two rw - fuse.sshfs host: rw
42 25 bad
`;

Deno.test("mountType() finds the type after the optional fields", () => {
  assert.equal(mountType(MOUNTINFO, "0:37"), "fuse.snap");
  assert.equal(mountType(MOUNTINFO, "0:38"), "fuse.sshfs");
  assert.equal(mountType(MOUNTINFO, "254:0"), "ext4");
  assert.equal(mountType(MOUNTINFO, "0:3"), undefined);
  assert.equal(mountType(MOUNTINFO, "bad"), undefined);
});

Deno.test({
  name: "SnapMounts asks once a device, and only FUSE",
  ignore: isReduced,
  fn() {
    const calls = diskCalls();
    let type = 0xef53;
    let asked = 0;
    const info = new TextEncoder().encode(MOUNTINFO);
    let at = 0;
    const mounts = new SnapMounts(hooked(calls, {
      fsType() {
        asked++;
        return type;
      },
      open: () => 7,
      close: () => at = 0,
      read(_fd, out) {
        const part = info.subarray(at, at + Math.min(out.length, 100));
        out.set(part);
        at += part.length;
        return part.length;
      },
    }));
    assert.equal(mounts.holds(3, 254, 0), false);
    assert.equal(mounts.holds(3, 254, 0), false);
    assert.equal(asked, 1);
    type = 0x65735546;
    assert.equal(mounts.holds(3, 0, 37), true);
    assert.equal(mounts.holds(3, 0, 38), false);
  },
});
