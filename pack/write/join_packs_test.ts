import { deepEqual, equal, throws } from "node:assert/strict";
import { BytesSink, idOf, randomPacks, writerOptions } from "../_testing.ts";
import { codecOf } from "../codec/codecs.ts";
import { PackSyntaxError } from "../errors.ts";
import { joinPacks } from "./join_packs.ts";
import { noneCodec } from "../codec/none_codec.ts";
import type { PackTable } from "./pack_table.ts";
import { PackWriter } from "./pack_writer.ts";
import { zstdCodec } from "../codec/zstd_codec.ts";

function partOf({ table, bytes }: { table: PackTable; bytes: Uint8Array }) {
  return {
    table,
    readAt: (offset: number, out: Uint8Array) =>
      out.set(bytes.subarray(offset, offset + out.length)),
  };
}

Deno.test("joinPacks copies frames as they are stored", () => {
  const packs = randomPacks(5, {
    count: 6,
    shared: 10,
    codec: zstdCodec({ level: 1 }),
  });
  const options = writerOptions({ seed: 99, codec: noneCodec });
  const writer = new PackWriter(options);
  joinPacks(packs.map(partOf), writer);
  const joined = writer.finish();
  const bytes = options.sink.bytes();
  equal(
    joined.table.frameCount,
    packs.reduce((sum, { table }) => sum + table.frameCount, 0),
  );
  for (const { table } of packs) {
    for (let row = 0; row < table.objectCount; row++) {
      const found = joined.table.find(table.bytes, table.idStart(row), 1);
      const frame = joined.table.frame(found);
      const plain = new Uint8Array(joined.table.plainSize(frame));
      const start = joined.table.frameOffset(frame);
      const end = start + joined.table.storedSize(frame);
      codecOf(joined.table.codecTag(frame))
        .decompress(bytes.subarray(start, end), plain);
      const offset = joined.table.offset(found);
      const object = plain.subarray(offset, offset + joined.table.size(found));
      deepEqual(idOf(object), table.idBytes(row).slice());
    }
  }
});

Deno.test("joinPacks refuses a frame that is damaged", () => {
  const [pack] = randomPacks(5, { count: 1 });
  const bytes = pack.bytes.slice();
  bytes[80] ^= 1;
  const sink = new BytesSink();
  const writer = new PackWriter({ ...writerOptions(), sink });
  throws(
    () => joinPacks([partOf({ ...pack, bytes })], writer),
    PackSyntaxError,
  );
  equal(writer.objectCount, 0);
});
