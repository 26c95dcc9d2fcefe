// Says whether the native hasher could be had, and if not what was thrown.
import { nativeHasher, NativeHasherError } from "../native.ts";

try {
  console.log(nativeHasher().name);
} catch (error) {
  console.log(error instanceof NativeHasherError && error.message);
}
