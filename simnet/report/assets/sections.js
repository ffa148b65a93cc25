// Propagation, proofs, refused proofs, and how the page was made.

function startSpread() {
  const section = byId("spread");
  const { delays, views } = DATA.propagation;
  let view = 0;
  const place = figure("Share of receivers reached within a delay", "First receptions of honest transfers and probes, late repairs left out.", 280);
  place.made.id = "chart-spread";
  const series = () => views[view].series;
  if (!views.some((entry) => entry.series.length)) {
    section.append(el("p", {}, "Nothing was received."));
    return;
  }
  const fold = el("div", {});
  place.made.append(fold);
  const parts = () => {
    keepLegendOnce(place.keys, () => seriesLegend(series()));
    const rows = series().map((one) => [seriesName(one), ...["count", "p50", "p95", "p99"].map((name) => one.quantiles[name])]);
    fold.replaceChildren(folded("Table", () => table(`Delays in ms by ${views[view].title}`, ["of", "receptions", "median", "95 %", "99 %"], rows)));
  };
  section.append(el("div", { class: "bar" }, selection("Curves by", views.map((entry) => entry.title), (index) => { view = index; parts(); entry.refresh(); })));
  section.append(place.made);
  let entry = null;
  legends.push(parts);
  parts();
  later(() => {
    const label = () => `Propagation by ${views[view].title}. ${series().map((one) => `${seriesName(one)}: median ${one.quantiles.p50} ms, 95 % within ${one.quantiles.p95} ms`).join("; ")}`;
    entry = draw(place.place, label, () => ({
      animation: false,
      grid: { left: 8, right: 20, top: 14, bottom: 6, containLabel: true },
      xAxis: { type: "value", min: 0, max: delays[delays.length - 1], ...axisLook(), axisLabel: { color: colour("muted"), hideOverlap: true, showMaxLabel: false, formatter: (value) => `${number(value)} ms` }, splitLine: { show: false } },
      yAxis: { type: "value", min: 0, max: 1, ...axisLook(), axisLabel: { color: colour("muted"), formatter: (value) => `${Math.round(value * 100)} %` } },
      tooltip: { trigger: "axis", ...tooltipLook(), formatter: (found) => tip(`within ${number(found[0].axisValue)} ms`, found.filter((at) => /^line\d+$/.test(at.seriesId)).map((at) => [at.seriesName, `${(100 * at.value[1]).toFixed(1)} %`])) },
      series: lines(delays, series(), {}),
    }));
  });
}

function keepLegendOnce(place, make) {
  place.replaceChildren(make());
}

function startProofs() {
  const section = byId("proofs");
  if (DATA.network_only) {
    section.append(el("p", {}, "These runs had no chain, and so no proofs."));
    return;
  }
  let measure = 0;
  const measures = DATA.proofs.measures;
  const names = [...new Set(measures.flatMap((entry) => entry.boxes.map((box) => box.name)))].sort();
  if (!names.length) {
    section.append(el("p", {}, "No proof was made."));
    return;
  }
  section.append(el("p", { class: "note" }, "Virtual times. A box goes from the lower to the upper quartile, its line is the median, its whiskers end at 5 % and 95 %. The axis is logarithmic."));
  let entry = null;
  section.append(el("div", { class: "bar" }, selection("Show", measures.map((one) => `${one.title} (${one.unit})`), (index) => { measure = index; entry.refresh(); })));
  const { made, place, keys } = figure("By backend and circuit", DATA.runs.length > 1 ? "Medians of the runs' quantiles." : "", 60 + names.length * (SEVERAL ? 14 + 14 * DATA.groups.length : 26));
  made.id = "chart-proofs";
  if (SEVERAL) keepLegend(keys, () => legend(DATA.groups.map((group) => group.name), DATA.groups.map((_, index) => palette(index))));
  made.append(folded("Table", proofTable));
  section.append(made);
  later(() => {
    const label = () => `${measures[measure].title} by backend and circuit: ${measures[measure].boxes.map((box) => `${box.name} median ${shown(box.box[2], measures[measure].unit)}`).join("; ")}`;
    entry = draw(place, label, () => boxOption(measures[measure], names, place.clientWidth < 560));
  });
}

