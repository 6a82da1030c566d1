// What a builder says of things done: filters, when, and what came after; and the dialog in which operands are picked.
"use strict";

(() => {
  const { el, select, input, button, number } = window.builderParts;
  const TESTS = {
    text: [["=", "is"], ["<>", "is not"], ["in", "is one of"], ["not in", "is none of"]],
    money: [[">=", "at least"], [">", "more than"], ["<=", "at most"], ["<", "less than"], ["=", "is"], ["<>", "is not"]],
    bool: [["=", "is"]],
  };
  const PERIODS = { "this_week()": "this week", "this_month()": "this month", "this_quarter()": "this quarter", "this_year()": "this year", "today()": "today" };
  const DAY = /^date '(\d{4}-\d\d-\d\d)'$/;
  const today = () => new Date().toISOString().slice(0, 10);

  function details(operand, { facts, events, deeds, changed, anew }) {
    const list = el("div", { class: "cond-details" });
    const names = operand.names || [];
    const told = deeds[operand.deed].facts.filter((fact) => names.every((name) => (events[name] || { facts: ["channel", "source", "brand"] }).facts.includes(fact)));
    for (const one of operand.filters || []) list.append(filter(operand, one, told, facts, changed, anew));
    list.append(when(operand, changed, anew));
    if (operand.then) list.append(following(operand, events, changed, anew));
    const add = el("span", { class: "cond-more" });
    if (told.length) add.append(button("Add a filter", "quiet-button", () => { (operand.filters ||= []).push({ fact: told[0], test: "=", values: [""] }); anew("Fact"); }));
    if (operand.deed === "events" && !operand.then) add.append(button("Followed by …", "quiet-button", () => { operand.then = { name: "Order Completed", never: true, days: 3 }; anew("Event after"); }));
    list.append(add);
    return list;
  }

  function filter(operand, one, told, facts, changed, anew) {
    const fact = facts[one.fact], many = one.test === "in" || one.test === "not in";
    const line = el("span", { class: "cond-filter" }, el("span", { class: "soft" }, "with"),
      select("Fact", [...new Set([one.fact, ...told])].map((name) => [name, facts[name].label]), one.fact, (name) => {
        Object.assign(one, { fact: name, test: TESTS[facts[name].kind][0][0], values: [facts[name].kind === "bool" ? true : ""] });
        anew();
      }),
      select(`${fact.label}: how`, TESTS[fact.kind], one.test, (test) => { one.test = test; if (test !== "in" && test !== "not in") one.values = one.values.slice(0, 1); anew(); }));
    if (fact.kind === "bool") line.append(select(fact.label, [["true", "yes"], ["false", "no"]], String(one.values[0]), (v) => { one.values = [v === "true"]; changed(0); }));
    else if (fact.kind === "money") line.append(input(fact.label, "number", one.values[0], (v) => { one.values = [number(v)]; changed(); }, { step: "any" }));
    else line.append(input(many ? `${fact.label}: values, with commas between` : fact.label, "text", one.values.join(", "), (v) => {
      one.values = many ? v.split(",").map((x) => x.trim()).filter(Boolean) : [v];
      changed();
    }, { list: `values-${one.fact}` }));
    line.append(button("Remove the filter", "cond-drop", () => { operand.filters.splice(operand.filters.indexOf(one), 1); anew(); }));
    return line;
  }

  function when(operand, changed, anew) {
    const shape = operand.days ? "days" : operand.hours ? "hours"
      : operand.since && operand.before ? "between" : operand.since ? (PERIODS[operand.since] ? operand.since : "since") : operand.before ? "before" : "ever";
    const line = el("span", { class: "cond-filter" }, select("When", [["ever", "at any time"], ["days", "in the last days"], ["hours", "in the last hours"], ["since", "since a day"],
      ["before", "before a day"], ["between", "between two days"], ...Object.entries(PERIODS)], shape, (chosen) => {
      for (const key of ["days", "hours", "since", "before"]) delete operand[key];
      if (chosen === "days") operand.days = 30;
      if (chosen === "hours") operand.hours = 24;
      if (chosen === "since" || chosen === "between") operand.since = `date '${today().slice(0, 8)}01'`;
      if (chosen === "before" || chosen === "between") operand.before = `date '${today()}'`;
      if (PERIODS[chosen]) operand.since = chosen;
      anew();
    }));
    for (const key of ["days", "hours"]) if (shape === key) line.append(input(`How many ${key}`, "number", operand[key], (v) => {
      if (Number.isInteger(Number(v)) && Number(v) > 0) { operand[key] = Number(v); changed(); }
    }, { min: 1, step: 1, inputmode: "numeric" }), el("span", { class: "soft" }, key));
    for (const key of ["since", "before"]) if (operand[key] && !PERIODS[operand[key]]) {
      const day = DAY.exec(operand[key]);
      line.append(el("span", { class: "soft" }, key), day
        ? input(`${key} which day`, "date", day[1], (v) => { if (v) { operand[key] = `date '${v}'`; changed(); } })
        : input(`${key}, as SQL`, "text", operand[key], (v) => { if (v.trim()) { operand[key] = v; changed(); } }, { class: "cond-code" }));
    }
    return line;
  }

  function following(operand, events, changed, anew) {
    const then = operand.then, unit = then.hours ? "hours" : "days";
    const names = Object.keys(events).includes(then.name) ? Object.keys(events) : [then.name, ...Object.keys(events)];
    return el("span", { class: "cond-filter" },
      select("What came after", [["no", "and then no"], ["yes", "and then"]], then.never ? "no" : "yes", (v) => { then.never = v === "no"; changed(0); }),
      select("Event after", names.map((n) => [n, n]), then.name, (v) => { then.name = v; delete then.filters; changed(0); }),
      el("span", { class: "soft" }, "within"),
      input(`How many ${unit} after`, "number", then[unit], (v) => { if (Number.isInteger(Number(v)) && Number(v) > 0) { then[unit] = Number(v); changed(); } }, { min: 1, step: 1 }),
      select("Unit", [["days", "days"], ["hours", "hours"]], unit, (v) => { const n = then[unit]; delete then[unit]; then[v] = n; anew(); }),
      button("Remove what came after", "cond-drop", () => { delete operand.then; anew(); }));
  }

  // The dialog: everything there is, under headings, narrowed by typing; arrows move, Enter picks, Escape leaves.
  let choose = null;
  const dialog = document.querySelector("#picker");
  const search = dialog && dialog.querySelector("input");
  const results = dialog && dialog.querySelector(".pick-list");
  const shown = () => [...results.querySelectorAll("button:not([hidden])")];
  const picker = {
    open(act) { choose = act; search.value = ""; this.narrow(); dialog.showModal(); search.focus(); },
    fill(offers) {
      const groups = new Map();
      const put = (group, label, note, operand) => {
        const made = button("", "pick", () => { dialog.close(); choose(structuredClone(operand)); });
        made.append(el("span", { class: "pick-label" }, label), el("span", { class: "pick-note" }, note));
        made.dataset.words = `${label} ${note} ${group} ${operand.trait || operand.names || ""}`.toLowerCase();
        (groups.get(group) || groups.set(group, []).get(group)).push(made);
      };
      for (const deed of offers.deeds) {
        const names = ["events", "first", "last"].includes(deed.name);
        put("What they did", deed.label, deed.sentence, { deed: deed.name, ...(names ? { names: ["Product Viewed"] } : {}), ...(deed.name === "first" || deed.name === "last" ? {} : { days: 30 }) });
      }
      for (const trait of offers.traits) put(trait.group, trait.label, trait.unit && trait.unit.toLowerCase() !== trait.label.toLowerCase() ? `${trait.sentence} In ${trait.unit}.` : trait.sentence, { trait: trait.name });
      if (offers.segments.length) put("Segments", "Segment", "Whether they are in another segment.", { segment: offers.segments[0].name });
      for (const event of offers.events) put("Events", event.name, event.sentence, { deed: "events", names: [event.name], days: 30 });
      results.replaceChildren(...[...groups].map(([group, rows]) => el("section", { class: "pick-group", "aria-label": group }, el("h3", {}, group), ...rows)));
    },
    narrow() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const section of results.children) {
        for (const row of section.querySelectorAll("button")) row.hidden = !words.every((word) => row.dataset.words.includes(word));
        section.hidden = !section.querySelector("button:not([hidden])");
      }
      dialog.querySelector(".pick-none").hidden = shown().length > 0;
    },
  };
  if (dialog) {
    search.addEventListener("input", () => picker.narrow());
    dialog.querySelector(".pick-close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => {
      const rows = shown(), at = rows.indexOf(document.activeElement);
      const to = event.key === "ArrowDown" ? rows[at + 1] : event.key === "ArrowUp" ? (at > 0 ? rows[at - 1] : search) : null;
      if (event.key === "Enter" && document.activeElement === search) { event.preventDefault(); rows[0]?.click(); }
      if (to) { event.preventDefault(); to.focus(); }
    });
  }
  window.builderDeeds = { details };
  window.builderPicker = picker;
})();
