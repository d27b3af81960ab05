import type { Preset } from '../preset.ts';
import { http } from './http.ts';
import { simulator } from './simulator.ts';

/** Every preset. A new one is a file beside this and a line here. */
export const presets: readonly Preset[] = [http, simulator];
