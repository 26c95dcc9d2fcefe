import {
  type HeaderFields,
  LARGE_MAX,
  SMALL_MAX,
  TypeFlag,
  writeHeader,
} from "./header.ts";
import { type PaxRecord, paxTime, writePax } from "./pax.ts";
import type { TarOutput } from "./tar_output.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();
const NAME_SIZE_MAX = 100;
const OWNER_NAME_SIZE_MAX = 31;

/** What the header of an entry says, with what only pax records can say. */
export interface EntryHeader extends HeaderFields {
  /** Nanoseconds after `mtime`. */
  readonly mtimeNs: number;
  /** Records beside those for what does not fit the header. */
  readonly records: readonly PaxRecord[];
}

/** Writes the header of an entry, before it pax records for what does not fit. */
export async function writeEntryHeader(
  output: TarOutput,
  header: EntryHeader,
): Promise<void> {
  const records = paxRecords(header);
  if (records.length > 0) {
    const bytes = writePax(records);
    writeHeader(await output.block(), {
      name: encoder.encode("pax"),
      ...{ mode: 0o644, uid: 0, gid: 0, mtime: 0 },
      size: bytes.length,
      type: TypeFlag.pax,
    });
    await output.write(bytes);
    output.pad();
  }
  writeHeader(await output.block(), header);
}

function paxRecords(header: EntryHeader): PaxRecord[] {
  const { name, linkName, userName, groupName } = header;
  const records: PaxRecord[] = [];
  const texts: readonly (readonly [string, Uint8Array | undefined, number])[] =
    [
      ["path", name, NAME_SIZE_MAX],
      ["linkpath", linkName, NAME_SIZE_MAX],
      ["uname", userName, OWNER_NAME_SIZE_MAX],
      ["gname", groupName, OWNER_NAME_SIZE_MAX],
    ];
  const long = texts.filter(([, bytes, sizeMax]) =>
    bytes !== undefined && (bytes.length > sizeMax || !isAscii(bytes))
  ) as [string, Uint8Array, number][];
  // Names are in UTF-8 unless a record says that they are bytes.
  if (!long.every(([, bytes]) => isUtf8(bytes))) {
    records.push(["hdrcharset", "BINARY"]);
  }
  for (const [keyword, bytes] of long) records.push([keyword, bytes]);
  if (header.size > LARGE_MAX) records.push(["size", String(header.size)]);
  for (const keyword of ["uid", "gid"] as const) {
    const value = header[keyword];
    if (value > SMALL_MAX) records.push([keyword, String(value)]);
  }
  if (header.mtimeNs > 0 || header.mtime < 0 || header.mtime > LARGE_MAX) {
    records.push(["mtime", paxTime(header.mtime, header.mtimeNs)]);
  }
  for (const keyword of ["devmajor", "devminor"] as const) {
    const value =
      header[keyword === "devmajor" ? "deviceMajor" : "deviceMinor"];
    if ((value ?? 0) > SMALL_MAX) {
      records.push([`SCHILY.${keyword}`, String(value)]);
    }
  }
  records.push(...header.records);
  return records;
}

function isAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80) return false;
  return true;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
