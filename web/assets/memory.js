// What a tab remembers. A browser can refuse to remember anything; then nothing
// is remembered.

export function recall(key, store = 'sessionStorage') {
  try {
    return JSON.parse(window[store].getItem(key));
  } catch {
    return null;
  }
}

export function remember(key, value, store = 'sessionStorage') {
  try {
    window[store].setItem(key, JSON.stringify(value));
  } catch {
    // it goes on without
  }
}

export function forget(key) {
  try {
    window.sessionStorage.removeItem(key);
  } catch {
    // there was nothing
  }
}
