/** Makes one part of a page equal to another by touching only what differs: focus and selection stay. */

/** Makes the children of `from` equal to those of `to`; tells whether anything was different. */
export function morphChildren(from, to) {
  let isChanged = false;
  const wanted = [...to.childNodes];
  const present = [...from.childNodes];
  wanted.forEach((node, index) => {
    if (index < present.length) isChanged = morph(present[index], node) || isChanged;
    else from.append(document.importNode(node, true));
  });
  for (const surplus of present.slice(wanted.length)) surplus.remove();
  return isChanged || wanted.length !== present.length;
}

function morph(from, to) {
  if (from.nodeName !== to.nodeName || from.id !== to.id) {
    from.replaceWith(document.importNode(to, true));
    return true;
  }
  if (!(from instanceof Element)) return morphText(from, to);
  const areAttributesChanged = morphAttributes(from, to);
  return morphChildren(from, to) || areAttributesChanged;
}

function morphText(from, to) {
  if (from.nodeValue === to.nodeValue) return false;
  from.nodeValue = to.nodeValue;
  return true;
}

function morphAttributes(from, to) {
  let isChanged = false;
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) === value) continue;
    from.setAttribute(name, value);
    isChanged = true;
  }
  for (const { name } of [...from.attributes]) {
    if (to.hasAttribute(name)) continue;
    from.removeAttribute(name);
    isChanged = true;
  }
  return isChanged;
}
