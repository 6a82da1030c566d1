// What the server says of a condition, beside the builder: the sentence, the size, or what is wrong and where.
"use strict";

(() => {
  const at = (id) => document.getElementById(id);
  const count = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
  const money = (code) => new Intl.NumberFormat("en-GB", { style: "currency", currency: code, currencyDisplay: "narrowSymbol", maximumFractionDigits: 0, minimumFractionDigits: 0 });
  const percent = (share) => (share > 0 && share < 0.005 ? "<1%" : share > 0.995 && share < 1 ? ">99%" : `${Math.round(share * 100)}%`);
  let marked = null;

  const answer = {
    show(told, typed) {
      const box = at("f-condition"), wrong = at("wrong");
      wrong.hidden = !told.error;
      if (told.error && typed) box.setAttribute("aria-invalid", "true");
      else box.removeAttribute("aria-invalid");
      if (told.error) {
        this.mark(told);
        at("english").textContent = "";
        at("size").hidden = true;
        return;
      }
      at("english").textContent = `${told.english}.`;
      if (told.size) this.size(told.size);
    },
    mark({ text, error }) {
      const { message, hint, start, stop } = error;
      const placed = Number.isInteger(start);
      marked = placed ? [start, Math.max(stop, start)] : null;
      const sentence = (said) => (said ? `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.?!]$/.test(said) ? "" : "."}` : "");
      at("wrong-what").textContent = sentence(message);
      at("wrong-hint").textContent = sentence(hint);
      at("goto").hidden = !placed;
      const shown = at("wrong-place");
      shown.hidden = !placed;
      if (!placed) return;
      // The server counts characters; a script counts UTF-16 units.
      const signs = [...text], mark = document.createElement("mark");
      mark.textContent = signs.slice(start, stop).join("") || "\u2009";
      shown.replaceChildren(signs.slice(Math.max(0, start - 120), start).join(""), mark, signs.slice(stop, stop + 120).join(""));
      marked = [signs.slice(0, start).join("").length, signs.slice(0, Math.max(stop, start)).join("").length];
    },
    goto(box) {
      if (!marked) return;
      box.focus();
      box.setSelectionRange(...marked);
    },
    size(told) {
      const show = money(told.currency);
      at("size").hidden = false;
      at("size-n").textContent = told.exact ? count.format(told.customers) : `about ${count.format(told.customers)}`;
      at("size-n-note").textContent = told.exact ? `${percent(told.share)} of ${count.format(told.of)} customers` : `${count.format(told.low)} to ${count.format(told.high)}; counting exactly …`;
      at("size-value").textContent = told.exact ? show.format(told.expected) : `about ${show.format(told.expected)}`;
      at("size-value-note").textContent = told.exact ? `${percent(told.expected_share)} of everybody's next ${at("size-value-note").dataset.ahead}` : `${show.format(told.expected_low)} to ${show.format(told.expected_high)}`;
      at("size-margin").textContent = show.format(told.margin);
      at("size").dataset.exact = told.exact;
    },
    nothing() {
      at("english").textContent = "Nothing is asked yet: add a condition, or write one.";
      at("wrong").hidden = true;
      at("f-condition").removeAttribute("aria-invalid");
      at("size").hidden = true;
    },
  };
  window.builderAnswer = answer;

  // A name is proposed from the title until somebody writes one.
  const title = at("f-title"), name = at("f-name");
  let own = Boolean(name && name.value);
  if (title && name && !name.readOnly) {
    name.addEventListener("input", () => { own = Boolean(name.value); });
    title.addEventListener("input", () => {
      if (!own) name.value = title.value.normalize("NFKD").toLowerCase().replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64).replace(/-+$/, "");
    });
  }
})();
