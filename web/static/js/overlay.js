// What is drawn into the chart besides its lines: side-bet windows and, where they are wanted, candles of five ticks below
// them; own trades, the newest price's dot and the rug's label above. Words never lie on words. A series primitive of
// lightweight-charts; coordinates come from its scales at each draw.

const LABEL = 12;
const PAD = 6;
const CANDLE = 5; // ticks, as the game's own chart has them
const WIDEST = 9; // half a candle, in pixels
const SELLING = /sell|close/;

export class Overlay {
  constructor() {
    this.chart = null;
    this.rugged = false;
    this.candles = false;
    this.colours = null;
    this.taken = []; // where words stand in this draw
    const view = (zOrder, draw) => ({
      zOrder: () => zOrder,
      renderer: () => ({ draw: (target) => target.useMediaCoordinateSpace((scope) => this.ready() && draw(scope)) }),
    });
    this.views = [
      view("bottom", (scope) => this.drawWindows(scope)), // below the grid
      view("normal", (scope) => this.candles && this.drawCandles(scope.context)),
      view("top", (scope) => this.drawMarks(scope)),
    ];
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

  /** Take the document's chart. drawn: the lines changed too, so all is drawn anyway; asking would draw it twice. */
  show(chart, rugged, drawn) {
    this.chart = chart;
    this.rugged = rugged;
    if (!drawn) this.redraw?.();
  }

  ready() {
    return this.chart !== null && this.colours !== null;
  }

  x(tick) {
    return this.scales.x(tick - this.chart.firstTick);
  }

  drawWindows({ context, mediaSize }) {
    context.font = this.font;
    this.taken = [];
    for (const bet of this.chart.sidebets ?? []) this.drawWindow(context, mediaSize, bet);
  }

  drawWindow(context, { width, height }, bet) {
    const left = this.x(bet.start);
    const right = this.x(bet.end);
    if (left === null || right === null) return;
    context.globalAlpha = bet.quiet ? 0.25 : 0.75;
    context.fillStyle = this.colours["accent-ground"];
    context.fillRect(left, 0, right - left, height);
    context.globalAlpha = 1;
    if (bet.quiet) return;
    context.fillStyle = this.colours.accent;
    context.fillRect(left, 0, 1, height);
    context.fillRect(right - 1, 0, 1, height);
    const wide = Math.min(right, width) - left - 2 * PAD;
    const words = [`side bet ${bet.start}–${bet.end}`, "side bet", "bet"].find((one) => context.measureText(one).width < wide);
    if (words) this.write(context, words, left + PAD, LABEL + PAD, this.colours.accent);
  }

  /**
   * Five ticks each, from the last price before them: a hollow body where the price rose, a full one where it fell, a wick
   * from low to high.
   */
  drawCandles(context) {
    const { prices, firstTick } = this.chart;
    const half = Math.min(WIDEST, Math.max(1, (this.scales.x(CANDLE) - this.scales.x(0)) * 0.35));
    let before = [];
    for (let begin = -(firstTick % CANDLE); begin < prices.length; begin += CANDLE) {
      const seen = prices.slice(Math.max(0, begin), begin + CANDLE).filter((price) => price !== null);
      if (seen.length) this.drawCandle(context, this.scales.x(begin + (CANDLE - 1) / 2), half, [...before, ...seen]);
      before = seen.slice(-1);
    }
  }

  drawCandle(context, x, half, seen) {
    const [open, close, low, high] = [seen[0], seen.at(-1), Math.min(...seen), Math.max(...seen)].map(this.scales.y);
    const rose = close <= open;
    const top = Math.min(open, close);
    const size = Math.max(1, Math.abs(close - open));
    context.fillStyle = context.strokeStyle = rose ? this.colours.up : this.colours.down;
    context.fillRect(x - 0.5, high, 1, low - high);
    if (half > 2) context.fillStyle = rose ? this.colours.panel : this.colours.down;
    context.lineWidth = 1.5;
    context.fillRect(x - half, top, 2 * half, size);
    if (half > 2) context.strokeRect(x - half, top, 2 * half, size);
  }

  drawMarks({ context, mediaSize }) {
    const { prices, firstTick, trades } = this.chart;
    context.font = this.font;
    const last = prices.length - 1;
    const x = this.x(firstTick + last);
    const y = prices[last] === null ? null : this.scales.y(prices[last]);
    const known = last >= 0 && x !== null && y !== null;
    if (known && this.rugged) this.labelFall(context, `RUG ${prices[last].toFixed(4)}×`, x, y);
    const marks = (trades ?? []).map((trade) => this.markOf(trade)).filter((mark) => mark.x !== null && mark.y !== null);
    for (const mark of marks) this.drawMark(context, mark);
    for (const mark of marks) if (!mark.quiet) this.label(context, mediaSize, mark);
    if (known && (this.rugged || !this.candles)) this.circle(context, x, y, 4, this.rugged ? this.colours.down : this.colours.up);
  }

  markOf({ tick, price, side, amount, quiet }) {
    const selling = SELLING.test(String(side));
    const word = String(side).replace("_", " ").toUpperCase().slice(0, 12);
    const words = word + (typeof amount === "number" ? ` ${amount.toFixed(4)}` : "");
    return { x: this.x(tick), y: this.scales.y(price), colour: selling ? this.colours.text : this.colours.accent, selling, words, quiet };
  }

  drawMark(context, { x, y, selling, colour, quiet }) {
    if (quiet) return this.triangle(context, x, y, selling ? 1 : -1, colour); // one of many: without words
    this.circle(context, x, y, 5, this.colours.panel, colour);
    this.taken.push({ left: x - 7, right: x + 7, y: y + LABEL / 3 });
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

  triangle(context, x, y, down, fill) {
    context.beginPath();
    context.moveTo(x, y + 5 * down);
    context.lineTo(x - 4.5, y - 3 * down);
    context.lineTo(x + 4.5, y - 3 * down);
    context.closePath();
    context.lineWidth = 2;
    context.strokeStyle = this.colours.panel;
    context.stroke();
    context.fillStyle = fill;
    context.fill();
  }

  /** Above or below a point, inside the chart, where no words stand yet; left out where all is taken. */
  label(context, { width, height }, { words, x, y, selling, colour }) {
    const wide = context.measureText(words).width;
    const left = Math.min(Math.max(x - wide / 2, PAD), width - wide - PAD);
    const over = [-12, -28, -44].map((step) => y + step);
    const under = [22, 38, 54].map((step) => y + step);
    const places = (selling ? [...under, ...over] : [...over, ...under]).filter((at) => at > LABEL + 2 && at < height - 4);
    const place = places.find((at) => this.isFree(left, at, wide));
    if (place !== undefined) this.write(context, words, left, place, colour);
  }

  isFree(left, y, wide) {
    return this.taken.every((one) => Math.abs(one.y - y) > LABEL + 2 || left > one.right + 4 || left + wide < one.left - 4);
  }

  /** Beside the foot of the falling line, where nothing else is drawn. */
  labelFall(context, words, x, y) {
    const width = context.measureText(words).width;
    this.write(context, words, x - width - 12 > 0 ? x - width - 12 : x + 12, y + 4, this.colours.down);
  }

  write(context, words, left, y, colour) {
    this.taken.push({ left, right: left + context.measureText(words).width, y });
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = this.colours.panel;
    context.fillStyle = colour;
    context.strokeText(words, left, y);
    context.fillText(words, left, y);
  }
}
