/**
 * A JSON value as a tree that opens a part at a time. What is open stays open when the value changes: nodes are kept by
 * their key, and only texts that differ are written.
 */

import { element, setAttribute, setText } from "../shell/dom.js";
import { copyButton } from "./copy.js";
import { kindOf, limitOf } from "./reading.js";
import { childrenOf, isBranch, leafText, MAX_DEPTH, PAGE, pathTo, sizeOf, summary } from "./treemodel.js";

/**
 * @typedef {object} TreeOptions
 * @property {(text: string) => void} notify
 * @property {(path: string) => import("../core/meta.js").Meta} metaOf
 * @property {(path: string) => string} plotLink
 */

/** The members of one value, in a list. */
export class Tree {
  #value;
  #path;
  #depth;
  #options;
  #nodes = new Map();  // by key
  #shown = PAGE;
  #more = element("button", { type: "button", class: "more", hidden: true, on: { click: () => this.#showMore() } });
  root = element("ul", { class: "tree" });

  /** @param {string} path  `dome.axis` @param {TreeOptions} options */
  constructor(path, options, depth = 0) {
    this.#path = path;
    this.#depth = depth;
    this.#options = options;
  }

  update(value) {
    this.#value = value;
    const children = childrenOf(value, 0, this.#shown);
    const keys = new Set(children.map(({ key }) => key));
    for (const [key, node] of this.#nodes) {
      if (keys.has(key)) continue;
      node.root.remove();
      this.#nodes.delete(key);
    }
    children.forEach(({ key, value: child }, at) => {
      const node = this.#nodeFor(key, child);
      if (this.root.children[at] !== node.root) this.root.insertBefore(node.root, this.root.children[at] ?? null);
      node.update(child);
    });
    this.#renderMore();
  }

  #nodeFor(key, value) {
    const branch = isBranch(value) && this.#depth < MAX_DEPTH;
    const known = this.#nodes.get(key);
    if (known?.branch === branch) return known;
    known?.root.remove();
    const node = new (branch ? Branch : Leaf)(key, pathTo(this.#path, key), this.#options, this.#depth + 1);
    this.#nodes.set(key, node);
    return node;
  }

  #renderMore() {
    const left = sizeOf(this.#value) - this.#shown;
    this.#more.hidden = left <= 0;
    setText(this.#more, `Show ${Math.min(left, PAGE)} more of ${left}`);
    if (left > 0 && this.root.lastElementChild !== this.#more.parentElement) this.root.append(element("li", {}, this.#more));
    if (left <= 0) this.#more.parentElement?.remove();
  }

  #showMore() {
    this.#shown += PAGE;
    this.update(this.#value);
    this.#more.focus();
  }
}

/** A member with members of its own. */
class Branch {
  branch = true;
  #value;
  #path;
  #options;
  #depth;
  #tree = null;
  #words = element("span", { class: "summary-words" });
  #details;

  constructor(key, path, options, depth) {
    this.#path = path;
    this.#options = options;
    this.#depth = depth;
    this.#details = element("details", { on: { toggle: () => this.#toggled() } },
      element("summary", {}, element("span", { class: "key", text: key }), this.#words));
    this.root = element("li", { data: { path } }, this.#details, copyButton(path, options.notify));
  }

  update(value) {
    this.#value = value;
    setText(this.#words, summary(value));
    if (this.#details.open) this.#tree?.update(value);
  }

  #toggled() {
    if (!this.#details.open) return;
    if (this.#tree === null) {
      this.#tree = new Tree(this.#path, this.#options, this.#depth);
      this.#details.append(this.#tree.root);
    }
    this.#tree.update(this.#value);
  }
}

/** A member with nothing below it. */
class Leaf {
  branch = false;
  #meta;
  #text = element("span", { class: "value" });
  #limit = element("span", { class: "limit" });

  constructor(key, path, options) {
    this.#meta = options.metaOf(path);
    this.root = element("li", { data: { path } },
      element("a", { class: "key", href: options.plotLink(path), text: key, title: this.#meta.description || `Plot ${path}` }),
      this.#text, element("span", { class: "unit", text: this.#meta.unit }), this.#limit, copyButton(path, options.notify));
  }

  update(value) {
    setText(this.#text, leafText(value));
    setAttribute(this.#text, "data-kind", kindOf(value));
    const limit = limitOf(value, this.#meta);
    setAttribute(this.#limit, "data-level", limit?.level ?? "");
    setText(this.#limit, limit?.words ?? "");
  }
}
