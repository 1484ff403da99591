// Which language the page speaks.

import { strings } from './strings.js';
import { recall, remember } from './memory.js';

const KEY = 'icebox.language';
const TAGS = { en: 'en', zh: 'zh-CN' };

let language = choose(recall(KEY, 'localStorage'), navigator.languages ?? []);
const listeners = new Set();

// choose is the language that was picked, else the first of wanted that is there.
export function choose(picked, wanted) {
  const spoken = Object.keys(TAGS);
  return [picked, ...wanted.map((tag) => tag.slice(0, 2).toLowerCase())].find((tag) => spoken.includes(tag)) ?? 'en';
}

// t is the sentence of key, with {name} replaced from values.
export function t(key, values = {}) {
  const sentence = strings[language][key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// onLanguage calls listener now and whenever another language is picked.
export function onLanguage(listener) {
  listeners.add(listener);
  listener();
}

// speak fills in the texts of the page and its language button.
export function speak(button) {
  button.addEventListener('click', () => {
    language = language === 'zh' ? 'en' : 'zh';
    remember(KEY, language, 'localStorage');
    for (const listener of listeners) listener();
  });
  onLanguage(translate);
}

function translate() {
  document.documentElement.lang = TAGS[language];
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll('[data-t-label]')) {
    e.setAttribute('aria-label', t(e.dataset.tLabel));
    e.title = t(e.dataset.tLabel);
  }
  for (const e of document.querySelectorAll('[data-t-hint]')) e.placeholder = t(e.dataset.tHint);
  document.title = t(document.documentElement.dataset.title);
  document.documentElement.dataset.spoken = '';
}
