// A clock that only goes when it is told to, in place of the one of the platform.

let now = 1_000_000;
let wall = 0; // what the clock on the wall is ahead
let next = 1;
const timers = new Map(); // id -> {at, every, run}

function add(run, ms = 0, every = 0) {
  timers.set(next, { at: now + ms, every, run });
  return next++;
}

export function install() {
  globalThis.setTimeout = (run, ms) => add(run, ms);
  globalThis.setInterval = (run, ms) => add(run, ms, ms);
  globalThis.clearTimeout = globalThis.clearInterval = (id) => timers.delete(id);
  Date.now = () => now + wall;
  performance.now = () => now;
}

// setBack sets the clock on the wall back by ms.
export function setBack(ms) {
  wall -= ms;
}

// tick lets ms pass and runs what is due, in order.
export function tick(ms) {
  const end = now + ms;
  for (;;) {
    const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
    if (!due) break;
    const [id, timer] = due;
    now = Math.max(now, timer.at);
    if (timer.every) timer.at += timer.every;
    else timers.delete(id);
    timer.run();
  }
  now = end;
}

// settle lets everything end that waits for nothing but its turn.
export async function settle() {
  for (let i = 0; i < 100; i++) await null;
}
