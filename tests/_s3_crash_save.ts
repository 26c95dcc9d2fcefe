// Saves a directory into a bucket, and kills itself at a given moment: see
// s3_save_test.ts.
import process from "node:process";
import { save } from "@snap/save";
import { openS3Store } from "@snap/store/s3";
import type { S3Server } from "./_s3_server.ts";
import { open } from "./_snapshots.ts";

/** When a program kills itself. */
export interface Moment {
  /** The request, from 1. */
  readonly request: number;
  /** Before it leaves, while it is under way, or when its answer has come. */
  readonly phase: "before" | "within" | "after";
  /** Rounds of the event loop in which it is under way. */
  readonly rounds: number;
}

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

/** Sends requests, and ends the process at a moment. */
export function deadlyFetch(moment: Moment, end: () => void): typeof fetch {
  let count = 0;
  return async (...args) => {
    if (++count !== moment.request) return await fetch(...args);
    if (moment.phase === "before") end();
    const answer = fetch(...args);
    if (moment.phase === "within") {
      for (let i = 0; i < moment.rounds; i++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      end();
    }
    const response = await answer;
    end();
    return response;
  };
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
