// Prints offset and size of each hole of a file:
// deno run -A examples/holes.ts FILE
import process from "node:process";
import {
  O_RDONLY,
  PosixError,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
} from "@snap/posix/constants";
import { posix, posixAbsentReason } from "@snap/posix";

if (posix === undefined) {
  throw new Error(`Cannot look for holes as ${posixAbsentReason}`);
}
const path = new TextEncoder().encode(`${process.argv[2]}\0`);
const fd = posix.open(path, O_RDONLY, 0);
if (fd < 0) throw new PosixError(fd, "open", path);
const size = posix.lseek(fd, 0, SEEK_END);
for (let at = 0; at < size;) {
  const start = posix.lseek(fd, at, SEEK_HOLE);
  if (start < 0 || start >= size) break;
  const data = posix.lseek(fd, start, SEEK_DATA);
  const end = data < 0 ? size : data;
  console.log(`${start} ${end - start}`);
  at = end;
}
posix.close(fd);
