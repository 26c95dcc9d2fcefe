// Imports one module after another, and prints a line for each that fails.
import process from "node:process";

let failed = 0;
for (const path of process.argv.slice(2)) {
  try {
    await import(path);
  } catch (error) {
    failed++;
    console.log(`${path}: ${String(error).split("\n")[0]}`);
  }
}
process.exit(failed > 0 ? 1 : 0);
