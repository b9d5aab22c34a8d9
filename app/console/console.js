/** The page: agents on the left, the chosen one on the right. Texts from outside only ever become text nodes. */

import * as api from "/console/api.js";

const $ = (id) => document.getElementById(id);
const state = { agent: null, description: null, after: null };

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function show(problem) {
  const listed = (problem.problems ?? []).map((one) => `${one.path}: ${one.message}`);
  const wait = problem.retryAfter ? `Try again in ${problem.retryAfter} s.` : "";
  const correlation = problem.correlationId ? `(correlation id ${problem.correlationId})` : "";
  $("fault").textContent = [problem.message, ...listed, wait, correlation].filter(Boolean).join(" ");
  $("fault").hidden = false;
  if (problem.status === 401) $("sign-in").hidden = false;
}

/** Run, and show what goes wrong instead of losing it. */
async function guarded(action) {
  $("fault").hidden = true;
  try {
    await action();
  } catch (problem) {
    show(problem);
  }
}

function budgetText(budget) {
  const left = Math.max(0, budget.limit - budget.used);
  const until = new Date(budget.resetsAt).toLocaleTimeString();
  return `${left.toLocaleString()} of ${budget.limit.toLocaleString()} tokens left until ${until}`;
}

function card(name, description, health) {
  const button = element("button", "", { type: "button", "data-agent": name });
  button.append(
    element("strong", name, { class: health.status === "healthy" ? "healthy" : "degraded" }),
    element("small", description.description),
  );
  if (description.budget) {
    const { used, limit } = description.budget;
    const meter = element("meter", "", { min: 0, max: limit, value: used, high: limit * 0.8 });
    button.append(meter, element("small", budgetText(description.budget)));
  }
  button.addEventListener("click", () => guarded(() => choose(name)));
  const item = element("li");
  item.append(button);
  return item;
}

async function list() {
  const names = await api.agents();
  const cards = await Promise.all(
    names.map(async (name) => card(name, await api.describe(name), await api.health(name))),
  );
  $("agents").replaceChildren(...cards);
  mark();
  return names;
}

function mark() {
  for (const button of document.querySelectorAll("nav button")) {
    button.setAttribute("aria-current", String(button.dataset.agent === state.agent));
  }
}

function facts(description) {
  const rows = [
    ["Listens to", description.listens.join(", ") || "nothing"],
    ["Emits", description.emits.join(", ") || "nothing"],
    ["Budget", description.budget ? budgetText(description.budget) : "none"],
  ];
  $("facts").replaceChildren(...rows.flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
}

async function choose(name) {
  const description = await api.describe(name);
  Object.assign(state, { agent: name, description, after: null });
  $("name").textContent = name;
  $("description").textContent = description.description;
  $("answer").hidden = true;
  $("agent").hidden = false;
  facts(description);
  $("prompt").replaceChildren(
    ...description.prompts.map((one) => element("option", `${one.name} ${one.version}`, { value: one.name })),
  );
  $("prompt").value = description.default;
  examples();
  mark();
  await recent();
}

function chosenPrompt() {
  return state.description.prompts.find((one) => one.name === $("prompt").value);
}

function examples() {
  const found = chosenPrompt().examples;
  $("example").replaceChildren(...found.map((_, index) => element("option", `Example ${index + 1}`, { value: index })));
  fill();
}

function fill() {
  $("input").value = JSON.stringify(chosenPrompt().examples[$("example").value], null, 2);
}

function row(execution) {
  const { usage, startedAt, finishedAt } = execution;
  const took = (new Date(finishedAt) - new Date(startedAt)) / 1000;
  const cells = [
    new Date(startedAt).toLocaleString(),
    `${execution.prompt} ${execution.promptVersion}`,
    execution.provider,
    execution.model,
    (usage.promptTokens + usage.completionTokens).toLocaleString(),
    `${took.toFixed(1)} s`,
    execution.correlationId,
  ];
  const made = element("tr");
  made.append(...cells.map((text) => element("td", text)));
  return made;
}

/** The newest page, or the next one below what is shown. */
async function recent(more = false) {
  const page = await api.executions(state.agent, more ? state.after : null);
  const rows = page.executions.map(row);
  if (more) $("executions").append(...rows);
  else $("executions").replaceChildren(...rows);
  state.after = page.after;
  $("more").hidden = !page.after;
}

async function run() {
  let input;
  try {
    input = JSON.parse($("input").value);
  } catch (error) {
    throw new Error(`The input is not JSON: ${error.message}`);
  }
  $("execute").disabled = true;
  try {
    const done = await api.execute(state.agent, $("prompt").value, input);
    $("served").textContent = `${done.provider}, ${done.model}, correlation id ${done.correlationId}`;
    $("output").textContent = JSON.stringify(done.execution.output, null, 2);
    $("answer").hidden = false;
  } finally {
    $("execute").disabled = false;
  }
  await Promise.all([recent(), list()]);
}

async function start() {
  const names = await list();
  if (!state.agent && names.length) await choose(names[0]);
}

$("run").addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(run);
});
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  api.useToken($("token").value);
  $("token").value = "";
  guarded(start);
});
$("prompt").addEventListener("change", examples);
$("example").addEventListener("change", fill);
$("more").addEventListener("click", () => guarded(() => recent(true)));
guarded(start);
