// The least that finding out "nothing changed" can cost: one thread that lists
// every folder and looks at every entry.
//   deno run -A bench/_walk.ts FOLDER
// Prints the number of entries, and the seconds without the start of the program.
const start = performance.now();
let count = 0;
const pending = [Deno.args[0]];
for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
  for (const { name } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (Deno.lstatSync(path).isDirectory) pending.push(path);
    count++;
  }
}
console.log(count, (performance.now() - start) / 1000);
