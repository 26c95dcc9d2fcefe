import { deepEqual, equal, ok } from "node:assert/strict";
import { DiskError, ExhaustedError } from "@snap/disk";
import { IndexSyntaxError } from "@snap/pack";
import { errorRecord, WorkerError } from "@snap/posix/worker";
import { StoreError } from "@snap/store";
import { workerFailure } from "./worker_failure.ts";

/** What becomes of an error on its way out of a worker. */
function cross(error: Error): Error {
  return workerFailure(new WorkerError(structuredClone(errorRecord(error))));
}

Deno.test("errors of a worker get their class and fields back", () => {
  const path = new TextEncoder().encode("a/b");
  const disk = cross(new DiskError("open", path, "EIO"));
  ok(disk instanceof DiskError);
  deepEqual([disk.action, disk.path, disk.code], ["open", path, "EIO"]);

  const fields = { code: "ENOSPC", action: "adopt", path: "/s/t" } as const;
  const store = cross(new StoreError("Cannot write", fields));
  ok(store instanceof StoreError);
  equal(store.message, "Cannot write");
  deepEqual([store.code, store.action, store.path], Object.values(fields));

  const exhausted = cross(
    new ExhaustedError(new DiskError("open", path, "EMFILE")),
  );
  ok(exhausted instanceof ExhaustedError);
  equal(exhausted.code, "EMFILE");

  for (const tableName of ["index/aa", undefined]) {
    const index = cross(new IndexSyntaxError("Cannot read", 7, { tableName }));
    ok(index instanceof IndexSyntaxError);
    deepEqual([index.offset, index.tableName], [7, tableName]);
  }
});

Deno.test("what nobody tells apart stays the error of a worker", () => {
  const error = cross(new TypeError("No such field"));
  ok(error instanceof WorkerError);
  equal(error.record.name, "TypeError");
});
