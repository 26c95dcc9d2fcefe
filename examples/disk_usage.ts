// Adds up what is in a directory as du does, hard links once:
// deno run -A examples/disk_usage.ts DIRECTORY
import process from "node:process";
import { DiskError } from "@snap/disk";
import { IgnoreRules } from "@snap/disk/ignore";
import { openSource, type SourceDirectory } from "@snap/disk/source";

const totals = { entries: 0, bytes: 0, blocks: 0 };
const linked = new Set<string>();

function add(directory: SourceDirectory): void {
  const { stats } = directory;
  for (let i = 0; i < directory.count; i++) {
    totals.entries++;
    if (directory.isDirectory(i)) {
      const child = directory.child(i);
      if (!(child instanceof DiskError)) add(child);
    }
    if (stats.nlink(i) > 1 && !directory.isDirectory(i)) {
      const inode = [stats.inodeHigh(i), stats.inodeLow(i)];
      const key = [stats.deviceMajor(i), stats.deviceMinor(i), ...inode].join();
      if (linked.has(key)) continue;
      linked.add(key);
    }
    totals.bytes += directory.isFile(i) ? stats.size(i) : 0;
    totals.blocks += stats.blocks(i);
  }
  directory.close();
}

const source = openSource(process.argv[2], {
  ignore: new IgnoreRules({ fileName: "" }),
});
add(source.root());
for (const { message } of source.errors) console.error(message);
source[Symbol.dispose]();
console.log(
  `${totals.entries} entries, ${totals.bytes} bytes in files, ${
    totals.blocks * 512
  } bytes on the disk`,
);
