// One line for people on how a call travels.

import { t } from './lang.js';
import { figures, pathWords } from './path.js';

export function describe({ path, bits }) {
  const { key, values } = pathWords(path);
  return [t(key, values), figures(path, bits)].filter(Boolean).join(' · ');
}
