import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeTiming } from "../../wrap/testdata/fake_timing.ts";
import { openS3Store, type S3Store, type S3StoreOptions } from "../mod.ts";
import { FakeS3 } from "./fake_s3.ts";

/** A store on a fake server. */
export interface FakeStore extends AsyncDisposable {
  readonly fake: FakeS3;
  readonly store: S3Store;
  readonly timing: FakeTiming;
  /** The spool folder. */
  readonly spool: string;
  /** Opens the store once more, as another program would. */
  open(options?: S3StoreOptions): Promise<S3Store>;
  /** Ends the server and removes the spool folder. */
  close(): Promise<void>;
}

/** Opens a store on a fake server, with a clock that stands still. */
export async function fakeStore(
  options: S3StoreOptions = {},
): Promise<FakeStore> {
  const fake = await FakeS3.start();
  const timing = new FakeTiming();
  const folder = mkdtempSync(join(tmpdir(), "s3-fake-"));
  const spool = `${folder}/spool`;
  const open = (more: S3StoreOptions = {}) =>
    openS3Store("s3://bucket/p", {
      endpoint: fake.endpoint,
      credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
      env: {},
      partSize: 1000,
      spool,
      timing,
      ...options,
      ...more,
    });
  const close = async () => {
    await fake[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  };
  return {
    fake,
    store: await open(),
    timing,
    spool,
    open,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Bytes that begin as a file of a store does not, and differ everywhere. */
export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
}
