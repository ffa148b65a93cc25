// The head of the page, the verdicts, and the figures.

const STATUS = { failed: ["bad", "✗ failed"], warning: ["warn", "! warning"], "not exercised": ["plain", "– not exercised"], held: ["good", "✓ held"] };

function startHead() {
  const names = [...new Set(DATA.runs.map((run) => run.scenario))];
  byId("title").textContent = names.length > 3 ? `${names.length} scenarios` : names.join(", ");
  document.title = `${byId("title").textContent} – simnet report`;
  const failed = DATA.verdicts.filter((row) => row.status === "failed").length;
  const held = DATA.runs.filter((run) => run.exit_code === 0).length;
  // A scenario may expect its run to break: then a check has failed, and the run ends with code 0 all the same.
  const look = held < DATA.runs.length ? "bad" : failed ? "warn" : "good";
  const verdict = byId("verdict");
  verdict.classList.add(look);
  verdict.textContent = `${{ good: "✓", warn: "!", bad: "✗" }[look]} ${verdictText(failed, held)}`;
  byId("runs").append(DATA.runs.length === 1 ? oneRun(DATA.runs[0]) : manyRuns());
  for (const section of document.querySelectorAll("main > section")) {
    byId("contents").append(el("li", {}, el("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)));
  }
}

function verdictText(failed, held) {
  const judged = DATA.verdicts.length;
  const rules = failed ? `${failed} of ${judged} checks and rules failed` : `none of ${judged} checks and rules failed`;
  const warnings = DATA.verdicts.filter((row) => row.status === "warning").length;
  const warned = warnings ? `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "";
  const asked = DATA.judged ? "" : "; the analyzer's rules were not asked";
  const many = DATA.runs.length;
  return many === 1 ? `The run ended with code ${DATA.runs[0].exit_code}: ${DATA.runs[0].ended}; ${rules}${warned}${asked}` : `${held} of ${many} runs ended with code 0; ${rules}${warned}${asked}`;
}

function oneRun(run) {
  const parts = [
    `Seed ${run.seed}`,
    `${run.nodes} nodes`,
    `${number(run.end_ms / 1000)} s of virtual time`,
    `${number(run.events)} events`,
    `${run.cost_model} costs${run.reproducible ? "" : " (not reproducible)"}`,
    run.security ? `security ${run.security}` : null,
    `simnet ${run.simnet}`,
  ];
  return el("p", { class: "muted" }, parts.filter(Boolean).join(" · "));
}

function manyRuns() {
  const heads = ["run", "group", "scenario", "seed", "ended", "nodes", "virtual s", "events", "costs", "simnet"];
  const rows = DATA.runs.map((run) => [
    run.folder, groupName(run.group), run.scenario, run.seed, `${run.exit_code}: ${run.ended}`, run.nodes, run.end_ms / 1000, run.events, run.cost_model, run.simnet,
  ]);
  return table(`${DATA.runs.length} runs in ${DATA.groups.length} ${DATA.groups.length === 1 ? "group" : "groups"}: runs of a group differ by their seeds`, heads, rows);
}

function startVerdicts() {
  const section = byId("verdicts");
  const grave = DATA.verdicts.filter((row) => row.status === "failed" || row.status === "warning");
  const rest = DATA.verdicts.filter((row) => !grave.includes(row));
  if (!DATA.verdicts.length) section.append(el("p", {}, "Nothing judged these runs."));
  else if (!grave.length) section.append(el("p", {}, "Nothing failed."));
  else section.append(verdictTable("What failed, and warnings", grave));
  if (rest.length) {
    const counted = ["held", "not exercised"].map((status) => [rest.filter((row) => row.status === status).length, status]);
    const counts = counted.filter(([count]) => count).map(([count, status]) => `${count} ${status}`).join(", ");
    section.append(folded(grave.length ? `The others: ${counts}` : counts, () => verdictTable("What held or was not exercised", rest)));
  }
}

function verdictTable(caption, rows) {
  const many = DATA.runs.length > 1;
  const heads = ["verdict", "what", ...(many ? ["runs"] : []), "found", "moment"];
  const cells = rows.map((row) => {
    const [look, text] = STATUS[row.status];
    const moment = row.at_ms === null ? "" : el("a", { href: "#timeline", class: "moment", onclick: (event) => goTo(event, row) }, seconds(row.at_ms));
    return [el("span", { class: `tag ${look}` }, text), row.what, ...(many ? [`${row.runs} of ${row.of}`] : []), row.told, moment];
  });
  return table(caption, heads, cells, [many ? 3 : 2]);
}

// Shows a verdict's moment in the charts.
function goTo(event, row) {
  event.preventDefault();
  if (row.run !== chosen.run) choose(row.run);
  showMoment(row.at_ms / 1000);
  byId("timeline").scrollIntoView();
  byId("timeline-tools").querySelector("button").focus({ preventScroll: true });
}

function startFigures() {
  const section = byId("figures");
  if (SEVERAL) {
    const spread = (value, unit) => (value === null ? "–" : value[1] === value[2] ? number(value[0], unit) : `${number(value[0], unit)} (${number(value[1])} – ${number(value[2])})`);
    const rows = DATA.facts.map((fact) => [fact.name, ...fact.values.map((value) => spread(value, fact.unit))]);
    section.append(table("Median over a group's runs (lowest – highest)", ["figure", ...DATA.groups.map((group) => group.name)], rows));
    return;
  }
  const tiles = DATA.facts.map((fact) => {
    const value = fact.values[0];
    const range = value && value[1] !== value[2] ? el("small", {}, ` ${number(value[1])} – ${number(value[2])}`) : null;
    return el("div", { class: "tile" }, el("dt", {}, fact.name), el("dd", { "data-figure": fact.name, "data-value": value ? value[0] : null }, value ? number(Number(value[0].toFixed(1)), fact.unit) : "–", range));
  });
  section.append(el("dl", { class: "tiles" }, tiles));
  if (DATA.runs.length > 1) section.append(el("p", { class: "note" }, "Medians over the runs, lowest – highest beside them."));
}
