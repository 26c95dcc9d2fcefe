// Saves a directory into a bucket, and kills itself at a given moment: see
// s3_save_test.ts.
import process from "node:process";
import { save } from "@snap/save";
import { openS3Store } from "@snap/store/s3";
import { deadlyFetch, type Moment } from "./_deadly_fetch.ts";
import type { S3Server } from "./_s3_server.ts";
import { open } from "./_snapshots.ts";

/** Where a test saves, and how. */
export interface S3Place {
  readonly url: string;
  readonly server: S3Server;
  readonly spool: string;
  readonly partSize: number;
  readonly source: string;
  readonly workers: number;
  readonly indexByteCount: number;
}

if (import.meta.main) {
  const { place, moment }: { place: S3Place; moment: Moment } = JSON.parse(
    process.argv[2],
  );
  const { url, server, spool, partSize, source, ...options } = place;
  const store = await openS3Store(url, {
    ...server,
    env: {},
    spool,
    partSize,
    fetch: deadlyFetch(moment, () => process.kill(process.pid, "SIGKILL")),
  });
  await using snapshots = await open(store);
  await save(snapshots, source, options);
}
