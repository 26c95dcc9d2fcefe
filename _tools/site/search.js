// Finds pages. The index is a script, so that it also loads from a folder.
const input = document.querySelector("#search");
const found = document.querySelector("#found");
const root = document.documentElement.dataset.root;
const SHOWN = 15;

let loading;
/** Loads the index once. */
const loadIndex = () =>
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${root}/search_index.js`;
    script.onload = () => resolve(globalThis.searchIndex);
    script.onerror = reject;
    document.head.append(script);
  });

/** Ranks a page: the title itself before its beginning, a part of it, the text. */
function rankOf([title, , , text], words) {
  const name = title.toLowerCase();
  if (name === words.join(" ")) return 4;
  if (words.every((word) => name.includes(word))) {
    return name.startsWith(words[0]) ? 3 : 2;
  }
  const all = `${name} ${text.toLowerCase()}`;
  return words.every((word) => all.includes(word)) ? 1 : 0;
}

function resultOf([title, page, where, text]) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `${root}/${page}`;
  link.append(title);
  const place = document.createElement("small");
  place.append(where);
  const excerpt = document.createElement("p");
  excerpt.append(text.slice(0, 120));
  link.append(" ", place, excerpt);
  item.append(link);
  return item;
}

async function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const pages = words.length === 0 ? [] : await loadIndex();
  const ranked = pages.map((page) => ({ page, rank: rankOf(page, words) }))
    .filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank);
  found.replaceChildren(
    ...ranked.slice(0, SHOWN).map(({ page }) => resultOf(page)),
  );
  if (words.length > 0 && ranked.length === 0) found.append("Nothing found");
  found.hidden = words.length === 0;
}

input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter") found.querySelector("a")?.click();
  if (event.key !== "Escape") return;
  input.value = "";
  search();
});
found.addEventListener("click", () => found.hidden = true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === input) return;
  event.preventDefault();
  input.focus();
});
