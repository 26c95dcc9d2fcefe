import { mkdirSync, rmSync } from "node:fs";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { testStore } from "../testing/test_store.ts";
import { openSftpStore } from "./mod.ts";

const RCLONE = ["rclone", "--config=", "serve", "sftp", "--stdio"];
const SERVER = "/usr/lib/openssh/sftp-server";

testStore("SftpStore on OpenSSH", async () => {
  const folder = makeFastFolder();
  const store = await openSftpStore(`sftp://${folder}/store`, {
    command: [SERVER],
    spoolFolder: folder,
  });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
});

testStore("SftpStore on rclone", async () => {
  const folder = makeFastFolder();
  mkdirSync(`${folder}/store`);
  const store = await openSftpStore(`sftp:///`, {
    command: [...RCLONE, `${folder}/store`],
    spoolFolder: folder,
    singleWriter: true,
  });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
});
