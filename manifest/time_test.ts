import { strictEqual } from "node:assert/strict";
import { formatTime } from "./time.ts";

Deno.test("formatTime writes nanoseconds, and seconds outside of four-digit years", () => {
  strictEqual(
    formatTime(1795153578, 123456789),
    "2026-11-20T05:46:18.123456789Z",
  );
  strictEqual(formatTime(0, 0), "1970-01-01T00:00:00.000000000Z");
  strictEqual(formatTime(-62167219200, 1), "0000-01-01T00:00:00.000000001Z");
  strictEqual(formatTime(-62167219201, 1), "@-62167219201+0.000000001");
  strictEqual(
    formatTime(253402300799, 999999999),
    "9999-12-31T23:59:59.999999999Z",
  );
  strictEqual(formatTime(253402300800, 0), "@253402300800+0.000000000");
});
