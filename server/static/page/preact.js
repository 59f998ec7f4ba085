/**
 * Preact with its hooks and signals, and `html` of htm. Their builds for pages without a bundler put themselves into the global
 * scope (index.html loads them first); every other module takes them from here.
 */
import htm from './vendor/htm.module.js';

/** @type {typeof import('preact')} */
const preact = Reflect.get(globalThis, 'preact');
/** @type {typeof import('preact/hooks')} */
const hooks = Reflect.get(globalThis, 'preactHooks');
/** @type {typeof import('@preact/signals-core')} */
const core = Reflect.get(globalThis, 'preactSignalsCore');
/** @type {typeof import('@preact/signals')} */
const signals = Reflect.get(globalThis, 'preactSignals');

export const { h, render, Fragment } = preact;
export const { useEffect, useLayoutEffect, useMemo, useRef, useState } = hooks;
export const { batch, computed, effect, signal } = core;
export const { useComputed, useSignal } = signals;
export const html = htm.bind(h);
