import assert from "node:assert/strict";
import os from "node:os";
import {
  EINVAL,
  ENOENT,
  ENOTSUP,
  errnoMessage,
  errnoName,
  errnos,
  PosixError,
} from "./errors.ts";

Deno.test("errnoName knows every number that node:os knows", () => {
  for (const [name, errno] of Object.entries(os.constants.errno)) {
    assert.equal(os.constants.errno[errnoName(errno) as "ENOENT"], errno, name);
    if (name in errnos) assert.equal(errnos[name], errno);
  }
  assert.equal(errnoName(-ENOENT), "ENOENT");
  assert.equal(errnoName(os.constants.errno.EAGAIN), "EAGAIN");
  assert.equal(errnoName(-ENOTSUP), "ENOTSUP");
  assert.equal(errnoName(9999), "errno 9999");
});

Deno.test("errnoMessage has words, or the name", () => {
  assert.equal(errnoMessage(-ENOENT), "there is no such file or directory");
  assert.equal(errnoMessage(os.constants.errno.EPROTO), "EPROTO");
});

Deno.test("PosixError says what failed and keeps the bytes of the path", () => {
  const error = new PosixError(
    -EINVAL,
    "read",
    Uint8Array.of(97, 10, 255, 0, 98),
  );
  assert.equal(
    error.message,
    "Cannot read a\ufffd\ufffd: an argument is invalid (EINVAL)",
  );
  assert.deepEqual(
    [error.name, error.code, error.errno, error.action, error.path],
    ["PosixError", "EINVAL", EINVAL, "read", Uint8Array.of(97, 10, 255)],
  );
});
