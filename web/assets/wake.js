// Keeps the screen of a phone on during a call, where the browser can.

let lock = null;
let wanted = false;

export function stayAwake(on) {
  wanted = on;
  apply();
}

async function apply() {
  if (!wanted) {
    lock?.release();
    lock = null;
  } else if (!lock && !document.hidden) {
    lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
    lock?.addEventListener('release', () => { lock = null; });
  }
}

document.addEventListener('visibilitychange', apply);
