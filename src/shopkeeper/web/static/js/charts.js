// Charts from the data blocks beside them. Colours come from the style sheet, so they follow light and dark;
// what the pointer is on is written out above the chart.
"use strict";

(() => {
  const LONG = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
  const SHORT = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const date = (month) => new Date(`${month}-01T00:00:00Z`);
  const money = (code, compact) =>
    new Intl.NumberFormat("en-GB", {
      style: "currency", currency: code, currencyDisplay: "narrowSymbol", maximumFractionDigits: compact ? 1 : 0,
      minimumFractionDigits: 0, notation: compact ? "compact" : "standard",
    });

  function frame(data, width) {
    const compact = money(data.currency, true);
    const room = width / data.months.length;
    const labelled = room > 36 ? /./ : room > 18 ? /-(01|04|07|10)$/ : room > 7 ? /-(01|07)$/ : /-01$/;
    const style = { color: colour("soft"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
    return {
      animation: false,
      grid: { left: 4, right: 4, top: 12, bottom: 4, containLabel: true },
      xAxis: {
        type: "category", data: data.months, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("line-strong") } },
        axisLabel: {
          ...style, hideOverlap: true, interval: (i, month) => labelled.test(month), lineHeight: 15, verticalAlign: "top", margin: 10,
          formatter: (month) => (month.endsWith("-01") ? `${SHORT.format(date(month))}\n${month.slice(0, 4)}` : SHORT.format(date(month))),
        },
      },
      yAxis: {
        type: "value", splitNumber: 4, axisLabel: { ...style, formatter: (value) => compact.format(value) },
        splitLine: { lineStyle: { color: colour("line") } },
      },
    };
  }

  const bars = (values, tone, partial) => ({
    type: "bar", barCategoryGap: "28%", barGap: "-100%", itemStyle: { color: colour(tone), borderRadius: [2, 2, 0, 0] },
    emphasis: { disabled: true },
    data: values.map((value, i) => (partial && i === values.length - 1 ? { value, itemStyle: { opacity: 0.55 } } : value)),
  });

  const KINDS = {
    months: {
      option: (data, width) => ({ ...frame(data, width), series: [bars(data.amount, "accent-mid", data.partial), bars(data.margin, "accent", data.partial)] }),
      read(data, i) {
        const whole = money(data.currency, false);
        const soFar = data.partial && i === data.months.length - 1 ? " so far" : "";
        return [LONG.format(date(data.months[i])) + soFar,
          `sold ${whole.format(data.amount[i])}, margin ${whole.format(data.margin[i])}, ${data.orders[i].toLocaleString("en-GB")} orders`];
      },
    },
    margin: {
      option: (data, width) => ({ ...frame(data, width), series: [bars(data.margin, "accent", false)] }),
      read: (data, i) => [LONG.format(date(data.months[i])), `margin ${money(data.currency, false).format(data.margin[i])}`],
    },
  };

  const marks = (data) => data.months || data.days || data.names;

  // How large a segment was at the end of each day; a count needs no money.
  KINDS.audience = {
    option: (data) => {
      const style = { color: colour("soft"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
      const name = (day) => DAY.format(new Date(`${day}T00:00:00Z`)).replace(/ \d{4}$/, "");
      return {
        animation: false,
        grid: { left: 4, right: 16, top: 12, bottom: 4, containLabel: true },
        xAxis: { type: "category", data: data.days, boundaryGap: data.days.length < 2, axisTick: { show: false },
          axisLine: { lineStyle: { color: colour("line-strong") } }, axisLabel: { ...style, hideOverlap: true, formatter: name } },
        yAxis: { type: "value", min: 0, minInterval: 1, splitNumber: 3, axisLabel: style, splitLine: { lineStyle: { color: colour("line") } } },
        series: [{ type: "line", step: "end", data: data.size, symbol: data.days.length < 2 ? "circle" : "none", symbolSize: 7,
          lineStyle: { color: colour("accent"), width: 2 }, itemStyle: { color: colour("accent") }, areaStyle: { color: colour("accent-soft"), opacity: 1 }, emphasis: { disabled: true } }],
      };
    },
    read: (data, i) => [DAY.format(new Date(`${data.days[i]}T00:00:00Z`)),
      `${data.size[i].toLocaleString("en-GB")} in it, ${data.entered[i].toLocaleString("en-GB")} entered, ${data.exited[i].toLocaleString("en-GB")} left`],
  };

  // Named points with one or two series: lines, pairs of bars, or a line within its range.
  const UNITS = {
    count: () => (value) => value.toLocaleString("en-GB", { maximumFractionDigits: 2 }),
    percent: () => (value) => `${Math.round(value * 100)}%`,
    money: (data, compact) => money(data.currency, compact).format,
  };
  const named = (data, gap) => {
    const style = { color: colour("soft"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
    const write = UNITS[data.unit](data, true);
    return {
      animation: false,
      grid: { left: 4, right: 16, top: 12, bottom: 4, containLabel: true },
      xAxis: { type: "category", data: data.names, boundaryGap: gap || data.names.length < 2, axisTick: { show: false },
        axisLine: { lineStyle: { color: colour("line-strong") } }, axisLabel: { ...style, hideOverlap: true, ...(data.every ? { interval: (i) => i % data.every === 0 } : {}), formatter: (name) => name.replace(/ of customers$/, "") } },
      yAxis: { type: "value", splitNumber: 4, max: data.unit === "percent" ? 1 : null, interval: data.unit === "percent" ? 0.25 : null, axisLabel: { ...style, formatter: write }, splitLine: { lineStyle: { color: colour("line") } } },
    };
  };
  const line = (one, tone, extra) => ({
    type: "line", data: one.values, symbol: one.values.length < 2 ? "circle" : "none", symbolSize: 7, emphasis: { disabled: true },
    lineStyle: { color: colour(tone), width: 2 }, itemStyle: { color: colour(tone) }, ...extra,
  });
  const readNamed = (data, i) => {
    const write = UNITS[data.unit](data, false);
    const parts = data.series.filter((one) => one.values[i] != null).map((one) =>
      (one.name === "still a customer" ? `${Math.round(one.values[i] * 100)}% ${one.name}` : `${one.name} ${write(one.values[i])}`));
    return [data.names[i], parts.join(", ")];
  };
  KINDS.curves = {
    option: (data) => ({ ...named(data, false), series: data.series.map((one, i) => line(one, i ? "warn" : "accent", i ? { lineStyle: { color: colour("warn"), width: 2, type: "dashed" } } : {})) }),
    read: readNamed,
  };
  KINDS.pairs = {
    option: (data) => ({ ...named(data, true), series: data.series.map((one, i) => ({
      type: "bar", data: one.values, barGap: "10%", barCategoryGap: "30%", emphasis: { disabled: true },
      itemStyle: { color: colour(i ? "warn" : "accent"), borderRadius: [2, 2, 0, 0] } })) }),
    read: readNamed,
  };
  KINDS.ranges = {
    option: (data) => {
      const [expected, low, high] = data.series;
      const room = high.values.map((value, i) => value - low.values[i]);
      const bare = { lineStyle: { opacity: 0 }, stack: "range", itemStyle: { opacity: 0 } };
      return { ...named(data, false), series: [
        line(low, "accent-mid", bare),
        line({ values: room }, "accent-mid", { ...bare, areaStyle: { color: colour("accent-soft"), opacity: 1 } }),
        line(expected, "accent", {}),
      ] };
    },
    read: readNamed,
  };

  function draw(figure) {
    const kind = KINDS[figure.dataset.chart];
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const readout = figure.querySelector(".readout");
    if (!kind || !marks(data).length) return;
    const chart = echarts.init(figure.querySelector(".canvas"), null, { renderer: "canvas" });
    const paint = () => chart.setOption(kind.option(data, chart.getWidth()), true);
    const tell = (i) => {
      const [title, text] = kind.read(data, i);
      const strong = document.createElement("strong");
      strong.textContent = title;
      readout.replaceChildren(strong, ` ${text}`);
    };
    paint();
    const rest = data.rest ?? marks(data).length - 1;
    tell(rest);
    chart.getZr().on("mousemove", (event) => {
      const [i] = chart.convertFromPixel({ gridIndex: 0 }, [event.offsetX, event.offsetY]) || [];
      if (Number.isInteger(i) && i >= 0 && i < marks(data).length) tell(i);
    });
    chart.getZr().on("globalout", () => tell(rest));
    new ResizeObserver(() => { chart.resize(); paint(); }).observe(figure);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    for (const event of ["beforeprint", "afterprint"]) addEventListener(event, () => { chart.resize(); paint(); });
  }

  document.querySelectorAll("figure[data-chart]").forEach(draw);
  // What a piece of a page brings along is drawn when it has come.
  document.addEventListener("htmx:after:swap", () => {
    document.querySelectorAll("figure[data-chart]").forEach((figure) => {
      if (!figure.querySelector(".canvas > *")) draw(figure);
    });
  });
})();
