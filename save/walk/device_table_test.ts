import { deepEqual, equal } from "node:assert/strict";
import { statTable } from "../../tests/_stat_rows.ts";
import { DeviceTable } from "./device_table.ts";

const START = { sec: 1000, ns: 500 };

Deno.test("DeviceTable numbers devices in the order they are met, the root's first", () => {
  const devices = new DeviceTable({
    previousStart: undefined,
    systems: { isWellKnown: () => true, unrealType: () => undefined },
    trustStat: false,
  });
  const stats = statTable(
    { device: [8, 1] },
    { device: [8, 2] },
    { device: [9, 1] },
  );
  deepEqual([0, 1, 0, 2, 1].map((row) => devices.numberOf(stats, row)), [
    0,
    1,
    0,
    2,
    1,
  ]);
  const { rows } = devices;
  deepEqual([0, 1, 2].map((row) => rows.deviceMajor(row)), [8, 8, 9]);
  deepEqual([0, 1, 2].map((row) => rows.deviceMinor(row)), [1, 2, 1]);
  equal(devices.trustedBefore(stats, 0), undefined);
  equal(devices.isTrusted(stats, 0), false);
});

Deno.test("DeviceTable trusts what is two seconds older than the start of the previous", () => {
  const devices = new DeviceTable({
    previousStart: START,
    systems: { isWellKnown: () => true, unrealType: () => undefined },
    trustStat: false,
  });
  const stats = statTable(
    { ctime: [998, 499] },
    { ctime: [998, 500] },
    { ctime: [997, 999_999_999] },
    { ctime: [999, 0] },
    { ctime: [5000, 0] },
  );
  deepEqual([0, 1, 2, 3, 4].map((row) => devices.isTrusted(stats, row)), [
    true,
    false,
    true,
    false,
    false,
  ]);
  deepEqual(devices.trustedBefore(stats, 0), { sec: 998, ns: 500 });
});

Deno.test("DeviceTable asks once for each device, and trusts no made-up change time", () => {
  let count = 0;
  const devices = new DeviceTable({
    previousStart: START,
    systems: {
      isWellKnown: (stats, row) => {
        count++;
        return stats.deviceMinor(row) === 1;
      },
      unrealType: () => undefined,
    },
    trustStat: false,
  });
  const stats = statTable(
    { device: [8, 1], mtime: [5, 5], ctime: [5, 5] },
    // On a file system that nobody knows:
    { device: [8, 2], mtime: [5, 5], ctime: [5, 5] },
    { device: [8, 2], mtime: [5, 5], ctime: [0, 0] },
    { device: [8, 2], mtime: [5, 5], ctime: [6, 5] },
    { device: [8, 2], mtime: [5, 5], ctime: [5, 6] },
  );
  const rows = [0, 1, 2, 3, 4];
  deepEqual(rows.map((row) => devices.isTrusted(stats, row)), [
    true,
    false,
    false,
    true,
    true,
  ]);
  for (const row of rows) devices.isTrusted(stats, row);
  equal(count, 2);
});

Deno.test("DeviceTable with trustStat believes every file system", () => {
  const devices = new DeviceTable({
    previousStart: START,
    systems: { isWellKnown: () => false, unrealType: () => undefined },
    trustStat: true,
  });
  const stats = statTable({ device: [8, 2], mtime: [5, 5], ctime: [5, 5] });
  equal(devices.isTrusted(stats, 0), true);
});