// On a logarithmic axis there is no 0: what is below a thousandth of a millisecond is drawn there.
const LEAST = 0.001;
function boxOption(measure, names, narrow) {
  const rows = [...names].reverse();
  const value = (at) => shown(Number(at.toPrecision(3)), measure.unit);
  const series = DATA.groups.map((group, index) => {
    const data = rows.map((name) => {
      const found = measure.boxes.find((box) => box.group === index && box.name === name);
      return found ? { value: found.box.map((at) => Math.max(at, LEAST)), exact: found.box, itemStyle: boxLook(name, index) } : { value: [] };
    });
    return { type: "boxplot", name: group.name, data, boxWidth: [6, 14], emphasis: { disabled: true } };
  });
  // A box without width, as of calibrated costs, would hardly be seen: its median is a point, too.
  if (!SEVERAL) series.push({ type: "scatter", data: series[0].data.map((one, row) => (one.exact ? { value: [one.value[2], row], exact: one.exact, itemStyle: { color: one.itemStyle.borderColor } } : { value: [] })), symbol: (_, point) => SHAPES[backendIndex(rows[point.dataIndex].split(" ")[0])], symbolSize: 8, silent: true, z: 4 });
  const heads = ["5 %", "25 %", "median", "75 %", "95 %"];
  return {
    animation: false,
    grid: { left: 8, right: 20, top: 6, bottom: 6, containLabel: true },
    xAxis: { type: "log", ...axisLook(), axisLabel: { color: colour("muted"), hideOverlap: true, showMaxLabel: false, formatter: (at) => value(at) } },
    yAxis: { type: "category", data: rows, ...axisLook(), axisLabel: { color: colour("text"), width: narrow ? 128 : 220, overflow: "truncate", fontSize: narrow ? 11 : 12 } },
    tooltip: { trigger: "item", ...tooltipLook(), formatter: (found) => tip(SEVERAL ? `${found.name}, ${found.seriesName}` : found.name, heads.map((head, index) => [head, shown(found.data.exact[index], measure.unit)])) },
    series,
  };
}

function boxLook(name, group) {
  const fill = SEVERAL ? palette(group) : palette(backendIndex(name.split(" ")[0]));
  return { color: `${fill}55`, borderColor: fill, borderWidth: SEVERAL ? 2.5 : 1.5 };
}

function proofTable() {
  const measures = DATA.proofs.measures;
  const heads = [...(SEVERAL ? ["group"] : []), "backend, circuit", "made", "verified", "refused", ...measures.flatMap((one) => [`${one.title} median`, "95 %", "max"])];
  const rows = DATA.proofs.table.map((row) => [
    ...(SEVERAL ? [groupName(row.group)] : []), row.name, row.made, row.verified, row.rejected, ...measures.flatMap((one) => row[one.key]),
  ]);
  return table("The summary's figures: ms, and bytes", heads, rows);
}

function startRejected() {
  const section = byId("rejected");
  if (DATA.network_only) {
    section.append(el("p", {}, "These runs had no chain, and so no proofs to refuse."));
    return;
  }
  const most = Math.max(...DATA.runs.map((run) => run.rejected.length));
  if (!most) {
    section.append(el("p", {}, "No proof was refused."));
    return;
  }
  const { made, place, keys } = figure("Verifier's time that refused proofs cost, ms", "By what they were and why they were refused; colours: the region whose nodes paid.", 60 + 30 * most);
  made.id = "chart-rejected";
  const rows = () => ownRun().rejected;
  const regions = () => [...new Set(rows().flatMap((row) => Object.keys(row.paid)))].sort();
  keepLegend(keys, () => legend(regions(), regions().map(regionColour)));
  const fold = el("div", {});
  keepLegend(fold, () => folded("Table", () => table("Refused proofs", ["what it was", "why refused", "how often", "at nodes", "from neighbours", "verifier ms", ...regions()], rows().map((row) => [row.spam, row.reason, row.count, row.nodes, row.senders, row.ms, ...regions().map((region) => row.paid[region] ?? 0)]))));
  made.append(fold);
  section.append(made);
  later(() => {
    const name = (row) => `${row.spam}: ${row.reason}`;
    const options = () => {
      const kinds = rows().map(name).reverse();
      const narrow = place.clientWidth < 560;
      const series = regions().map((region, index) => ({ type: "bar", stack: "paid", name: region, color: regionColour(region, index), barMaxWidth: 14, emphasis: { disabled: true }, data: rows().map((row) => row.paid[region] ?? 0).reverse() }));
      return {
        animation: false,
        grid: { left: 8, right: 20, top: 6, bottom: 6, containLabel: true },
        xAxis: { type: "value", ...axisLook(), axisLabel: { color: colour("muted"), hideOverlap: true, showMaxLabel: false, formatter: (value) => `${number(value)} ms` } },
        yAxis: { type: "category", data: kinds, ...axisLook(), axisLabel: { color: colour("text"), width: narrow ? 140 : 300, overflow: "truncate", fontSize: narrow ? 10 : 12, formatter: (kind) => (narrow ? kind.replace(": ", ":\n") : kind) } },
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, ...tooltipLook(), formatter: (found) => { const row = rows()[rows().length - 1 - found[0].dataIndex]; return tip(name(row), [["refused", number(row.count)], ["at nodes", number(row.nodes)], ...Object.entries(row.paid).map(([region, ms]) => [region, number(ms, "ms")])]); } },
        series,
      };
    };
    draw(place, () => `Time of verifiers by refused proof: ${rows().map((row) => `${name(row)}: ${row.count} refused, ${row.ms} ms`).join("; ")}`, options);
  });
}

function startFooter() {
  const rows = DATA.runs.map((run) => [runName(run), run.replay, ...["scenario", "trace", "summary", "proofs"].map((name) => el("code", {}, run.hashes[name].slice(0, 16)))]);
  byId("made").append(
    el("p", {}, `Made by simnet ${DATA.simnet} from the runs' traces and summaries; charts by ${DATA.library}. The page needs no network.`),
    folded("Hashes, and the commands that repeat the runs", () => table("First 16 hex digits of SHA-256", ["run", "command", "scenario", "trace", "summary", "proofs"], rows, [1])),
  );
}
