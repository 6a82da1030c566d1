// A condition by clicking and by typing: the rows and the text are two views of what the server last understood.
// Rows are the JSON of domain/condition/builder.py; what is not complete yet stays here and is not asked about.
"use strict";

(() => {
  const place = document.querySelector("#builder");
  if (!place) return;
  const offers = JSON.parse(document.querySelector("#offers").textContent);
  const headers = { "content-type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers") || "{}") };
  const box = document.querySelector("#f-condition");
  const by = (rows, key = "name") => Object.fromEntries(rows.map((row) => [row[key], row]));
  const traits = by(offers.traits), deeds = by(offers.deeds), facts = by(offers.facts), events = by(offers.events);
  const { el, select, input, button, KINDS, TESTS, operatorsOf, filled } = window.builderParts;
  let root = { match: "all", rows: [] };
  let asked = 0, waiting = null, unsent = null;

  // What kind of value an operand is compared with.
  const kindOf = (o) => o.trait ? (traits[o.trait] || { kind: "text" }).kind
    : o.segment !== undefined ? "segment" : o.deed === "spend" ? "money" : o.deed === "events" || o.deed === "orders" ? "times" : "time";
  const unitOf = (o) => o.trait ? (traits[o.trait] || {}).unit || "" : "";
  const labelOf = (o) => o.trait ? (traits[o.trait] || { label: o.trait }).label
    : o.segment !== undefined ? "Segment" : deeds[o.deed].label;

  // Only complete rows are sent; a group without any is left out.
  const pruned = (node) => {
    if (node.expression !== undefined) return node.expression.trim() ? node : null;
    if (!node.match) return filled(node, kindOf(node.operand)) ? stripped(node) : null;
    const rows = node.rows.map(pruned).filter(Boolean);
    return rows.length ? { match: node.match, rows } : null;
  };
  const whole = (filter) => filter.values.length > 0 && filter.values.every((v) => v !== "" && v !== null);
  const stripped = (row) => {
    const operand = { ...row.operand };
    if (operand.filters) operand.filters = operand.filters.filter(whole);
    if (operand.filters && !operand.filters.length) delete operand.filters;
    const sent = { operand, operator: row.operator };
    if (row.value !== undefined) sent.value = row.value;
    return sent;
  };
  const unfinished = (node) => node.match ? node.rows.reduce((sum, row) => sum + unfinished(row), 0)
    : (pruned(node) ? 0 : 1) + (node.operand?.filters || []).filter((filter) => !whole(filter)).length;

  function changed(delay = 250) {
    const open = unfinished(root);
    document.querySelector("#unfinished").textContent = open ? `${open} ${open === 1 ? "row or filter is" : "rows or filters are"} not complete yet and left out.` : "";
    const builder = pruned(root);
    if (builder) later({ builder }, delay);
    else { cancel(); box.value = ""; window.builderAnswer.nothing(); }
  }
  const cancel = () => { clearTimeout(waiting); asked += 1; unsent = null; };
  const later = (body, delay) => { cancel(); unsent = body; waiting = setTimeout(() => ask(body), delay); };

  async function ask(body) {
    const mine = ++asked;
    const told = await call({ ...body, size: "estimate" });
    if (mine !== asked || !told) return;
    unsent = null;
    window.builderAnswer.show(told, body.builder === undefined);
    if (body.builder !== undefined) box.value = told.text;
    else if (told.builder) { root = grouped(told.builder); draw(); document.querySelector("#unfinished").textContent = ""; }
    if (told.error || !told.size || told.size.exact) return;
    const exact = await call({ text: told.text, size: "exact" });
    if (mine === asked && exact && exact.size) window.builderAnswer.size(exact.size);
  }
  async function call(body) {
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(place.dataset.read, { method: "POST", headers, body: JSON.stringify(body) });
      if (answer.status === 401) { location.reload(); return null; }
      const told = await answer.json();
      return answer.ok ? told : { text: box.value, error: { message: told.message || (told.error || {}).message || "the server could not answer", hint: "" } };
    } catch {
      return { text: box.value, error: { message: "the server does not answer", hint: "try again" } };
    } finally { place.removeAttribute("aria-busy"); }
  }
  const grouped = (node) => node.match ? node : { match: "all", rows: [node] };

  // Drawing. Every piece changes its own node and asks; only what adds or takes away draws anew.
  const draw = () => place.replaceChildren(group(root, null));
  // Afterwards the focus is where it was, or on what was added: the last one called ``added``, or a new row's value.
  function anew(path, added) {
    const was = added || document.activeElement?.getAttribute("aria-label");
    draw();
    changed(0);
    const target = place.querySelector(`[data-path="${path}"]`) || place;
    const same = was && [...target.querySelectorAll("[aria-label]")].filter((one) => one.getAttribute("aria-label") === was).pop();
    const value = added === "value" && target.querySelector(".cond-values input, .cond-values select");
    (value || same || target.querySelector("select, input, button"))?.focus();
  }

  function group(node, parent, path = "0") {
    const field = el("fieldset", { class: "cond-group", "data-path": path });
    const match = select("Match", [["all", "All of these"], ["any", "Any of these"], ["none", "None of these"]], node.match,
      (value) => { node.match = value; field.dataset.match = value; changed(0); });
    field.dataset.match = node.match;
    const legend = el("legend", { class: "unseen" }, parent ? "Group within" : "Customers of whom");
    const head = el("div", { class: "cond-head" }, match);
    if (parent) head.append(button("Remove the group", "cond-drop", () => { parent.rows.splice(parent.rows.indexOf(node), 1); anew(path.slice(0, path.lastIndexOf("."))); }));
    const rows = el("ul", { class: "cond-rows" }, ...node.rows.map((row, i) =>
      el("li", {}, row.match ? group(row, node, `${path}.${i}`) : line(row, node, `${path}.${i}`))));
    const add = el("div", { class: "cond-add" },
      button("Add a condition", "button plain", () => window.builderPicker.open((operand) => {
        node.rows.push(fresh(operand));
        anew(`${path}.${node.rows.length - 1}`, "value");
      })),
      button("Add a group", "quiet-button", () => { node.rows.push({ match: "any", rows: [] }); anew(`${path}.${node.rows.length - 1}`); }));
    field.append(legend, head, rows, add);
    return field;
  }

  function fresh(operand) {
    const kind = kindOf(operand), operator = operatorsOf(kind)[0][0];
    return { operand, operator, value: KINDS[kind].begin(operator, traits[operand.trait]) };
  }

  function line(row, parent, path) {
    const item = el("div", { class: "cond-row", "data-path": path });
    const drop = button("Remove", "cond-drop", () => { parent.rows.splice(parent.rows.indexOf(row), 1); anew(path.slice(0, path.lastIndexOf("."))); });
    if (row.expression !== undefined) {
      item.append(el("div", { class: "cond-main" }, el("code", { class: "cond-sql" }, row.expression), el("span", { class: "soft" }, "as text only"), drop));
      return item;
    }
    const kind = kindOf(row.operand), label = labelOf(row.operand);
    const pick = button(label, "cond-operand", () => window.builderPicker.open((operand) => { Object.assign(row, fresh(operand)); anew(path, "value"); }));
    pick.setAttribute("aria-label", `${label}: choose another`);
    const values = el("span", { class: "cond-values" });
    const value = () => values.replaceChildren(...KINDS[kind].inputs(row, {
      label, unit: unitOf(row.operand), trait: traits[row.operand.trait], segments: offers.segments, currency: place.dataset.currency, changed }));
    const operators = operatorsOf(kind);
    const shown = KINDS[kind].operator ? KINDS[kind].operator(row) : row.operator;
    const operator = select(`${label}: how`, operators.some(([key]) => key === shown) ? operators : [...operators, [shown, shown]], shown, (chosen) => {
      KINDS[kind].choose(row, chosen, traits[row.operand.trait]);
      value();
      changed(0);
    });
    value();
    item.append(el("div", { class: "cond-main" }, pick, ...(row.operand.names ? [named(row.operand, path)] : []), operator, values, drop));
    if (row.operand.deed) item.append(window.builderDeeds.details(row.operand, { facts, events, deeds, changed, anew: (added) => anew(path, added) }));
    return item;
  }

  // Which event: one, or several where the text says so.
  function named(operand, path) {
    const names = operand.names;
    const known = offers.events.map((event) => [event.name, event.name]);
    const shown = names.length === 1 ? names[0] : names.join(" or ");
    const choices = events[shown] ? known : [[shown, shown], ...known];
    return select("Event", choices, shown, (chosen) => {
      operand.names = [chosen];
      if (operand.filters) operand.filters = operand.filters.filter((one) => (events[chosen] || { facts: [] }).facts.includes(one.fact));
      anew(path);
    });
  }

  box.addEventListener("input", () => {
    if (box.value.trim()) later({ text: box.value }, 300);
    else { cancel(); root = { match: "all", rows: [] }; draw(); window.builderAnswer.nothing(); }
  });
  // What was clicked last may not have come back as text yet: it is waited for before it is saved.
  box.form.addEventListener("submit", async (event) => {
    if (!unsent || unsent.builder === undefined) return;
    event.preventDefault();
    clearTimeout(waiting);
    await ask(unsent);
    unsent = null;
    box.form.requestSubmit(event.submitter);
  });
  addEventListener("pageshow", (event) => { if (event.persisted && box.value.trim()) ask({ text: box.value }); });
  document.querySelector("#goto").addEventListener("click", () => window.builderAnswer.goto(box));
  window.builderPicker.fill(offers);
  document.documentElement.classList.add("builds");
  draw();
  if (box.value.trim()) ask({ text: box.value });
})();
