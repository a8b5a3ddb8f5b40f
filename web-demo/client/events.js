/**
 * The events of a connection. Those of a greeting are kept until it is done: a listener may close the client, connect it
 * anew, or subscribe, and that is for the connection as it is then, or for the next one.
 */

export class Events {
  #emit;
  #isUp;
  #untold = null;

  /** @param {(type: string, detail: object) => void} emit @param {() => boolean} isUp  the connection is still there */
  constructor(emit, isUp) {
    this.#emit = emit;
    this.#isUp = isUp;
  }

  emit = (type, detail) => {
    if (this.#untold) this.#untold.push([type, detail]);
    else this.#emit(type, detail);
  };

  /** Does what a greeting takes, and then tells of it. */
  after(greeting) {
    const untold = this.#untold = [];
    try {
      greeting();
    } finally {
      this.#untold = null;
    }
    for (const [type, detail] of untold) if (this.#isUp()) this.#emit(type, detail);
  }
}
