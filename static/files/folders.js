/**
 * The folders of chosen files as a tree, and which of them are entries' folders. No DOM.
 *
 * A node is `{name, path, folders, files}`: `folders` are nodes and `files` lists of paths, both by name after NFC,
 * since macOS takes accented letters apart and tables have them whole.
 */

/** The tree above these relative paths; its root has no name. */
export function treeOf(paths) {
  const root = newNode("", "");
  for (const path of paths) {
    const parts = path.split("/");
    let node = root;
    for (const name of parts.slice(0, -1)) node = childOf(node, name);
    const key = parts.at(-1).normalize("NFC");
    if (node.files.has(key)) node.files.get(key).push(path);
    else node.files.set(key, [path]);
  }
  return root;
}

function newNode(name, path) {
  return { name, path, folders: new Map(), files: new Map() };
}

function childOf(node, name) {
  const key = name.normalize("NFC");
  if (!node.folders.has(key)) node.folders.set(key, newNode(name, node.path ? `${node.path}/${name}` : name));
  return node.folders.get(key);
}

/** The paths of all files in a folder and below it. */
export function filesBelow(node) {
  const found = [...node.files.values()].flat();
  for (const child of node.folders.values()) for (const path of filesBelow(child)) found.push(path);
  return found;
}

/**
 * The folders that hold entries' folders: the chosen ones themselves, or the root where entries' folders were
 * dropped side by side. `isKnown` tells whether a folder of this name is expected.
 *
 * One folder around all others is such a holder, unless it is an entry's folder itself; so is each folder around
 * entries' folders where several were chosen one after another.
 */
export function holdersOf(root, isKnown) {
  const only = onlyFolder(root);
  if (only && isAround(only, isKnown)) return [deepest(only, isKnown)];
  const holders = [...root.folders].filter(([name, node]) => !isKnown(name) && leadsToKnown(node, isKnown));
  return [root, ...holders.map(([, node]) => deepest(node, isKnown))];
}

/** The entries' folders of these holders, each once, and the files that lie beside them. */
export function entryFoldersIn(holders) {
  const inside = new Set(holders);
  const leadsInside = (node) => inside.has(node) || [...node.folders.values()].some(leadsInside);
  const folders = holders.flatMap((holder) =>
    [...holder.folders.values()].filter((node) => !leadsInside(node)).map((node) => ({ holder, node })),
  );
  return { folders, loose: holders.flatMap((holder) => [...holder.files.values()].flat()) };
}

function onlyFolder(node) {
  return node.files.size === 0 && node.folders.size === 1 ? [...node.folders.values()][0] : null;
}

function isAround(node, isKnown) {
  if ([...node.folders.keys()].some(isKnown)) return true;
  return node.folders.size > 0 && !isKnown(node.name.normalize("NFC"));
}

/** Whether entries' folders are in this folder, or in the only folder in it, as unpacking an archive makes them. */
function leadsToKnown(node, isKnown) {
  if ([...node.folders.keys()].some(isKnown)) return true;
  const only = onlyFolder(node);
  return Boolean(only) && leadsToKnown(only, isKnown);
}

function deepest(node, isKnown) {
  const only = onlyFolder(node);
  const goesOn = only && !isKnown(only.name.normalize("NFC")) && leadsToKnown(only, isKnown);
  return goesOn ? deepest(only, isKnown) : node;
}
