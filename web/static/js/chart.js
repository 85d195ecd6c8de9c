// The chart of one round, on lightweight-charts: the price as a line by tick or as candles of five ticks, and what was
// done in the round. In: the document's `chart`. The newest price stands at the right with air beside it; nothing is
// drawn over it. Which form is chosen is kept in localStorage.

import { LineSeries, LineStyle, createOptionsChart } from "../vendor/lightweight-charts.standalone.production.mjs";
import { Overlay } from "./overlay.js";

const SHORTEST = 48; // ticks shown at least, so that a young round does not crawl over the whole width
const AIR = 0.12; // of the round's length, to the right of the newest price; may shrink to LEAST_AIR while a round grows
const LEAST_AIR = 0.03;
const BELOW = 0.95; // the price axis always holds 0.95 to 1.1: the first ticks do not look like an earthquake
const ABOVE = 1.1;
const LEFT = 0.012; // of the width: the first tick's dot is seen whole
const FORM = "vectra-chart";

/** The tokens as colours that a canvas takes. */
export function colours() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const names = ["up", "down", "warn", "accent", "text", "muted", "panel", "grid", "line", "on-up", "accent-ground"];
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

function axisLabels(prices) {
  const step = prices.length > 1 ? Math.abs(prices[1] - prices[0]) : 1;
  const decimals = Math.min(4, Math.max(2, Math.ceil(-Math.log10(step) - 1e-9)));
  return prices.map((price) => `${price.toFixed(decimals).replace("-", "−")}×`);
}

function scaled(original) {
  const found = original();
  if (!found?.priceRange) return found;
  const { minValue, maxValue } = found.priceRange;
  return { ...found, priceRange: { minValue: Math.min(minValue, BELOW), maxValue: Math.max(maxValue, ABOVE) } };
}

const buttons = () => document.querySelectorAll("[data-form]");

function kept() {
  try {
    return localStorage.getItem(FORM);
  } catch {
    return null; // storage switched off: the line
  }
}

function keep(form) {
  try {
    localStorage.setItem(FORM, form);
  } catch {
    // the choice lasts as long as the page
  }
}

/** The wheel scrolls the page; with Ctrl it zooms the chart. */
function leaveToPage(event) {
  if (!event.ctrlKey) event.stopPropagation();
}

export class RoundChart {
  constructor(element, { interactive = false } = {}) {
    this.candles = kept() === "candles";
    this.chart = createOptionsChart(element, {
      autoSize: true,
      layout: { attributionLogo: false, background: { color: "transparent" }, fontSize: 12 },
      localization: {
        precision: 0,
        timeFormatter: (tick) => `tick ${tick}`,
        priceFormatter: (price) => price.toFixed(4),
        tickmarksPriceFormatter: axisLabels,
      },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.06 }, minimumWidth: 68, entireTextOnly: true },
      timeScale: { borderVisible: false, allowBoldLabels: false, minBarSpacing: 0.01, fixLeftEdge: interactive, rightOffset: 0, shiftVisibleRangeOnNewBar: false },
      handleScroll: interactive && { vertTouchDrag: false },
      handleScale: interactive,
    });
    element.addEventListener("wheel", leaveToPage, { capture: true });
    const line = { lineWidth: 2, crosshairMarkerRadius: 3, autoscaleInfoProvider: scaled };
    this.line = this.chart.addSeries(LineSeries, { ...line, priceLineStyle: LineStyle.Dotted });
    this.fall = this.chart.addSeries(LineSeries, { ...line, priceLineVisible: false, lastValueVisible: false });
    this.overlay = new Overlay();
    this.line.attachPrimitive(this.overlay);
    this.drawn = { reset: null, count: 0, rugged: false };
    this.shown = null;
    this.framed = { reset: null, rugged: false, to: 0 };
    this.dress();
    this.startSwitch();
    this.chart.timeScale().subscribeSizeChange(() => this.shown && this.frame(this.shown, true));
    document.addEventListener("themechange", () => this.dress());
  }

  /** Take the theme's colours. */
  dress() {
    const c = colours();
    const font = getComputedStyle(document.documentElement).getPropertyValue("--mono");
    this.chart.applyOptions({
      layout: { textColor: c.muted, fontFamily: font },
      grid: { vertLines: { visible: false }, horzLines: { color: c.grid } },
      crosshair: {
        vertLine: { color: c.muted, labelBackgroundColor: c.muted },
        horzLine: { color: c.muted, labelBackgroundColor: c.muted },
      },
    });
    this.line.applyOptions({ color: c.up, priceLineColor: c.up });
    this.fall.applyOptions({ color: c.down });
    this.overlay.dress(c, font);
  }

  /** Let the two buttons beside the chart, and the key `c`, choose between line and candles. */
  startSwitch() {
    for (const button of buttons()) button.addEventListener("click", () => this.choose(button.dataset.form === "candles"));
    document.addEventListener("chartform", () => this.choose(!this.candles));
    this.choose(this.candles);
  }

  choose(candles) {
    this.candles = candles;
    keep(candles ? "candles" : "line");
    for (const button of buttons()) button.setAttribute("aria-pressed", String((button.dataset.form === "candles") === candles));
    for (const series of [this.line, this.fall]) series.applyOptions({ lineVisible: !candles });
    this.overlay.candles = candles;
    this.overlay.redraw?.();
  }

  /** Draw the document's chart: only what is new where it continues what is drawn. */
  show(chart) {
    const { prices, firstTick } = chart;
    const rugged = chart.rugged && prices.length > 1;
    const end = rugged ? prices.length - 1 : prices.length;
    const more = chart.reset !== this.drawn.reset || end !== this.drawn.count || rugged !== this.drawn.rugged;
    const point = (index) => {
      const value = prices[index];
      return value === null ? { time: firstTick + index } : { time: firstTick + index, value };
    };
    if (chart.reset !== this.drawn.reset || end < this.drawn.count) {
      this.line.setData(Array.from({ length: end }, (_, index) => point(index)));
    } else {
      for (let index = this.drawn.count; index < end; index += 1) this.line.update(point(index));
    }
    if (rugged !== this.drawn.rugged || chart.reset !== this.drawn.reset) {
      this.fall.setData(rugged ? [point(end - 1), point(end)] : []);
      this.line.applyOptions({ priceLineVisible: !rugged, lastValueVisible: !rugged });
      this.fall.applyOptions({ lastValueVisible: rugged });
    }
    this.drawn = { reset: chart.reset, count: end, rugged };
    this.overlay.show(chart, rugged, more);
    this.shown = chart;
    this.frame(chart);
  }

  /**
   * Keep the whole round in sight, with air to the right of the newest price. In steps: the line grows in a picture that
   * stands still, and nothing but the new price must be laid out.
   */
  frame({ prices, firstTick, sidebets, rugged, reset }, anyway = false) {
    const last = prices.length - 1;
    const bets = rugged ? [] : (sidebets ?? []);
    const running = Math.max(0, ...bets.map((bet) => bet.end - firstTick));
    const least = Math.max(SHORTEST, last * (1 + LEAST_AIR), last + 3, running > last ? running : 0);
    const same = reset === this.framed.reset && rugged === this.framed.rugged;
    if (same && !anyway && least <= this.framed.to) return;
    const to = Math.max(least, last * (1 + AIR));
    this.framed = { reset, rugged, to };
    this.chart.timeScale().setVisibleLogicalRange({ from: -0.5 - to * LEFT, to });
  }
}
