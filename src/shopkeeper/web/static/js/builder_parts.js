// Pieces of the builder of conditions: elements, and how values of each kind are typed in, kept and read back.
"use strict";

(() => {
  let count = 0;
  const el = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const select = (label, choices, value, act) => {
    const made = el("select", { "aria-label": label }, ...choices.map(([key, text]) => el("option", { value: key }, text)));
    made.value = value;
    made.addEventListener("change", () => act(made.value));
    return made;
  };
  const input = (label, type, value, act, more = {}) => {
    const made = el("input", { type, "aria-label": label, autocomplete: "off", ...more });
    made.value = value ?? "";
    made.addEventListener("input", () => act(made.value));
    return made;
  };
  const button = (text, style, act) => {
    const made = el("button", { type: "button", class: style }, text);
    made.addEventListener("click", act);
    return made;
  };
  const number = (text) => (text.trim() === "" || !Number.isFinite(Number(text)) ? "" : Number(text));

  const KNOWN = [["is known", "is known"], ["is unknown", "is not known"]];
  const SIZES = [[">=", "at least"], [">", "more than"], ["<=", "at most"], ["<", "less than"], ["=", "is"], ["<>", "is not"], ["between", "from … to"]];
  const TEXTS = [["=", "is"], ["<>", "is not"], ["in", "is one of"], ["not in", "is none of"], ["ilike %x%", "contains"], ["ilike x%", "begins with"], ["ilike", "is like (% is anything)"]];
  const TIMES = [["last", "in the last"], ["before last", "longer ago than"], [">=", "on or after"], [">", "after"], ["<=", "on or before"], ["<", "before"], ["between", "from … to"]];
  const OPERATORS = {
    number: [...SIZES, ...KNOWN], money: [...SIZES, ...KNOWN], share: [...SIZES, ...KNOWN], text: [...TEXTS, ...KNOWN], list: KNOWN,
    day: [...TIMES, ...KNOWN], time: [...TIMES, ...KNOWN], bool: [["yes", "is so"], ["no", "is not so"], ...KNOWN],
    segment: [["in", "is in"], ["not in", "is not in"]],
    times: [["happened", "at least once"], ["did not happen", "never"], [">=", "at least"], ["<=", "at most"], ["=", "exactly"], [">", "more than"], ["<", "fewer than"], ["between", "from … to"]],
  };
  const BARE = new Set(["yes", "no", "is known", "is unknown", "happened", "did not happen"]);
  const PAIRS = new Set(["between", "not between"]);
  const LISTS = new Set(["in", "not in"]);
  const empty = (value) => value === "" || value === undefined || value === null || (typeof value === "object" && !Array.isArray(value) && !value.sql);

  const filled = (row, kind) => {
    if (kind === "segment") return Boolean(row.operand.segment);
    if (row.operand.deed && ["events", "first", "last"].includes(row.operand.deed) && !(row.operand.names || []).length) return false;
    if (BARE.has(row.operator)) return true;
    return Array.isArray(row.value) ? row.value.length > 0 && !row.value.some(empty) : !empty(row.value);
  };
  const begin = (operator, blank) => BARE.has(operator) ? undefined : PAIRS.has(operator) ? [blank, blank] : LISTS.has(operator) ? [] : blank;
  const pair = (values) => values.length === 2 ? [values[0], el("span", { class: "soft" }, "to"), values[1]] : values;
  const written = (label, value, act) => input(`${label}, as SQL`, "text", value.sql, (text) => act({ sql: text }), { class: "cond-code" });

  // Numbers; shares are typed in per cent.
  const sized = (scale, unitOf) => ({
    begin: (operator) => begin(operator, ""),
    choose(row, operator) {
      const one = Array.isArray(row.value) ? row.value[0] : row.value;
      row.operator = operator;
      row.value = PAIRS.has(operator) ? [one ?? "", ""] : begin(operator, one ?? "");
    },
    inputs(row, { label, unit, currency, changed }) {
      if (BARE.has(row.operator)) return [];
      const single = !Array.isArray(row.value);
      const values = single ? [row.value] : row.value;
      const put = (i, value) => { if (single) row.value = value; else row.value[i] = value; changed(); };
      const shown = values.map((value, i) => value !== null && typeof value === "object" ? written(label, value, (v) => put(i, v))
        : input(`${label}: ${values.length > 1 ? (i ? "to" : "from") : "value"}`, "number",
          value === "" || value === undefined ? "" : scale === 1 ? value : Number((value * scale).toPrecision(12)),
          (text) => put(i, number(text) === "" ? "" : Number((number(text) / scale).toPrecision(12))), { step: "any", inputmode: "decimal" }));
      const said = unitOf(unit, currency);
      return [...(LISTS.has(row.operator) ? shown : pair(shown)), ...(said ? [el("span", { class: "soft" }, said)] : [])];
    },
  });

  const pattern = (row) => row.operator !== "ilike" || typeof row.value !== "string" ? row.operator
    : /^%[^%_]+%$/.test(row.value) ? "ilike %x%" : /^[^%_]+%$/.test(row.value) ? "ilike x%" : "ilike";
  const texts = {
    begin: (operator, trait) => begin(operator, trait?.values.length ? trait.values[0] : ""),
    operator: (row) => row.shape || pattern(row),
    choose(row, chosen, trait) {
      const one = String((Array.isArray(row.value) ? row.value[0] : row.value) ?? "").replace(/^%|%$/g, "");
      row.shape = chosen.startsWith("ilike") ? chosen : undefined;
      row.operator = chosen.startsWith("ilike") ? "ilike" : chosen;
      row.value = BARE.has(chosen) ? undefined : LISTS.has(chosen) ? (one ? [one] : []) : row.shape ? (one ? chosen.slice(6).replace("x", one) || one : "") : one || begin(chosen, trait?.values[0] ?? "");
    },
    inputs(row, { label, trait, changed }) {
      if (BARE.has(row.operator)) return [];
      const known = trait?.values || [];
      if (LISTS.has(row.operator)) {
        if (known.length) return known.map((value) => {
          const id = `c${++count}`;
          const tick = el("input", { type: "checkbox", id });
          tick.checked = row.value.includes(value);
          tick.addEventListener("change", () => { row.value = known.filter((v) => v === value ? tick.checked : row.value.includes(v)); changed(0); });
          return el("span", { class: "cond-tick" }, tick, el("label", { for: id }, value));
        });
        return [input(`${label}: values, with commas between`, "text", row.value.join(", "), (text) => { row.value = text.split(",").map((v) => v.trim()).filter(Boolean); changed(); }, { list: trait && `values-${trait.name}` })];
      }
      if (row.value !== null && typeof row.value === "object") return [written(label, row.value, (v) => { row.value = v; changed(); })];
      const shape = texts.operator(row);
      if (known.length && !shape.startsWith("ilike")) return [select(`${label}: value`, known.includes(row.value) ? known.map((v) => [v, v]) : [[row.value, row.value], ...known.map((v) => [v, v])], row.value, (v) => { row.value = v; changed(0); })];
      const bare = shape === "ilike %x%" ? row.value.replace(/^%|%$/g, "") : shape === "ilike x%" ? row.value.replace(/%$/, "") : row.value;
      return [input(`${label}: value`, "text", bare, (text) => { row.value = !text ? "" : shape === "ilike %x%" ? `%${text}%` : shape === "ilike x%" ? `${text}%` : text; changed(); }, { list: trait && `values-${trait.name}` })];
    },
  };

  // Days and instants; "in the last 30 days" is a comparison with today or now less an interval.
  const AGO = /^(?:today|now)\(\) - interval '(\d+) (minute|hour|day|week|month|year)s?'$/;
  const DAY = /^date '(\d{4}-\d\d-\d\d)'$/;
  const timed = (now, units) => {
    const since = (n, unit) => ({ sql: `${now} - interval '${n} ${unit}${n === 1 ? "" : "s"}'` });
    const ago = (row) => typeof row.value === "object" && row.value && !Array.isArray(row.value) ? AGO.exec(row.value.sql || "") : null;
    const day = (value, label, act) => value && value.sql && !DAY.test(value.sql) ? written(label, value, act)
      : input(label, "date", value && value.sql ? DAY.exec(value.sql)[1] : "", (text) => act(text ? { sql: `date '${text}'` } : ""), { min: "1900-01-01", max: "2199-12-31" });
    return {
      begin: (operator) => operator === "last" ? since(30, "day") : begin(operator, ""),
      operator: (row) => row.shape || (ago(row) && row.operator === ">=" ? "last" : ago(row) && row.operator === "<" ? "before last" : row.operator),
      choose(row, chosen) {
        const relative = chosen === "last" || chosen === "before last";
        const kept = ago(row) ? row.value : since(30, "day");
        const one = Array.isArray(row.value) ? row.value[0] : ago(row) ? "" : row.value;
        row.shape = chosen;
        row.operator = chosen === "last" ? ">=" : chosen === "before last" ? "<" : chosen;
        row.value = relative ? kept : PAIRS.has(chosen) ? [one ?? "", ""] : begin(chosen, one ?? "");
      },
      inputs(row, { label, changed }) {
        if (BARE.has(row.operator)) return [];
        const put = (value) => { row.value = value; changed(); };
        const shape = this.operator(row);
        if ((shape === "last" || shape === "before last") && (ago(row) || row.value === "")) {
          let [, n, unit] = ago(row) || [null, "", "day"];
          return [input(`${label}: how many`, "number", n, (text) => { n = text; put(number(text) === "" || Number(text) < 1 ? "" : since(Math.floor(Number(text)), unit)); }, { min: 1, step: 1, inputmode: "numeric" }),
            select(`${label}: unit`, units.map((u) => [u, `${u}s`]), unit, (chosen) => { unit = chosen; if (number(String(n)) !== "") put(since(Number(n), unit)); })];
        }
        if (Array.isArray(row.value)) return pair(row.value.map((value, i) => day(value, `${label}: ${i ? "to" : "from"}`, (v) => { row.value[i] = v; changed(); })));
        return [day(row.value, `${label}: day`, put)];
      },
    };
  };

  const none = { begin: () => undefined, choose(row, operator) { row.operator = operator; row.value = undefined; }, inputs: () => [] };
  const KINDS = {
    number: sized(1, (unit) => unit), money: sized(1, (_, currency) => currency), share: sized(100, () => "%"), times: sized(1, () => "times"),
    text: texts, list: none, bool: none,
    day: timed("today()", ["day", "week", "month", "year"]), time: timed("now()", ["hour", "day", "week"]),
    segment: { ...none, inputs: (row, { segments, changed }) => [select("Segment", [["", "choose one"], ...segments.map((s) => [s.name, s.title])], row.operand.segment, (name) => { row.operand.segment = name; changed(0); })] },
  };
  window.builderParts = { el, select, input, button, KINDS, operatorsOf: (kind) => OPERATORS[kind], filled, number };
})();
