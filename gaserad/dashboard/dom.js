// Small help with the page: elements whose text is text, what the browser remembers, files to save. No state of its own.

/** An element; text becomes text, never markup. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The element of this id. */
export const at = (id) => document.getElementById(id);

/** Sets text only if it is another: nothing is laid out, or read out, for nothing. */
export function text(node, value) {
  const told = value === null || value === undefined ? "" : String(value);
  if (node.textContent !== told) node.textContent = told;
}

export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** What this browser remembers for this page. One that remembers nothing does no harm. */
export function recall(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`gaserad.${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(`gaserad.${key}`, JSON.stringify(value));
  } catch {
    // Private windows and full disks.
  }
}

export function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Lets the browser draw and answer before going on. */
export const breathe = () => (globalThis.scheduler?.yield ? scheduler.yield() : new Promise((done) => setTimeout(done)));
