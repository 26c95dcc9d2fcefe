import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { MemoryBytes } from "@snap/manifest";
import { StoreError } from "@snap/store";
import { seededTest } from "../../tests/_prng.ts";
import { TemporaryFolder } from "../../tests/_snapshots.ts";
import { SpillFile, SpillFiles } from "./spill_file.ts";

function joined(pieces: Iterable<Uint8Array>): number[] {
  return Array.from(pieces, (piece) => [...piece]).flat();
}

seededTest("SpillFile holds what memory would hold", (prng) => {
  using folder = new TemporaryFolder();
  // More pages than stay in memory.
  const size = 4 * prng.below(1_500_000) + 4;
  using paged = new SpillFile(folder.join("file"), size);
  const memory = MemoryBytes.ofSize(size);
  deepEqual(readdirSync(folder.path), [], "the file has no name");
  for (let round = 0; round < 3000; round++) {
    // Near the border between two pages, often.
    const at = prng.below(2) === 0
      ? prng.below(size)
      : Math.min(65536 * prng.below(size / 65536) + prng.below(8), size - 1);
    const word = at - at % 4, value = prng.u32();
    switch (prng.below(6)) {
      case 0:
        paged.setU32(word, value);
        memory.setU32(word, value);
        break;
      case 1:
        paged.setU16(word + 2, value);
        memory.setU16(word + 2, value);
        break;
      case 2: {
        const bytes = prng.bytes(1 + prng.below(Math.min(size - at, 70)));
        paged.write(at, bytes, 0, bytes.length);
        memory.write(at, bytes, 0, bytes.length);
        break;
      }
      case 3:
        equal(paged.u8(at), memory.u8(at));
        equal(paged.u32(word), memory.u32(word));
        break;
      case 4:
        if (at + 4 > size) break;
        equal(paged.u16(at), memory.u16(at));
        equal(paged.u32(at), memory.u32(at));
        break;
      case 5: {
        const end = Math.min(size, at + prng.below(300));
        deepEqual(
          joined(paged.pieces(at, end)),
          joined(memory.pieces(at, end)),
        );
      }
    }
  }
  throws(() => paged.u8(size), RangeError);
  throws(() => paged.setU32(-4, 0), RangeError);
}, { roundCount: 20 });

Deno.test("SpillFiles lets go what nobody did, and makes no file twice", () => {
  using folder = new TemporaryFolder();
  const room = new SpillFiles(folder.join("spool"));
  const one = room.make(10), two = room.make(10);
  one.write(3, Uint8Array.of(7), 0, 1);
  deepEqual([one.u8(3), two.u8(3)], [7, 0]);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  room[Symbol.dispose]();
  ok(one.size === 10);
});

Deno.test("SpillFile that cannot be written is an error of the store", async () => {
  const folder = new TemporaryFolder();
  rmSync(folder.path, { recursive: true });
  await rejects(
    // deno-lint-ignore require-await
    async () => new SpillFile(folder.join("file"), 10),
    (error) => error instanceof StoreError && error.code === "ENOENT",
  );
});
