// A room for a few people: camera, microphone and screen, everybody to everybody.

import { RoomPage } from './roompage.js';

new RoomPage().enter();
