/** Named events and their listeners. */

export class Emitter {
  #listeners = new Map();

  /** Call `listener` with the value of each event of that type. Return a function that ends this. */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    const entry = { listener };
    this.#listeners.get(type).add(entry);
    return () => this.#listeners.get(type)?.delete(entry);
  }

  emit(type, value) {
    for (const { listener } of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        // An error of the application is its own, as in an EventTarget: the other listeners and the stream go on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear() {
    this.#listeners.clear();
  }
}
