// What is drawn into the chart besides its lines: side-bet windows below them; own trades, the newest price's dot and
// the rug's label above. A series primitive of lightweight-charts; coordinates come from its scales at each draw.

const LABEL = 12;
const PAD = 6;

export class Overlay {
  constructor() {
    this.chart = null;
    this.rugged = false;
    this.colours = null;
    const view = (zOrder, draw) => ({
      zOrder: () => zOrder,
      renderer: () => ({ draw: (target) => target.useMediaCoordinateSpace((scope) => this.ready() && draw(scope)) }),
    });
    this.views = [view("bottom", (scope) => this.drawWindows(scope)), view("top", (scope) => this.drawMarks(scope))];
  }

  attached({ chart, series, requestUpdate }) {
    this.scales = { x: (tick) => chart.timeScale().logicalToCoordinate(tick), y: (price) => series.priceToCoordinate(price) };
    this.redraw = requestUpdate;
  }

  paneViews() {
    return this.views;
  }

  dress(colours, font) {
    this.colours = colours;
    this.font = `${LABEL}px ${font}`;
    this.redraw?.();
  }

  show(chart, rugged) {
    this.chart = chart;
    this.rugged = rugged;
    this.redraw?.();
  }

  ready() {
    return this.chart !== null && this.colours !== null;
  }

  x(tick) {
    return this.scales.x(tick - this.chart.firstTick);
  }

  drawWindows({ context, mediaSize }) {
    context.font = this.font;
    for (const bet of this.chart.sidebets ?? []) {
      const left = this.x(bet.start);
      const right = this.x(bet.end);
      if (left === null || right === null) continue;
      context.globalAlpha = bet.quiet ? 0.25 : 0.75;
      context.fillStyle = this.colours["accent-ground"];
      context.fillRect(left, 0, right - left, mediaSize.height);
      context.globalAlpha = 1;
      context.fillStyle = this.colours.accent;
      if (bet.quiet) continue;
      const words = `side bet ${bet.start}–${bet.end}`;
      const fits = context.measureText(words).width + 2 * PAD < right - left;
      context.fillText(fits ? words : "bet", left + PAD, LABEL + PAD);
    }
  }

  drawMarks({ context, mediaSize }) {
    const { prices, firstTick, trades } = this.chart;
    context.font = this.font;
    for (const trade of trades ?? []) this.drawTrade(context, mediaSize, trade);
    const last = prices.length - 1;
    if (last < 0 || prices[last] === null) return;
    const x = this.x(firstTick + last);
    const y = this.scales.y(prices[last]);
    if (x === null || y === null) return;
    this.circle(context, x, y, 4, this.rugged ? this.colours.down : this.colours.up, null);
    if (this.rugged) this.labelFall(context, `RUG ${prices[last].toFixed(4)}×`, x, y);
  }

  drawTrade(context, mediaSize, trade) {
    const x = this.x(trade.tick);
    const y = this.scales.y(trade.price);
    if (x === null || y === null) return;
    const selling = /sell|close/.test(String(trade.side));
    const colour = selling ? this.colours.warn : this.colours.accent;
    if (trade.quiet) return this.circle(context, x, y, 3, colour, null); // one of many: a dot without words
    this.circle(context, x, y, 5, this.colours.panel, colour);
    const word = String(trade.side).replace("_", " ").toUpperCase().slice(0, 12);
    const amount = typeof trade.amount === "number" ? ` ${trade.amount.toFixed(4)}` : "";
    this.label(context, mediaSize, word + amount, x, selling ? y + LABEL + 10 : y - 12, colour);
  }

  circle(context, x, y, radius, fill, stroke) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.fill();
    if (!stroke) return;
    context.lineWidth = 2;
    context.strokeStyle = stroke;
    context.stroke();
  }

  /** Above or below a point, kept inside the chart. */
  label(context, { width }, words, x, y, colour) {
    const half = context.measureText(words).width / 2;
    this.write(context, words, Math.min(Math.max(x, half + PAD), width - half - PAD) - half, y, colour);
  }

  /** Beside the foot of the falling line, where nothing else is drawn. */
  labelFall(context, words, x, y) {
    const width = context.measureText(words).width;
    this.write(context, words, x - width - 12 > 0 ? x - width - 12 : x + 12, y + 4, this.colours.down);
  }

  write(context, words, left, y, colour) {
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = this.colours.panel;
    context.fillStyle = colour;
    context.strokeText(words, left, y);
    context.fillText(words, left, y);
  }
}
