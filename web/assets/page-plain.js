// A page of words alone.

import { speak } from './lang.js';
import { element } from './view.js';

speak(element('language'));
