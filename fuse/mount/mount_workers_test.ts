import { deepStrictEqual, throws } from "node:assert/strict";
import { errnos } from "@snap/posix/constants";
import type { Posix } from "@snap/posix";
import { MountControl } from "./mount_control.ts";
import { MountWorkers } from "./mount_workers.ts";

Deno.test("MountWorkers starts no worker that nobody could wake", () => {
  const closed: number[] = [];
  const descriptors = [100, 101, -errnos.EMFILE];
  const posix = {
    eventfd: () => descriptors.shift()!,
    close: (descriptor: number) => closed.push(descriptor),
  } as unknown as Posix;
  throws(
    () => {
      const control = MountControl.create();
      new MountWorkers(3, { posix, control, hasher: "wasm" });
    },
    { name: "MountError", message: "Cannot mount: too many files are open" },
  );
  deepStrictEqual(closed, [100, 101]);
});
