/**
 * A sound for new problems, if it is wanted: off by default, kept in this browser. Browsers stay silent until somebody
 * has clicked or typed in the page; until then the page says that the sound waits for that.
 */

import { BROWSER, recall, remember } from "./dom.js";

const KEY = "clu-ws.sound";

/** The tones of each level: Hz, and their ms. They differ by number and rhythm, not by pitch alone. */
const TONES = {
  warn: [[660, 140]],
  error: [[660, 140], [0, 80], [520, 220]],
  critical: [[880, 160], [0, 60], [880, 160], [0, 60], [880, 160], [0, 60], [660, 320]],
};

const VOLUME = 0.25;

export class Sound {
  #wanted = recall(BROWSER, KEY) === "on";
  #context = null;
  #onChange;

  /** @param {() => void} onChange  whether it is wanted or possible has changed */
  constructor(onChange = () => {}) {
    this.#onChange = onChange;
    if (this.#wanted) this.#open();
    for (const type of ["pointerdown", "keydown"]) addEventListener(type, () => this.#resume(), { passive: true, capture: true });
  }

  get wanted() { return this.#wanted; }

  /** Whether it is wanted, but the browser stays silent until somebody touches the page. */
  get waiting() { return this.#wanted && this.#context?.state !== "running"; }

  set(wanted) {
    this.#wanted = wanted;
    remember(BROWSER, KEY, wanted ? "on" : null);
    if (wanted) this.#open();
    this.#resume();
    this.#onChange();
  }

  /** Plays the sound of a level. It does nothing if no sound is wanted. */
  alarm(level) {
    if (this.#wanted) this.#play(TONES[level] ?? TONES.warn);
  }

  /** Plays the sound of an error, wanted or not, so that one hears whether it works. */
  test() {
    this.#open();
    this.#context?.resume().then(() => this.#play(TONES.error), () => {});
  }

  #open() {
    if (this.#context !== null || typeof AudioContext === "undefined") return;
    this.#context = new AudioContext();
    this.#context.addEventListener("statechange", () => this.#onChange());
  }

  #resume() {
    if (this.#wanted && this.#context?.state === "suspended") this.#context.resume().catch(() => {});
  }

  #play(tones) {
    const context = this.#context;
    if (context?.state !== "running") return;
    let at = context.currentTime + 0.01;
    for (const [frequency, ms] of tones) {
      const end = at + ms / 1_000;
      if (frequency > 0) this.#tone(frequency, at, end);
      at = end;
    }
  }

  #tone(frequency, at, end) {
    const oscillator = this.#context.createOscillator();
    const gain = this.#context.createGain();
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(VOLUME, at + 0.01);
    gain.gain.setValueAtTime(VOLUME, end - 0.02);
    gain.gain.linearRampToValueAtTime(0, end);
    oscillator.connect(gain).connect(this.#context.destination);
    oscillator.start(at);
    oscillator.stop(end);
  }
}
