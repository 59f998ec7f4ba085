/**
 * Keeps what GraphiQL remembers apart from every other GraphiQL on the same origin: 127.0.0.1:8000 is
 * shared by all the projects somebody ever ran there, and GraphiQL's own keys carry no name.
 */

/** A view of `storage` in which each key starts with `prefix`; the interface is the one GraphiQL asks for. */
export class PrefixedStorage {
  constructor(storage, prefix) {
    this.storage = storage;
    this.prefix = prefix;
  }

  get length() {
    return this.keys().length;
  }

  getItem(key) {
    return this.storage.getItem(this.prefix + key);
  }

  setItem(key, value) {
    this.storage.setItem(this.prefix + key, value);
  }

  removeItem(key) {
    this.storage.removeItem(this.prefix + key);
  }

  clear() {
    for (const key of this.keys()) this.storage.removeItem(key);
  }

  keys() {
    return Object.keys(this.storage).filter((key) => key.startsWith(this.prefix));
  }
}
