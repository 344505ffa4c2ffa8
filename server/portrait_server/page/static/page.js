// Asks the service without leaving the page, draws the answer, and steps through its passages.
// It draws what the server draws for browsers without scripts (passages.py, words.py).
"use strict";

(() => {
  const N_LANES = 3;
  const EXCERPT_CHARS = 80;
  const N_SOURCES = 6;
  // The longest link that mail programs and chats pass on unbroken.
  const LINK_CHARS = 8000;

  const $ = (id) => document.getElementById(id);
  const form = $("question");
  const box = $("text");
  const status = $("status");
  const button = form.querySelector("button[type=submit]");
  const maxChars = Number(form.dataset.maxChars);

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  // The text to ask about. A textarea turns every line break into LF, so a text from a file or a link is
  // kept as it was, for as long as the box shows it unchanged.
  let kept = null;

  function keep(text, note) {
    box.value = text;
    kept = { text, shown: box.value };
    $("origin").textContent = note;
    $("origin").hidden = false;
  }

  function textAsked() {
    const text = kept !== null && kept.shown === box.value ? kept.text : box.value;
    // Half a surrogate pair is not a character: the page shows U+FFFD and asks about U+FFFD.
    return text.toWellFormed ? text.toWellFormed() : text;
  }

  // Numbers and words

  const count = (n) => n.toLocaleString("en");

  // `units` is a plural with an s, as in "characters".
  const counted = (n, units) => `${count(n)} ${n === 1 ? units.replace(/s$/, "") : units}`;

  function showEvalue(value) {
    if (value < 1e-300) return "E-value less than 1e-300";
    const [digits, exponent] = value.toExponential(1).split("e");
    const power = Number(exponent);
    if (power >= -4 && power < 2) return `E-value ${Number(value.toPrecision(2))}`;
    return `E-value ${Number(digits)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }

  function howSure(value) {
    if (value <= 1e-9) return "practically certain";
    return value <= 1e-3 ? "likely" : "may be chance";
  }

  const HEADINGS = { found: "Found", not_found: "Not found", inconclusive: "Cannot tell" };

  function summary(answer, near) {
    if (answer.exact_document && answer.verdict === "inconclusive") {
      return "The corpus may hold this very text as a document, but it is too short to be sure.";
    }
    if (answer.exact_document) return "This very text seems to be a document of the corpus.";
    if (answer.verdict === "found") {
      return {
        "may be chance": "Part of this text matches the corpus word for word, but that may be chance.",
        "likely": "Part of this text is likely to appear word for word in the corpus.",
        "practically certain": "Part of this text appears word for word in the corpus: that is practically certain.",
      }[howSure(answer.evalue)];
    }
    if (near) return "No long passage of it was found word for word, but part of it looks like an edited copy.";
    if (answer.verdict === "not_found") return "No copy of this text, or of a long part of it, was found.";
    return "Nothing was found, and nothing can be ruled out.";
  }

  const sentence = (reason) => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;

  function share(coverage) {
    const percent = Math.floor(coverage * 100 + 0.5);
    return `${percent === 0 ? "less than 1" : percent}% of the text`;
  }

  // Each portrait states its length in its own units.
  function sureLengths(answer) {
    const names = new Map();
    for (const { portrait, detectable } of answer.portraits) {
      names.set(detectable, [...(names.get(detectable) ?? []), portrait]);
    }
    if (names.size === 1) return [...names.keys()][0];
    return [...names].map(([length, portraits]) => `${portraits.join(", ")}: ${length}`).join("; ");
  }

  function facts(answer) {
    const seen = ["Shortest copy sure to be seen", sureLengths(answer)];
    if (answer.verdict !== "found") return [seen];
    return [
      ["Covered by copies", share(answer.coverage)],
      ["Longest passage", `${counted(answer.longest_match, "characters")} of this text`],
      ["How sure", `${howSure(answer.evalue)} (${showEvalue(answer.evalue)})`],
      seen,
    ];
  }

  const nameOf = (holder) => `${holder.source} in ${holder.portrait}`;

  function where(passage) {
    const length = counted(passage.end - passage.start, "characters");
    const how = passage.near ? "like an edited copy" : "word for word";
    return `${length}, ${count(passage.start)}–${count(passage.end)}, ${how}`;
  }

  function excerpt(text, passage) {
    const chars = Array.from(text.slice(passage.from, Math.min(passage.to, passage.from + 2 * EXCERPT_CHARS)));
    const begins = chars.slice(0, EXCERPT_CHARS).join("").trim().replace(/\s+/g, " ");
    return passage.end - passage.start > EXCERPT_CHARS ? `${begins}…` : begins;
  }

  // Passages

  function found(layer) {
    const near = layer.approximate;
    const spans = layer.matches.map((match) => ({ ...match, near: false }));
    // A verbatim copy also looks like an edited one: it is not shown twice.
    if (near && !layer.matches.some((match) => match.start <= near.start && near.end <= match.end)) {
      spans.push({ ...near, near: true });
    }
    return spans;
  }

  function lane(ends, passage) {
    let free = ends.findIndex((end) => end <= passage.start);
    if (free < 0) free = Math.min(ends.length, N_LANES - 1);
    ends[free] = Math.max(ends[free] ?? 0, passage.end);
    return free;
  }

  function passagesOf(answer) {
    const spans = new Map();
    let style = 0;
    for (const layer of answer.layers) {
      const here = found(layer);
      for (const { start, end, near, evalue } of here) {
        const id = `${start}-${end}-${near}`;
        if (!spans.has(id)) spans.set(id, { start, end, near, holders: [] });
        spans.get(id).holders.push({ portrait: layer.portrait, source: layer.source, style, evalue });
      }
      if (here.length) style += 1;
    }
    const passages = [...spans.values()].sort((a, b) => a.start - b.start || b.end - a.end || a.near - b.near);
    const lanes = { false: [], true: [] };
    passages.forEach((passage, i) => {
      passage.number = i + 1;
      for (const holder of passage.holders) holder.lane = lane(lanes[passage.near], passage);
    });
    return passages;
  }

  // Answers count Unicode code points, strings UTF-16 units: returns the indexes of ascending positions.
  function indexesOf(text, positions) {
    const indexes = new Map();
    let index = 0;
    let position = 0;
    for (const wanted of positions) {
      for (; position < wanted && index < text.length; position += 1) {
        index += text.codePointAt(index) > 0xffff ? 2 : 1;
      }
      indexes.set(wanted, index);
    }
    return indexes;
  }

  const classes = (passage, holder) =>
    `c${holder.style % 5} d${holder.style % 4} l${holder.lane}${passage.near ? " near" : ""}`;

  function piece(text, start, around) {
    // Deepest first. All marks of a passage have its number; the first has its id.
    let inner = document.createTextNode(text);
    for (const passage of [...around].reverse()) {
      [...passage.holders].reverse().forEach((holder, i, all) => {
        const mark = element("mark", { className: classes(passage, holder) }, inner);
        mark.dataset.n = passage.number;
        if (passage.from === start && i === all.length - 1) {
          mark.id = `passage-${passage.number}`;
          mark.tabIndex = -1;
        }
        inner = mark;
      });
    }
    return inner;
  }

  function pieces(text, passages) {
    const ends = passages.flatMap((passage) => [passage.start, passage.end]);
    const indexes = indexesOf(text, [...new Set(ends)].sort((a, b) => a - b));
    for (const passage of passages) {
      passage.from = indexes.get(passage.start);
      passage.to = indexes.get(passage.end);
    }
    const cuts = [...new Set([0, ...indexes.values(), text.length])];
    const waiting = [...passages];
    let around = [];
    const made = [];
    for (let i = 0; i + 1 < cuts.length; i += 1) {
      const [from, to] = [cuts[i], cuts[i + 1]];
      around = around.filter((passage) => passage.to > from);
      while (waiting.length && waiting[0].from <= from) around.push(waiting.shift());
      made.push(piece(asShown(text, from, to), from, around));
    }
    return made;
  }

  // CSS takes a carriage return for a space; a reader sees one line break in CR LF, and in CR alone.
  function asShown(text, from, to) {
    const cutInside = text[to - 1] === "\r" && text[to] === "\n";
    return text.slice(from, cutInside ? to - 1 : to).replace(/\r\n?/g, "\n");
  }

  // The answer

  const sample = (styles) => {
    const made = element("span", { className: `sample ${styles}`, textContent: "abc" });
    made.setAttribute("aria-hidden", "true");
    return made;
  };

  const bdi = (text) => element("bdi", { textContent: text });

  function listed(text, passage) {
    const link = element("a", { href: `#passage-${passage.number}` }, bdi(excerpt(text, passage)));
    const holders = passage.holders.map((holder) =>
      element("p", { className: "holder" }, sample(classes(passage, { ...holder, lane: 0 })), " ",
        bdi(nameOf(holder)), `: ${howSure(holder.evalue)} `,
        element("span", { className: "value", textContent: `(${showEvalue(holder.evalue)})` })));
    return element("li", {}, link, element("p", { className: "where", textContent: where(passage) }), ...holders);
  }

  function draw(answer, text) {
    const section = $("blank-answer").content.firstElementChild.cloneNode(true);
    const at = (selector) => section.querySelector(selector);
    const passages = passagesOf(answer);
    const near = passages.some((passage) => passage.near);
    section.dataset.verdict = answer.verdict;
    at("#verdict").textContent = HEADINGS[answer.verdict];
    at(".summary").textContent = summary(answer, near);
    at(".reason").textContent = sentence(answer.reason);
    at(".facts").append(...facts(answer).map(([name, value]) =>
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }))));
    const legend = new Map();
    for (const { holders } of passages) for (const holder of holders) legend.set(holder.style, holder);
    const styles = [...legend.keys()].sort((a, b) => a - b);
    at(".legend").prepend(...styles.map((style) =>
      element("li", {}, sample(classes({ near: false }, { style, lane: 0 })), " ", bdi(nameOf(legend.get(style))))));
    at(".about-near").hidden = !near;
    at(".shown").append(...pieces(text, passages));
    at("section.passages").hidden = passages.length === 0;
    at("ol").append(...passages.map((passage) => listed(text, passage)));
    return section;
  }

  // Stepping through the passages needs only the numbers of the marks.
  function bringToLife(section, question) {
    const links = [...section.querySelectorAll("ol a")];
    let current = 0;

    function go(number) {
      current = Math.min(Math.max(number, 1), links.length);
      for (const one of section.querySelectorAll(".current")) one.classList.remove("current");
      for (const mark of section.querySelectorAll(`mark[data-n="${current}"]`)) mark.classList.add("current");
      const item = links[current - 1].closest("li");
      item.classList.add("current");
      item.scrollIntoView({ block: "nearest" });
      const first = section.querySelector(`#passage-${current}`);
      first.focus({ preventScroll: true });
      first.scrollIntoView({ block: "center" });
      section.querySelector(".at").textContent = `Place ${current} of ${links.length}`;
    }

    for (const one of section.querySelectorAll(".scripted")) one.hidden = false;
    section.querySelector(".share").hidden = question === null;
    section.querySelector(".stepper").hidden = links.length === 0;
    section.querySelector(".at").textContent = `${count(links.length)} in all`;
    links.forEach((link, i) => link.addEventListener("click", (event) => {
      event.preventDefault();
      go(i + 1);
    }));
    for (const step of section.querySelectorAll("[data-step]")) {
      step.addEventListener("click", () => {
        go(current + Number(step.dataset.step));
        step.focus({ preventScroll: true });
      });
    }
    // Only inside the answer: elsewhere, single keys would surprise people who use speech input.
    section.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input") || !links.length) return;
      const step = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      go(current + step);
    });
    section.querySelector(".make-link").addEventListener("click", () => showLink(section, question));
  }

  // Links carry the question in the fragment, which browsers do not send to the server.

  const through = (bytes, stream) => new Response(new Blob([bytes]).stream().pipeThrough(stream));

  async function linkTo({ text, names, all }) {
    const plain = [["t", text]];
    let parameters = plain;
    if (window.CompressionStream) {
      const bytes = await through(text, new CompressionStream("deflate-raw")).arrayBuffer();
      // One by one: a call with all of them would have too many arguments.
      let binary = "";
      for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
      const packed = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      if (packed.length < String(new URLSearchParams(plain)).length) parameters = [["z", packed]];
    }
    if (!all) parameters.push(...names.map((name) => ["p", name]));
    return `${location.origin}${location.pathname}#${new URLSearchParams(parameters)}`;
  }

  async function showLink(section, question) {
    const link = section.querySelector("#link");
    const hint = section.querySelector("#link-hint");
    const url = await linkTo(question);
    section.querySelector(".made").hidden = false;
    if (url.length > LINK_CHARS) {
      link.value = "";
      link.hidden = section.querySelector(".made label").hidden = true;
      hint.textContent = "This text is too long for a link.";
      status.textContent = hint.textContent;
      return;
    }
    link.value = url;
    link.focus();
    link.select();
  }

  async function unpack(packed) {
    const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const reader = through(bytes, new DecompressionStream("deflate-raw")).body.getReader();
    const parts = [];
    // A small link can unpack to gigabytes: stop at the size of the largest question.
    for (let size = 0; ;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > 4 * maxChars) throw new RangeError("too long");
      parts.push(value);
    }
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await new Blob(parts).arrayBuffer());
  }

  async function readLink() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    let text = parameters.get("t");
    try {
      if (parameters.has("z")) text = await unpack(parameters.get("z"));
    } catch {
      complain("This link is damaged", "The text in it cannot be read. It may have been cut short.");
      return;
    }
    if (text === null) return;
    const names = parameters.getAll("p");
    const boxes = choices();
    for (const one of boxes) one.checked = !one.disabled && (names.length === 0 || names.includes(one.value));
    const missing = names.filter((name) => !boxes.some((one) => one.checked && one.value === name));
    const lacks = missing.length ? ` It also names portraits that cannot be asked here: ${missing.join(", ")}.` : "";
    keep(text, `This text came with the link. Nothing has been asked yet.${lacks}`);
  }

  // Portraits to choose from. On a server with keys, those that the key may ask.

  const choices = () => [...form.querySelectorAll("input[name=portraits]")];

  function authorization() {
    const key = $("key")?.value.trim();
    return key ? { Authorization: `Bearer ${key}` } : {};
  }

  function choice({ name, sources }) {
    const box = element("input", { type: "checkbox", name: "portraits", value: name, checked: true });
    const more = sources.length - N_SOURCES;
    const about = sources.slice(0, N_SOURCES).join(", ") + (more > 0 ? ` and ${more} more` : "");
    return element("label", { className: "choice" }, box, " ", element("span", {},
      element("bdi", { className: "name", textContent: name }), " ",
      element("span", { className: "sources", textContent: about })));
  }

  async function listPortraits() {
    for (const one of choices()) one.closest("label").remove();
    $("portraits").hidden = true;
    const response = await fetch(form.dataset.portraits, { headers: authorization(), cache: "no-store" });
    if (!response.ok) return;
    const { portraits } = await response.json();
    for (const one of choices()) one.closest("label").remove();
    $("portraits").append(...portraits.map(choice));
    $("portraits").hidden = portraits.length === 0;
  }

  // Asking

  // The titles of problem documents are names from HTTP; their details are for people.
  function complain(title, detail) {
    $("problem").replaceChildren(element("h2", { textContent: title }), element("p", { textContent: detail }));
    status.textContent = "";
  }

  async function problemOf(response) {
    let problem = {};
    try {
      problem = await response.json();
    } catch {
      // Not a problem document: a proxy's own page, for example.
    }
    const wait = response.headers.get("Retry-After");
    const later = /^\d+$/.test(wait ?? "") ? ` Try again in ${counted(Number(wait), "seconds")}.` : "";
    const detail = problem.detail ?? `the server said ${response.status} and no more`;
    return ["The question was not answered", sentence(String(detail)) + later];
  }

  let asking = null;

  async function ask() {
    const text = textAsked();
    const boxes = choices();
    const chosen = boxes.filter((one) => one.checked);
    const names = chosen.map((one) => one.value);
    if (boxes.length && !names.length) {
      complain("The question was not answered", "Choose at least one portrait to ask.");
      return;
    }
    asking?.abort();
    const mine = asking = new AbortController();
    $("problem").replaceChildren();
    status.textContent = "Asking…";
    button.setAttribute("aria-disabled", "true");
    try {
      const response = await fetch(form.dataset.query, {
        method: "POST",
        headers: { ...authorization(), "Content-Type": "application/json" },
        body: JSON.stringify(names.length ? { text, portraits: names } : { text }),
        cache: "no-store",
        signal: mine.signal,
      });
      if (!response.ok) {
        complain(...await problemOf(response));
        return;
      }
      const { answers: [answer] } = await response.json();
      const section = draw(answer, text);
      bringToLife(section, { text, names, all: names.length === boxes.length });
      $("result").replaceChildren(section);
      document.title = `${HEADINGS[answer.verdict]} – Portrait`;
      status.textContent = `${HEADINGS[answer.verdict]}. The answer is below.`;
      const heading = section.querySelector("#verdict");
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "start" });
    } catch (error) {
      if (error.name !== "AbortError") {
        complain("The server could not be reached", "Is this device online? The question was not answered.");
      }
    } finally {
      if (asking === mine) button.removeAttribute("aria-disabled");
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });

  // Files

  async function take(file) {
    if (file.size > 4 * maxChars) {
      complain("This file is too large", `A text may have ${count(maxChars)} characters.`);
      return;
    }
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
      keep(text, `This is the text of ${file.name}.`);
      $("problem").replaceChildren();
      box.focus();
    } catch {
      complain("This file cannot be read", `${file.name} is not a text file in UTF-8.`);
    }
  }

  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");

  // Anywhere on the page: if a file misses the box, the browser would leave the page to open it.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      box.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
    });
  }
  $("file").addEventListener("change", (event) => {
    if (event.target.files.length) take(event.target.files[0]);
    event.target.value = "";
  });
  box.addEventListener("input", () => {
    if (kept === null || kept.shown !== box.value) $("origin").hidden = true;
  });

  // A wrong key is reported only when a question is asked with it.
  $("key")?.addEventListener("change", () => listPortraits().catch(() => {}));

  for (const one of form.querySelectorAll(".scripted")) one.hidden = false;
  const drawn = $("answer");
  if (drawn) bringToLife(drawn, null);
  window.addEventListener("hashchange", readLink);
  readLink();
})();
