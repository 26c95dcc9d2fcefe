// Many random reads of pages of a file, of which the kernel keeps none for long:
//   deno run -A bench/_mount_many_reads.ts PATH COUNT
import { posix } from "@snap/posix";
import { O_RDONLY, POSIX_FADV_DONTNEED, SEEK_END } from "@snap/posix/constants";
import { Prng } from "../tests/_prng.ts";

const POSIX_FADV_RANDOM = 1;
const PAGE_SIZE = 4096;
/** Reads after which the kernel forgets what it has. */
const FORGET_INTERVAL = 4096;

const [path, countText] = Deno.args;
const system = posix!;
const fd = system.open(new TextEncoder().encode(`${path}\0`), O_RDONLY, 0);
if (fd < 0) throw new Error(`Cannot open ${path}: found ${fd}`);
system.fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
const pageCount = Math.floor(system.lseek(fd, 0, SEEK_END) / PAGE_SIZE);
const prng = new Prng(pageCount);
const out = new Uint8Array(PAGE_SIZE);
for (let i = 0; i < Number(countText); i++) {
  const size = system.pread(fd, out, prng.below(pageCount) * PAGE_SIZE);
  if (size !== PAGE_SIZE) throw new Error(`Cannot read a page: found ${size}`);
  if (i % FORGET_INTERVAL === 0) system.fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}
system.close(fd);
