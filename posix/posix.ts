/**
 * Calls of the operating system that the runtimes lack or do differently.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { denoLibc } from "./libc_deno.ts";
import { koffiLibc } from "./libc_koffi.ts";
import { linuxPosix } from "./linux_posix.ts";
import { allowed } from "./allowed.ts";
import type { Posix } from "./calls.ts";

interface Loaded {
  readonly posix?: Posix;
  readonly absentReason?: string;
}

interface NodeProcess {
  readonly platform: string;
  readonly arch: string;
}

/** 64-bit, little-endian, and of one layout of the kernel's structs. */
const ARCHS = new Set(["x64", "x86_64", "arm64", "aarch64"]);

// Loaded with the module: a library that a test loads counts as that test's leak.
const loaded = await load();

/** The calls, or nothing where they cannot be had ({@linkcode posixAbsentReason}). */
export const posix: Posix | undefined = loaded.posix;

/** Why {@linkcode posix} is absent, in words; nothing where it is there. */
export const posixAbsentReason: string | undefined = loaded.absentReason;

async function load(): Promise<Loaded> {
  const onDeno = typeof Deno !== "undefined";
  // On Deno a look at `process` costs 8 ms of start-up.
  const node = onDeno
    ? undefined
    : (globalThis as { process?: NodeProcess }).process;
  const platform = onDeno ? Deno.build.os : node?.platform ?? "";
  const arch = onDeno ? Deno.build.arch : node?.arch ?? "";
  if (platform !== "linux" || !ARCHS.has(arch)) {
    const found = `${platform} on ${arch}`;
    return {
      absentReason:
        `native calls are for Linux on x86-64 and arm64: found ${found}`,
    };
  }
  if (!allowed("ffi")) return { absentReason: "native calls need --allow-ffi" };
  try {
    const libc: Libc = onDeno ? denoLibc() : await koffiLibc();
    return { posix: linuxPosix(libc) };
  } catch (error) {
    const what = error instanceof Error
      ? error.message.split("\n")[0]
      : String(error);
    return { absentReason: `native calls cannot be loaded: ${what}` };
  }
}
