// Accessibility checks for readers with a keyboard, a screen reader or low vision; each check returns its
// findings as sentences.
({
  all() {
    return [
      ...this.names(), ...this.headings(), ...this.landmarks(), ...this.ids(), ...this.targets(),
      ...this.contrast(), ...this.references(),
    ];
  },

  visible(element) {
    return element.checkVisibility({ checkVisibilityCSS: true, contentVisibilityAuto: true });
  },

  describe(element) {
    return `<${element.localName}${element.id ? ` id=${element.id}` : ""} class=${element.className}>`;
  },

  names() {
    const controls = document.querySelectorAll("input:not([type=hidden]), textarea, select, button, a[href]");
    const name = (one) =>
      one.getAttribute("aria-label")
      ?? [...(one.labels ?? [])].map((label) => label.textContent).join(" ").trim()
      ?? "";
    return [...controls]
      .filter((one) => this.visible(one))
      .filter((one) => !(name(one) || (one.matches("button, a") && one.textContent.trim())))
      .map((one) => `${this.describe(one)} has no name`);
  },

  headings() {
    const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
      .filter((one) => this.visible(one))
      .map((one) => [Number(one.localName[1]), one.textContent.trim()]);
    const found = levels.filter(([, text]) => !text).map(([level]) => `h${level} is empty`);
    if (levels.filter(([level]) => level === 1).length !== 1) found.push("there is not one h1");
    if (levels[0][0] !== 1) found.push("the first heading is not an h1");
    levels.forEach(([level, text], i) => {
      if (i && level > levels[i - 1][0] + 1) found.push(`h${level} "${text}" follows h${levels[i - 1][0]}`);
    });
    return found;
  },

  landmarks() {
    const found = [];
    for (const name of ["main", "header", "footer"]) {
      if (document.querySelectorAll(`body > ${name}`).length !== 1) found.push(`there is not one ${name}`);
    }
    if (!document.documentElement.lang) found.push("no language");
    if (!document.title) found.push("no title");
    if (!document.querySelector("[role=status], [aria-live=polite]")) found.push("no live region");
    return found;
  },

  ids() {
    const seen = [...document.querySelectorAll("[id]")].map((one) => one.id);
    return seen.filter((id, i) => seen.indexOf(id) !== i).map((id) => `two elements have the id ${id}`);
  },

  references() {
    const found = [];
    for (const attribute of ["for", "aria-labelledby", "aria-describedby"]) {
      for (const one of document.querySelectorAll(`[${attribute}]`)) {
        for (const id of one.getAttribute(attribute).split(/\s+/)) {
          if (!document.getElementById(id)) found.push(`${attribute}=${id} refers to no element`);
        }
      }
    }
    return found;
  },

  // Links within a sentence are exempt; a label is part of the target of its control.
  targets() {
    return [...document.querySelectorAll("input:not([type=hidden]), textarea, button, li > a")]
      .filter((one) => this.visible(one))
      .filter((one) => {
        const box = (one.closest("label") ?? one).getBoundingClientRect();
        return box.width < 24 || box.height < 24;
      })
      .map((one) => `${this.describe(one)} is a small target`);
  },

  colour(text) {
    const numbers = (text.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
    if (text.startsWith("color(srgb")) {
      return [...numbers.slice(0, 3).map((part) => part * 255), numbers[3] ?? 1];
    }
    if (!text.startsWith("rgb")) throw new Error(`this check cannot read the colour ${text}`);
    return [...numbers.slice(0, 3), numbers[3] ?? 1];
  },

  // Blend a translucent colour over an opaque one.
  over(top, bottom) {
    return [0, 1, 2].map((i) => top[i] * top[3] + bottom[i] * (1 - top[3]));
  },

  // All colours that may lie behind an element's text: a striped background has several.
  backgrounds(element) {
    const chain = [];
    for (let one = element; one; one = one.parentElement) chain.unshift(one);
    let behind = [[255, 255, 255]];
    for (const one of chain) {
      const style = getComputedStyle(one);
      const base = this.colour(style.backgroundColor);
      behind = behind.map((colour) => this.over(base, colour));
      const stripes = style.backgroundImage.match(/(rgba?|color)\([^()]*\)/g) ?? [];
      if (stripes.length) {
        behind = stripes.flatMap((stripe) => behind.map((colour) => this.over(this.colour(stripe), colour)));
      }
    }
    return behind;
  },

  luminance(colour) {
    const [r, g, b] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  },

  ratio(one, other) {
    const [light, dark] = [this.luminance(one), this.luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  },

  contrast() {
    const found = [];
    const check = (ink, behind, least, what) => {
      const worst = Math.min(...behind.map((colour) => this.ratio(this.over(ink, colour), colour)));
      if (worst < least) found.push(`${what}: contrast ${worst.toFixed(2)}`);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || seen.has(element) || !this.visible(element)) continue;
      seen.add(element);
      check(this.colour(getComputedStyle(element).color), this.backgrounds(element), 4.5, this.describe(element));
    }
    for (const box of document.querySelectorAll("textarea, input, mark[id]")) {
      if (!this.visible(box)) continue;
      const pseudo = box.localName === "mark" ? "::before" : null;
      const style = getComputedStyle(box, pseudo);
      const behind = pseudo ? [this.colour(style.backgroundColor)] : this.backgrounds(box);
      check(this.colour(style.color), behind, 4.5, this.describe(box));
    }
    // The lines that distinguish sources, and the edges of boxes, must be visible, too.
    for (const mark of document.querySelectorAll(".shown mark, .sample")) {
      if (!this.visible(mark)) continue;
      const near = mark.classList.contains("near");
      const line = getComputedStyle(mark)[near ? "borderTopColor" : "borderBottomColor"];
      check(this.colour(line), this.backgrounds(document.querySelector(".shown")), 3, this.describe(mark));
    }
    for (const box of document.querySelectorAll("textarea, button, input[type=password]")) {
      if (!this.visible(box)) continue;
      check(this.colour(getComputedStyle(box).borderTopColor), this.backgrounds(box.parentElement), 3,
        `edge of ${this.describe(box)}`);
    }
    return found;
  },
})
