// Keeps the screen of a phone on during a call, where the browser can.

let lock = null;
let wanted = false;

export function stayAwake(on) {
  wanted = on;
  apply();
}

async function apply() {
  if (!wanted) return release();
  if (lock || document.hidden) return;
  const got = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
  if (lock || !got) return got?.release(); // another was faster
  lock = got;
  lock.addEventListener('release', () => { if (lock === got) lock = null; });
  if (!wanted) release(); // the call has ended meanwhile
}

function release() {
  lock?.release();
  lock = null;
}

document.addEventListener('visibilitychange', apply);
