import assert from 'node:assert/strict';
import test from 'node:test';

// A document of which only counts what is written, and what is moved.
let changes = 0;
class Element {
  children = [];
  dataset = {};
  parentElement = null;
  #text = '';
  get textContent() { return this.#text; }
  set textContent(text) {
    this.#text = text;
    changes++;
  }
  get lastElementChild() { return this.children.at(-1); }
  append(...more) {
    for (const e of more) e.parentElement = this;
    this.children.push(...more);
    changes++;
  }
  remove() {
    if (!this.parentElement) return;
    this.parentElement.children = this.parentElement.children.filter((e) => e !== this);
    this.parentElement = null;
    changes++;
  }
  addEventListener(_, listener) { this.click = listener; }
}
const elements = {};
globalThis.document = {
  createElement: () => new Element(),
  getElementById: (id) => elements[id] ??= new Element(),
};
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'] }, configurable: true });
const { writeLines } = await import('./assets/card.js');
const { View } = await import('./assets/view.js');

test('what is said again is not written again, and its button does what is new', () => {
  const view = new View();
  const done = [];
  const say = (run) => view.problem('media', 'problem.busy', { action: { label: 'again', run } });
  view.problem('socket', 'problem.unreachable');
  say(() => done.push('old'));
  view.status('room.connected', { n: 1 });
  const cards = [...elements.problems.children];
  changes = 0;
  view.problem('socket', 'problem.unreachable');
  say(() => done.push('new'));
  view.status('room.connected', { n: 1 });
  assert.equal(changes, 0);
  cards[1].children[1].click();
  assert.deepEqual(done, ['new']);
  view.problem('socket', 'socket.restart');
  assert.equal(changes, 1);
  assert.equal(cards[0].dataset.key, 'socket.restart');
  view.problem('media', 'problem.media');
  assert.equal(cards[1].children.length, 1); // no button any more
  view.problem('socket', '');
  view.problem('left', '');
  assert.deepEqual(elements.problems.children, [cards[1]]);
});

test('a list is written where it changes', () => {
  const list = new Element();
  writeLines(list, ['you', 'a', 'b']);
  changes = 0;
  writeLines(list, ['you', 'a', 'b']);
  assert.equal(changes, 0);
  writeLines(list, ['you', 'c']);
  assert.deepEqual(list.children.map(({ textContent }) => textContent), ['you', 'c']);
  assert.equal(changes, 2);
});
