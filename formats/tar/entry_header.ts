import {
  BLOCK_SIZE,
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
/** The header of pax records, but their size. */
const PAX_HEADER = {
  ...{ name: encoder.encode("pax"), type: TypeFlag.pax },
  ...{ mode: 0o644, uid: 0, gid: 0, mtime: 0 },
};
const NAME_SIZE_MAX = 100;
const OWNER_NAME_SIZE_MAX = 31;

/** What the header of an entry says, with what only pax records can say. */
export interface EntryHeader extends HeaderFields {
  /** Nanoseconds after `mtime`. */
  readonly mtimeNs: number;
  /** Records beside those for what does not fit the header. */
  readonly records: readonly PaxRecord[];
}

/**
 * Writes the header of an entry, before it pax records for what does not fit.
 *
 * @returns What to wait for before more is written, if anything.
 */
export function writeEntryHeader(
  output: TarOutput,
  header: EntryHeader,
): Promise<void> | undefined {
  const records = paxRecords(header);
  if (records.length === 0) {
    const block = new Uint8Array(BLOCK_SIZE);
    writeHeader(block, header);
    return output.write(block);
  }
  const pax = writePax(records);
  const paxSize = BLOCK_SIZE * Math.ceil(pax.length / BLOCK_SIZE);
  const blocks = new Uint8Array(2 * BLOCK_SIZE + paxSize);
  writeHeader(blocks, { ...PAX_HEADER, size: pax.length });
  blocks.set(pax, BLOCK_SIZE);
  writeHeader(blocks.subarray(BLOCK_SIZE + paxSize), header);
  return output.write(blocks);
}

function paxRecords(header: EntryHeader): PaxRecord[] {
  const { mtime, mtimeNs, size } = header;
  const records = textRecords(header);
  if (size > LARGE_MAX) records.push(["size", String(size)]);
  addNumber(records, "uid", header.uid);
  addNumber(records, "gid", header.gid);
  if (mtimeNs > 0 || mtime < 0 || mtime > LARGE_MAX) {
    records.push(["mtime", paxTime(mtime, mtimeNs)]);
  }
  addNumber(records, "SCHILY.devmajor", header.deviceMajor);
  addNumber(records, "SCHILY.devminor", header.deviceMinor);
  for (const record of header.records) records.push(record);
  return records;
}

/** Records of names that do not fit, or are no ASCII. */
function textRecords(header: EntryHeader): PaxRecord[] {
  const records: PaxRecord[] = [];
  let isText = true;
  const add = (keyword: string, bytes: Uint8Array, sizeMax: number): void => {
    if (bytes.length <= sizeMax && isAscii(bytes)) return;
    records.push([keyword, bytes]);
    isText &&= isUtf8(bytes);
  };
  const { name, linkName, userName, groupName } = header;
  add("path", name, NAME_SIZE_MAX);
  if (linkName) add("linkpath", linkName, NAME_SIZE_MAX);
  if (userName) add("uname", userName, OWNER_NAME_SIZE_MAX);
  if (groupName) add("gname", groupName, OWNER_NAME_SIZE_MAX);
  // Names are in UTF-8 unless a record says that they are bytes.
  if (!isText) records.unshift(["hdrcharset", "BINARY"]);
  return records;
}

function addNumber(
  records: PaxRecord[],
  keyword: string,
  value: number | undefined,
): void {
  if (value !== undefined && value > SMALL_MAX) {
    records.push([keyword, String(value)]);
  }
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
