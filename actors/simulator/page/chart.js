// The round's price as a line on a canvas. Gets the series, draws it; keeps nothing else.
"use strict";

class Chart {
  constructor(canvas) {
    this.canvas = canvas;
    this.prices = [];
    this.rugged = false;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  show(prices, rugged) {
    this.prices = prices;
    this.rugged = rugged;
    this.draw();
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (!width) return;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const shown = this.prices.filter((price) => price !== undefined);
    const top = Math.max(1.25, ...shown) * 1.05;
    const bottom = Math.min(0.75, ...shown) * 0.95;
    const y = (price) => 10 + (height - 20) * (1 - (price - bottom) / (top - bottom));
    const step = (width - 64) / Math.max(60, this.prices.length);
    this.grid(pen, width, y, top, bottom);
    if (shown.length > 1) this.line(pen, height, y, step);
  }

  grid(pen, width, y, top, bottom) {
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const raw = (top - bottom) / 5;
    const scale = 10 ** Math.floor(Math.log10(raw));
    const gap = [1, 2, 5, 10].find((factor) => factor * scale >= raw) * scale;
    for (let price = Math.ceil(bottom / gap) * gap; price < top; price += gap) {
      pen.fillStyle = "#1d2434";
      pen.fillRect(0, Math.round(y(price)), width - 56, 1);
      pen.fillStyle = "#5b667e";
      pen.fillText(`${price.toFixed(gap < 0.1 ? 2 : gap < 1 ? 1 : 0)}x`, width - 4, y(price));
    }
  }

  line(pen, height, y, step) {
    const last = this.prices.length - 1;
    const color = this.rugged || this.prices[last] < 1 ? "#ff5470" : "#2fd27c";
    pen.beginPath();
    this.prices.forEach((price, tick) => price !== undefined && pen.lineTo(tick * step, y(price)));
    pen.strokeStyle = color;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.stroke();
    pen.lineTo(last * step, height);
    pen.lineTo(0, height);
    const fill = pen.createLinearGradient(0, 0, 0, height);
    fill.addColorStop(0, `${color}33`);
    fill.addColorStop(1, `${color}00`);
    pen.fillStyle = fill;
    pen.fill();
    pen.beginPath();
    pen.arc(last * step, y(this.prices[last]), 4, 0, 7);
    pen.fillStyle = color;
    pen.fill();
  }
}
