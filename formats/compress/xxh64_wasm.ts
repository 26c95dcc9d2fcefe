// Built by _kernel/build.ts from _kernel/xxh64.as. Do not edit.
// deno-fmt-ignore-file

/** The XXH64 kernel, a WebAssembly module of 281 bytes, in base64. */
export const XXH64_WASM: string =
  "AGFzbQEAAAABBgFgAn9/AAMCAQAFBAEBAgIHEAIDYWRkAAAGbWVtb3J5AgAK6gEB5wEBBH5BACkD" +
  "ACECQQgpAwAhA0EQKQMAIQRBGCkDACEFIAAgAWohAQNAIAAgAUkEQCACIAApAwBCz9bTvtLHq9lC" +
  "fnxCH4lCh5Wvr5i23puef34hAiADIAApAwhCz9bTvtLHq9lCfnxCH4lCh5Wvr5i23puef34hAyAE" +
  "IAApAxBCz9bTvtLHq9lCfnxCH4lCh5Wvr5i23puef34hBCAFIAApAxhCz9bTvtLHq9lCfnxCH4lC" +
  "h5Wvr5i23puef34hBSAAQSBqIQAMAQsLQQAgAjcDAEEIIAM3AwBBECAENwMAQRggBTcDAAs=";
