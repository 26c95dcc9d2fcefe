import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { EACCES, EPERM } from "../errors.ts";
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_RDONLY } from "../flags.ts";
import { type Check, fails, utf8, works, z } from "./suite.ts";

const TMPFS = 0x01021994;

export const mountChecks: Check[] = [
  {
    name: "fsTypeOf",
    run(posix, dir, root) {
      assert.equal(posix.fsTypeOf(z(root)), posix.fsType(dir));
      fails(posix.fsTypeOf(z(path.join(root, "absent"))), "ENOENT");
      fails(posix.fsTypeOf(utf8(root)), "EINVAL");
    },
  },
  {
    name: "mount and umount2",
    run(posix, _dir, root) {
      const target = z(root);
      const mount = (flags: number) =>
        posix.mount(z("none"), target, z("tmpfs"), flags, z("size=4096"));
      const made = mount(MS_RDONLY | MS_NOSUID | MS_NODEV);
      if (made === -EPERM || made === -EACCES) return "mounting is for root";
      works(made);
      assert.equal(posix.fsTypeOf(target), TMPFS);
      assert.throws(() => fs.writeFileSync(path.join(root, "a"), ""), /EROFS/);
      works(posix.umount2(target, 0));
      assert.notEqual(fs.statSync(root).mode, 0);
      fails(posix.umount2(target, 0), "EINVAL");
      works(mount(0));
      const held = works(posix.open(target, 0, 0));
      fails(posix.umount2(target, 0), "EBUSY");
      works(posix.umount2(target, MNT_DETACH));
      posix.close(held);
      fails(posix.mount(utf8("x"), target, z("tmpfs"), 0, z("")), "EINVAL");
      fails(posix.umount2(utf8(root), 0), "EINVAL");
      const unknown = z("no such type");
      fails(posix.mount(z("x"), target, unknown, 0, z("")), "ENODEV");
    },
  },
  {
    name: "socketPair, and receiveFd of what is no descriptor",
    run(posix) {
      const pair = new Int32Array(2);
      fails(posix.socketPair(new Int32Array(1)), "EINVAL");
      works(posix.socketPair(pair));
      const [ours, theirs] = pair;
      fails(posix.receiveFd(ours), "EAGAIN");
      assert.equal(posix.write(theirs, utf8("x")), 1);
      fails(posix.receiveFd(ours), "ENODATA");
      posix.close(theirs);
      fails(posix.receiveFd(ours), "ENODATA");
      posix.close(ours);
      fails(posix.receiveFd(ours), "EBADF");
    },
  },
];
