"use strict";
(() => {
  const byId = (id) => document.getElementById(id);

  // A link to a control opens it.
  const open = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    for (let at = id && byId(id); at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (id && byId(id)) byId(id).scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // What is folded is printed, too.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of folded) each.open = false; });

  const holder = byId("data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const [RULE, STATE, SEVERITY, MESSAGE, PATH, LINE, COLUMN, SNIPPET, MEND, REASON, ADDRESS] = [...Array(11).keys()];
  const fields = { text: byId("f-text"), state: byId("f-state"), severity: byId("f-severity"), rule: byId("f-rule"), control: byId("f-control") };
  const list = byId("list"), count = byId("count"), pages = byId("pages"), where = byId("where");
  const before = byId("before"), after = byId("after"), form = byId("filter");
  let chosen = data.findings, page = 0;

  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };

  const item = (row) => {
    const [rule, controls] = data.rules[row[RULE]];
    const node = make("li"), head = make("p", undefined, "head"), place = make("p", undefined, "place");
    const severity = data.severities[row[SEVERITY]];
    head.append(make("span", severity, "severity v-" + severity), " ", make("strong", row[MESSAGE]));
    const line = row[LINE] ? `:${row[LINE]}:${row[COLUMN]}` : "";
    place.append(make("code", `${data.texts[row[PATH]]}${line}`), ` · ${data.states[row[STATE]]} · `, make("code", rule));
    if (controls.length) place.append(" · " + controls.join(", "));
    node.append(head, place);
    if (row[SNIPPET].trim()) {
      const pre = make("pre");
      pre.append(make("code", row[SNIPPET]));
      node.append(pre);
    }
    if (row[REASON] >= 0) node.append(make("p", "Set aside: " + data.texts[row[REASON]]));
    if (data.texts[row[MEND]]) node.append(make("p", data.texts[row[MEND]]));
    return node;
  };

  const show = () => {
    const last = Math.max(0, Math.ceil(chosen.length / data.page) - 1);
    page = Math.min(page, last);
    const start = page * data.page, rows = chosen.slice(start, start + data.page);
    list.replaceChildren(...rows.map(item));
    const number = (value) => value.toLocaleString("en");
    count.textContent = chosen.length
      ? `${number(start + 1)} to ${number(start + rows.length)} of ${number(chosen.length)} findings, the worst first.`
      : "No finding is like that.";
    where.textContent = `Page ${number(page + 1)} of ${number(last + 1)}`;
    before.disabled = page === 0;
    after.disabled = page === last;
    pages.hidden = last === 0;
  };

  const choose = () => {
    const text = fields.text.value.toLowerCase();
    const state = data.states.indexOf(fields.state.value), severity = data.severities.indexOf(fields.severity.value);
    const rule = fields.rule.value, control = fields.control ? fields.control.value : "";
    chosen = data.findings.filter((row) =>
      (state < 0 || row[STATE] === state) &&
      (severity < 0 || row[SEVERITY] === severity) &&
      (!rule || data.rules[row[RULE]][0] === rule) &&
      (!control || data.rules[row[RULE]][1].includes(control)) &&
      (!text || row[MESSAGE].toLowerCase().includes(text) || data.texts[row[PATH]].toLowerCase().includes(text) || row[ADDRESS].toLowerCase().includes(text)));
    page = 0;
    show();
  };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", choose);
  form.addEventListener("reset", () => setTimeout(choose));
  const turn = (by) => { page += by; show(); byId("findings").focus(); };
  before.addEventListener("click", () => turn(-1));
  after.addEventListener("click", () => turn(1));
  for (const link of document.querySelectorAll("a.jump")) {
    link.addEventListener("click", () => { form.reset(); fields.rule.value = link.dataset.rule; setTimeout(choose); });
  }
  show();
})();
